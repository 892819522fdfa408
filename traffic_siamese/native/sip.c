/* Reading one SIP message head: RFC 3261 section 7 (start line, headers), 7.3.3 (compact forms),
 * 17.1.3 (what identifies a transaction). */
#include "sip.h"

typedef struct {
    const char *name;
    uint8_t length, kind;
} method;

static const method METHODS[] = {
    {"INVITE", 6, REQUEST_SESSION_START},  {"ACK", 3, REQUEST_ACKNOWLEDGEMENT},
    {"BYE", 3, REQUEST_SESSION_END},       {"CANCEL", 6, REQUEST_CANCEL},
    {"REGISTER", 8, REQUEST_REGISTRATION}, {"OPTIONS", 7, REQUEST_KEEP_ALIVE},
    {"MESSAGE", 7, REQUEST_MESSAGE},       {"NOTIFY", 6, REQUEST_MESSAGE},
    {"SUBSCRIBE", 9, REQUEST_MESSAGE},     {"PUBLISH", 7, REQUEST_MESSAGE},
    {"INFO", 4, REQUEST_MESSAGE},          {"PRACK", 5, REQUEST_ACKNOWLEDGEMENT},
};
enum { N_METHODS = sizeof METHODS / sizeof *METHODS, MAX_METHOD_BYTES = 32 };

enum { TOKEN = 1, ENDS_USER = 2, ENDS_BRANCH = 4, ENDS_VIA_PART = 8, SPACE = 16 };

/* What a byte may be, so that one look tells: a token's (RFC 3261 section 25.1), or the end of the
 * user in a URI, of a branch, of a part of Via; white space, a folded line's too. */
static const uint8_t BYTE[256] = {
    ['!'] = TOKEN, ['%'] = TOKEN, ['\''] = TOKEN, ['*'] = TOKEN, ['+'] = TOKEN, ['-'] = TOKEN,
    ['.'] = TOKEN, ['_'] = TOKEN, ['`'] = TOKEN, ['~'] = TOKEN,
    ['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    [0] = 4, 4, 4, 4, 4, 4, 4, 4, 4, 4 | SPACE, 4 | SPACE, 4, 4, 4 | SPACE, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* what is no character ends a branch */
    [' '] = ENDS_BRANCH | SPACE | ENDS_USER, [';'] = ENDS_USER | ENDS_BRANCH | ENDS_VIA_PART,
    [','] = ENDS_BRANCH | ENDS_VIA_PART, ['@'] = ENDS_USER,
};

static int is_token(uint8_t c) { return BYTE[c] & TOKEN; }

/* How many of the first bytes are none of these. */
static size_t until(const uint8_t *p, size_t n, uint8_t kinds) {
    size_t i = 0;
    while (i < n && !(BYTE[p[i]] & kinds)) i++;
    return i;
}

static uint64_t load64(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static uint64_t load32(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The last eight of n bytes in one word, or all of them where there are fewer. */
static uint64_t load_end(const uint8_t *end, size_t n) {
    const uint8_t *p = end - n;
    if (n >= 8) return load64(end - 8);
    if (n >= 4) return load32(p) | load32(end - 4) << 32;
    return n ? p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)end[-1] << 16 : 0;
}

static uint64_t step(uint64_t lane, uint64_t word) {
    lane = (lane ^ word) * 0x9e3779b97f4a7c15ULL;
    return lane ^ lane >> 29;
}

/* Hash of 64 bytes or more: eight lanes, since one multiplication waits for the one before it. */
static uint64_t hash_lanes(const uint8_t *p, size_t n, uint64_t seed) {
    uint64_t lane[8] = {seed, 2, 3, 4, 5, 6, 7, n};
    for (const uint8_t *last = p + n - 64;; p += 64) {
        if (p > last) p = last; /* the last bytes overlap those before */
        for (int i = 0; i < 8; i++) lane[i] = step(lane[i], load64(p + 8 * i));
        if (p == last) break;
    }
    for (int n_lanes = 4; n_lanes; n_lanes /= 2)
        for (int i = 0; i < n_lanes; i++) lane[i] = step(lane[i], lane[i + n_lanes]);
    return ts_mix(lane[0]);
}

static uint64_t hash_of(const uint8_t *p, size_t n, uint64_t seed) {
    uint64_t hash = seed ^ (uint64_t)n << 32;
    const uint8_t *end = p + n;
    if (n >= 64) return hash_lanes(p, n, seed);
    for (; end - p > 8; p += 8) hash = step(hash, load64(p));
    return ts_mix(step(hash, load_end(end, n)));
}

static uint8_t kind_of(const uint8_t *p, size_t n) {
    for (int i = 0; i < N_METHODS; i++)
        if (METHODS[i].length == n && !memcmp(METHODS[i].name, p, n)) return METHODS[i].kind;
    return REQUEST_OTHER;
}

static uint8_t class_of(unsigned status) {
    switch (status) {
        case 401: case 407: return ANSWER_CHALLENGE;
        case 403: return ANSWER_FORBIDDEN;
        case 404: case 410: case 484: case 604: return ANSWER_NOT_FOUND;
        case 408: case 504: return ANSWER_TIMEOUT;
        case 480: case 486: case 487: case 600: case 603: return ANSWER_USER_UNAVAILABLE;
        case 400: return ANSWER_BAD_REQUEST;
        case 503: return ANSWER_OVERLOAD;
    }
    switch (status / 100) {
        case 1: return ANSWER_PROVISIONAL;
        case 2: return ANSWER_SUCCESS;
        case 3: return ANSWER_REDIRECT;
        case 4: return ANSWER_OTHER_CLIENT_ERROR;
        case 5: return ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_GLOBAL_FAILURE;
    }
}

/* Case-blind comparison with a lower-case word. */
static int same_word(const uint8_t *p, const char *word, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != (uint8_t)word[i] && p[i] != (uint8_t)word[i]) return 0;
    return 1;
}

int sip_starts(const uint8_t *p, size_t n) {
    static const char *SCHEMES[] = {"sip:", "sips:", "tel:", "urn:", "im:", "pres:"};
    size_t i = 0;
    if (n && !(p[0] >= 'A' && p[0] <= 'Z') && !is_token(p[0])) return 0;
    if (n >= 8 && !memcmp(p, "SIP/2.0 ", 8)) return 1;
    if (n < 8 && !memcmp(p, "SIP/2.0 ", n)) return -1;
    while (i < n && i < MAX_METHOD_BYTES && is_token(p[i])) i++;
    if (i == n) return n < MAX_METHOD_BYTES ? -1 : 0;
    if (i == 0 || p[i] != ' ') return 0;
    p += i + 1;
    n -= i + 1;
    for (int s = 0; s < 6; s++) {
        size_t length = strlen(SCHEMES[s]);
        if (n < length) {
            if (same_word(p, SCHEMES[s], n)) return -1;
        } else if (same_word(p, SCHEMES[s], length)) {
            return 1;
        }
    }
    return n && p[0] == '*' ? 1 : 0;
}

size_t sip_head_bytes(const uint8_t *p, size_t n) {
    const uint8_t *at = p, *end = p + n;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '\n') return (size_t)(at + 1 - p);
        if (at + 1 < end && at[0] == '\r' && at[1] == '\n') return (size_t)(at + 2 - p);
    }
    return 0;
}

