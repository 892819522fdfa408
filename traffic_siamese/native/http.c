/* Methods, paths and status codes of service-based interfaces as slots.  Paths are those of TS
 * 29.502 (sessions), 29.503 (subscriber data), 29.509 (authentication), 29.510 (network functions),
 * 29.512 and 29.514 (policy), 29.518 (mobility), 32.291 (charging). */
#include "http.h"

/* Each begins with a slash and ends before one: what stands anywhere in a path. */
static const char *const SESSIONS[] = {"/sm-contexts", "/pdu-sessions", "/sm-policies",
                                       "/app-sessions", "/chargingdata"};
static const char *const ENDS[] = {"/release", "/delete"};
static const char *const REGISTRATIONS[] = {"/registrations", "/nausf-auth", "/nudm-ueau"};
static const char *const MESSAGES[] = {"/subscriptions",  "/sdm-subscriptions",
                                       "/nf-status-notify", "/n1-n2-messages",
                                       "/sm-context-status", "/sendsms", "/notify"};
static const char *const SUBSCRIBERS[] = {"/imsi-", "/suci-", "/nai-", "/msisdn-", "/extid-"};

enum { NOWHERE = -1 };
#define COUNT(words) (sizeof(words) / sizeof *(words))

/* Where this word begins, as whole segments or (`prefix`) as the beginning of one. */
static int64_t find_word(http_text path, const char *word, int prefix) {
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= path.n; i++) {
        if (path.at[i] != '/' || memcmp(path.at + i, word, length)) continue;
        if (prefix || i + length == path.n || path.at[i + length] == '/') return (int64_t)i;
    }
    return NOWHERE;
}

static int64_t find_any(http_text path, const char *const *words, size_t n, int prefix) {
    for (size_t i = 0; i < n; i++) {
        int64_t at = find_word(path, words[i], prefix);
        if (at != NOWHERE) return at;
    }
    return NOWHERE;
}

/* The segment that begins at a slash, without it. */
static http_text segment_at(http_text path, size_t at) {
    http_text segment = {path.at + at + 1, 0};
    while (at + 1 + segment.n < path.n && segment.at[segment.n] != '/') segment.n++;
    return segment;
}

static http_text without_query(http_text path) {
    const uint8_t *query = path.n ? memchr(path.at, '?', path.n) : NULL;
    if (query) path.n = (size_t)(query - path.at);
    return path;
}

/* The reference to a session in a path: its collection and its name there; empty where the path
 * names the collection itself. */
static http_text session_in(http_text path) {
    http_text none = {NULL, 0};
    int64_t at = find_any(path, SESSIONS, COUNT(SESSIONS), 0);
    if (at == NOWHERE) return none;
    http_text collection = segment_at(path, (size_t)at);
    size_t after = (size_t)at + 1 + collection.n;
    if (after + 1 >= path.n) return none;
    http_text name = segment_at(path, after);
    return (http_text){collection.at, collection.n + 1 + name.n};
}

static uint8_t kind_in_session(http_text method, http_text path, http_text session) {
    int is_post = http_is(method, "POST");
    if (!session.n) return is_post ? REQUEST_SESSION_START : REQUEST_OTHER;
    http_text rest = {session.at + session.n, (size_t)(path.at + path.n - session.at) - session.n};
    if (http_is(method, "DELETE") && !rest.n) return REQUEST_SESSION_END;
    int is_end = find_any(rest, ENDS, COUNT(ENDS), 0) == 0;
    return is_post && is_end ? REQUEST_SESSION_END : REQUEST_OTHER;
}

static uint8_t kind_of(http_text method, http_text path, http_text session) {
    if (find_word(path, "/nf-instances", 0) != NOWHERE) { /* TS 29.510 5.2.2: NFRegister, ... */
        if (http_is(method, "PATCH")) return REQUEST_KEEP_ALIVE;
        return http_is(method, "GET") ? REQUEST_OTHER : REQUEST_REGISTRATION;
    }
    if (find_any(path, MESSAGES, COUNT(MESSAGES), 0) != NOWHERE) return REQUEST_MESSAGE;
    if (find_any(path, SESSIONS, COUNT(SESSIONS), 0) != NOWHERE)
        return kind_in_session(method, path, session);
    if (find_any(path, REGISTRATIONS, COUNT(REGISTRATIONS), 0) != NOWHERE)
        return http_is(method, "GET") ? REQUEST_OTHER : REQUEST_REGISTRATION;
    return REQUEST_OTHER;
}

static uint64_t session_key(http_text session) {
    return session.n ? ts_key(PROTOCOL_HTTP, ts_hash(session.at, session.n, 1)) : 0;
}

void http_fill_request(http_text method, http_text path, ts_message *out) {
    path = without_query(path);
    http_text session = session_in(path);
    out->protocol = PROTOCOL_HTTP;
    out->request_kind = out->answered_kind = kind_of(method, path, session);
    out->session_key = session_key(session);
    out->session_of_answerer = 1;
    int64_t subscriber = find_any(path, SUBSCRIBERS, COUNT(SUBSCRIBERS), 1);
    http_text target = subscriber == NOWHERE ? path : segment_at(path, (size_t)subscriber);
    out->target_key = target.n ? ts_key(PROTOCOL_HTTP, ts_hash(target.at, target.n, 2)) : 0;
}

void http_fill_session(http_text location, ts_message *out) {
    out->session_key = session_key(session_in(without_query(location)));
    out->session_of_answerer = 1;
}

/* RFC 9110 section 15; TS 29.500 table 5.2.7.1-1 for what they mean here. */
static uint8_t class_of(unsigned status) {
    switch (status) {
        case 401: case 407: return ANSWER_CHALLENGE;
        case 403: return ANSWER_FORBIDDEN;
        case 404: case 410: return ANSWER_NOT_FOUND;
        case 408: case 504: return ANSWER_TIMEOUT;
        case 400: return ANSWER_BAD_REQUEST;
        case 429: case 503: return ANSWER_OVERLOAD; /* TS 29.500 clause 6.4: overload control */
    }
    switch (status / 100) {
        case 1: return ANSWER_PROVISIONAL;
        case 2: return ANSWER_SUCCESS;
        case 3: return ANSWER_REDIRECT;
        case 4: return ANSWER_OTHER_CLIENT_ERROR;
        default: return ANSWER_OTHER_SERVER_ERROR;
    }
}

void http_fill_answer(unsigned status, ts_message *out) {
    out->protocol = PROTOCOL_HTTP;
    out->status = (uint16_t)status;
    out->answer_class = class_of(status);
}

unsigned http_status(http_text digits) {
    unsigned status = 0;
    if (digits.n != 3) return 0;
    for (int i = 0; i < 3; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return 0;
        status = status * 10 + (digits.at[i] - '0');
    }
    return status >= 100 && status < 600 ? status : 0;
}
