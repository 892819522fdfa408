/* HTTP/1.1 (RFC 9112), which some service-based interfaces speak: a connection carries one request
 * at a time. */
#include "http.h"
#include "sip.h" /* heads end alike */

enum { STATUS_AT = 9, MAX_BODY_BYTES = 1 << 30 };

static const char *const METHODS[] = {"GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD "};
enum { N_METHODS = sizeof METHODS / sizeof *METHODS };

static int begins(const uint8_t *p, size_t n, const char *word) {
    size_t length = strlen(word);
    return !memcmp(p, word, n < length ? n : length);
}

/* The first line without its end; 0 where it does not end here. */
static size_t line_bytes(const uint8_t *p, size_t n) {
    const uint8_t *end = memchr(p, '\n', n);
    if (!end) return 0;
    return (size_t)(end - p) - (end > p && end[-1] == '\r');
}

/* 1 yes, 0 no, -1 more bytes are needed to tell. */
static int starts(const uint8_t *p, size_t n) {
    if (begins(p, n, "HTTP/1.")) return n > STATUS_AT ? p[STATUS_AT - 1] == ' ' : -1;
    for (int i = 0; i < N_METHODS; i++) {
        if (!begins(p, n, METHODS[i])) continue;
        size_t line = line_bytes(p, n);
        if (!line) return -1;
        return line > STATUS_AT && !memcmp(p + line - 9, " HTTP/1.", 8);
    }
    return 0;
}

static int same_name(const uint8_t *p, const char *name, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != (uint8_t)name[i] && p[i] != (uint8_t)name[i]) return 0;
    return 1;
}

/* The value of a header in a head of n bytes, which begins with the start line. */
static http_text header(const uint8_t *p, size_t n, const char *name) {
    size_t length = strlen(name);
    const uint8_t *end = p + n, *at = p;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if ((size_t)(end - at) <= length) break;
        if (!same_name(at, name, length) || at[length] != ':') continue;
        at += length + 1;
        while (at < end && (*at == ' ' || *at == '\t')) at++;
        http_text value = {at, 0};
        while (at + value.n < end && at[value.n] != '\r' && at[value.n] != '\n') value.n++;
        return value;
    }
    return (http_text){NULL, 0};
}

/* A body in chunks has no length that is known here: it is passed over, not read. */
size_t http1_frame(const uint8_t *p, size_t n) {
    int is_start = starts(p, n);
    if (!is_start) return TS_NOT_MINE;
    size_t head = is_start == 1 ? sip_head_bytes(p, n) : 0, body = 0;
    if (!head) return 0;
    http_text length = header(p, head, "content-length");
    for (size_t i = 0; i < length.n && length.at[i] >= '0' && length.at[i] <= '9'; i++)
        if (body < MAX_BODY_BYTES) body = body * 10 + (length.at[i] - '0');
    return head + body;
}

static int read_request(const uint8_t *p, size_t n, ts_message *out) {
    const uint8_t *space = memchr(p, ' ', n);
    if (!space) return 0;
    http_text method = {p, (size_t)(space - p)}, path = {space + 1, 0};
    while (path.at + path.n < p + n && path.at[path.n] > ' ') path.n++;
    http_fill_request(method, path, out);
    return 1;
}

static int read_answer(const uint8_t *p, size_t n, ts_message *out) {
    if (n < STATUS_AT + 3) return 0;
    unsigned status = http_status((http_text){p + STATUS_AT, 3});
    if (!status) return 0;
    http_fill_answer(status, out);
    http_text location = header(p, n, "location");
    if (location.n) http_fill_session(location, out);
    return 1;
}

/* The state counts the messages of this side: TCP brings each once, none is another's copy. */
int http1_read(const uint8_t *p, size_t n, void **state, ts_message *out) {
    uintptr_t count = (uintptr_t)*state + 1;
    *state = (void *)count; /* a number, never followed */
    size_t head = sip_head_bytes(p, n);
    if (!starts(p, n)) return 0;
    if (!(p[0] == 'H' && p[1] == 'T' ? read_answer : read_request)(p, head ? head : n, out)) return 0;
    out->transaction_scope = UNIQUE_IN_CONNECTION;
    out->transaction_key = ts_key(PROTOCOL_HTTP, UINT64_MAX); /* no stream of HTTP/2 */
    out->content_key = ts_mix(count);
    return 1;
}