/* The line that starts at p without its line end; *next is where the next line starts. */
static size_t line_bytes(const uint8_t *p, const uint8_t *end, const uint8_t **next) {
    const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));
    *next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    while (stop > p && stop[-1] == '\r') stop--;
    return (size_t)(stop - p);
}

/* Where the line was cut short nobody can tell; else it is SIP's only if it says so. */
static int names_sip(const uint8_t *p, size_t n, int is_whole) {
    return !is_whole || (n > 8 && !memcmp(p + n - 8, " SIP/2.0", 8));
}

static int read_start_line(const uint8_t *p, size_t n, int is_whole, ts_message *out) {
    if (n >= 11 && !memcmp(p, "SIP/2.0 ", 8)) {
        unsigned status = 0;
        for (int i = 8; i < 11; i++) {
            if (p[i] < '0' || p[i] > '9') return 0;
            status = status * 10 + (p[i] - '0');
        }
        if (status < 100 || status > 699) return 0;
        out->status = (uint16_t)status;
        out->answer_class = class_of(status);
        return 1;
    }
    size_t i = 0;
    while (i < n && is_token(p[i])) i++;
    if (i == 0 || i >= n || !names_sip(p, n, is_whole)) return 0;
    out->request_kind = out->answered_kind = kind_of(p, i);
    const uint8_t *uri = p + i + 1;
    out->target_key = hash_of(uri, until(uri, n - i - 1, ENDS_USER), 0);
    return 1;
}

/* White space inside a header, which may be folded: RFC 3261 section 7.3.1. */
static int is_space(uint8_t c) { return BYTE[c] & SPACE; }

/* Hash of the first Via value's branch parameter, or 0 where there is none. */
static uint64_t branch_key(const uint8_t *p, size_t n) {
    size_t at = until(p, n, ENDS_VIA_PART);
    while (at < n && p[at] == ';') {
        for (at++; at < n && is_space(p[at]);) at++;
        if (at + 7 <= n && same_word(p + at, "branch=", 7)) {
            p += at + 7;
            return hash_of(p, until(p, n - at - 7, ENDS_BRANCH), 1);
        }
        at += until(p + at, n - at, ENDS_VIA_PART);
    }
    return 0;
}

/* Number and method of a CSeq value; the method's kind goes to *kind. */
static uint64_t sequence_key(const uint8_t *p, size_t n, uint8_t *kind) {
    uint64_t number = 0;
    size_t i = 0, stop;
    while (i < n && p[i] >= '0' && p[i] <= '9') number = number * 10 + (p[i++] - '0');
    while (i < n && is_space(p[i])) i++;
    for (stop = i; stop < n && is_token(p[stop]);) stop++;
    *kind = kind_of(p + i, stop - i);
    return hash_of(p + i, stop - i, number);
}

static int64_t number(const uint8_t *p, size_t n) {
    int64_t value = -1;
    for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '9' && value < (1 << 26); i++)
        value = (value < 0 ? 0 : value) * 10 + (p[i] - '0');
    return value;
}

/* First letters of the headers that are read: most lines end here. */
static int may_matter(uint8_t c) {
    c |= 0x20;
    return c == 'v' || c == 'c' || c == 'i' || c == 'l';
}

enum header { HEADER_OTHER, HEADER_VIA, HEADER_CALL_ID, HEADER_CSEQ, HEADER_LENGTH };

static enum header header_of(const uint8_t *name, size_t n) {
    switch (n) {
        case 1:
            switch (name[0] | 0x20) {
                case 'v': return HEADER_VIA;
                case 'i': return HEADER_CALL_ID;
                case 'l': return HEADER_LENGTH;
            }
            return HEADER_OTHER;
        case 3: return same_word(name, "via", 3) ? HEADER_VIA : HEADER_OTHER;
        case 4: return same_word(name, "cseq", 4) ? HEADER_CSEQ : HEADER_OTHER;
        case 7: return same_word(name, "call-id", 7) ? HEADER_CALL_ID : HEADER_OTHER;
        case 14: return same_word(name, "content-length", 14) ? HEADER_LENGTH : HEADER_OTHER;
    }
    return HEADER_OTHER;
}

int sip_read_head(const uint8_t *p, size_t n, int wants_length, ts_message *out) {
    const uint8_t *end = p + n, *line = p, *next;
    uint64_t branch = 0, sequence = 0, call = 0;
    int seen_via = 0, seen_call = 0, seen_sequence = 0;
    ts_message_clear(out);
    out->answered_kind = REQUEST_OTHER;
    size_t start_bytes = line_bytes(line, end, &next);
    if (!read_start_line(p, start_bytes, next > p && next[-1] == '\n', out)) return 0;
    for (line = next; line < end; line = next) {
        if (seen_via && seen_call && seen_sequence && !wants_length) break;
        size_t length = line_bytes(line, end, &next), name = 0, at;
        if (length == 0) break;
        while (next < end && (*next == ' ' || *next == '\t')) {
            const uint8_t *fold = next;
            length = (size_t)(fold - line) + line_bytes(fold, end, &next);
        }
        if (!may_matter(line[0])) continue;
        while (name < length && is_token(line[name])) name++;
        for (at = name; at < length && (line[at] == ' ' || line[at] == '\t');) at++;
        if (at >= length || line[at] != ':') continue;
        for (at++; at < length && is_space(line[at]);) at++;
        while (length > at && is_space(line[length - 1])) length--;
        switch (header_of(line, name)) {
            case HEADER_VIA:
                if (!seen_via) branch = branch_key(line + at, length - at);
                seen_via = 1;
                break;
            case HEADER_CALL_ID:
                call = hash_of(line + at, length - at, 2);
                seen_call = 1;
                break;
            case HEADER_CSEQ:
                sequence = sequence_key(line + at, length - at, &out->answered_kind);
                seen_sequence = 1;
                break;
            case HEADER_LENGTH: out->body_bytes = number(line + at, length - at); break;
            case HEADER_OTHER: break;
        }
    }
    if (out->request_kind != NO_REQUEST) out->answered_kind = out->request_kind;
    out->session_key = call;
    out->transaction_key = ts_mix(call ^ ts_mix(branch ^ ts_mix(sequence)));
    out->content_key = hash_of(p, n, 4);
    return 1;
}
