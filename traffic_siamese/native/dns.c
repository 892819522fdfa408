/* DNS as protocol-neutral slots: RFC 1035 sections 4.1.1 (header), 4.1.2 (question), 4.2.2 (length
 * in front, over TCP), RFC 6895 section 2.3 (response codes). */
#include "message.h"

enum { HEADER_BYTES = 12, MAX_QUESTIONS = 8, MAX_LABEL_BYTES = 63, MAX_NAME_BYTES = 255 };
enum { FLAG_RESPONSE = 0x80, OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5, OPCODE_DSO = 6 };

/* Hash of the name that starts here, letters' case aside; 0 where there is none.  *name_bytes is
 * how long it is on the wire. */
static uint64_t name_key(const uint8_t *p, size_t n, size_t *name_bytes) {
    uint8_t name[MAX_NAME_BYTES];
    size_t at = 0;
    while (at < n && p[at]) {
        size_t label = p[at];
        if (label > MAX_LABEL_BYTES || at + label + 1 > MAX_NAME_BYTES || at + label + 1 >= n)
            return 0;
        for (size_t i = 0; i <= label; i++) {
            uint8_t c = p[at + i];
            name[at + i] = i && c >= 'A' && c <= 'Z' ? c | 0x20 : c;
        }
        at += label + 1;
    }
    *name_bytes = at + 1;
    return at < n ? ts_hash(name, at, PROTOCOL_DNS) : 0;
}

static uint8_t class_of(uint8_t rcode) {
    switch (rcode) {
        case 0: return ANSWER_SUCCESS;
        case 1: return ANSWER_BAD_REQUEST;        /* FORMERR */
        case 2: return ANSWER_OTHER_SERVER_ERROR; /* SERVFAIL */
        case 3: return ANSWER_NOT_FOUND;          /* NXDOMAIN */
        case 5: case 9: return ANSWER_FORBIDDEN;  /* REFUSED, NOTAUTH */
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* What is asked may be missing in an answer that refuses; a query has no answers in it. */
static int is_likely(const uint8_t *p, size_t n, uint64_t *key) {
    uint16_t n_questions = ts_be16(p + 4), n_answers = ts_be16(p + 6);
    int is_answer = (p[2] & FLAG_RESPONSE) != 0, opcode = p[2] >> 3 & 15;
    size_t name_bytes = 0;
    if (opcode > OPCODE_DSO || opcode == 3 || n_questions > MAX_QUESTIONS) return 0;
    if (!is_answer && (p[3] & 15)) return 0;
    if (!is_answer && opcode == OPCODE_QUERY && (n_answers || !n_questions)) return 0;
    if (!n_questions) return 1;
    if (n == HEADER_BYTES) return is_answer;
    *key = name_key(p + HEADER_BYTES, n - HEADER_BYTES, &name_bytes);
    return *key != 0;
}

int dns_read(const uint8_t *p, size_t n, ts_message *out) {
    uint64_t name = 0;
    if (n < HEADER_BYTES || !is_likely(p, n, &name)) return 0;
    out->protocol = PROTOCOL_DNS;
    out->transaction_scope = UNIQUE_IN_CONNECTION;
    out->transaction_key = ts_key(PROTOCOL_DNS, ts_be16(p));
    out->content_key = ts_hash(p, n, 0);
    if (p[2] & FLAG_RESPONSE) {
        out->status = p[3] & 15;
        out->answer_class = class_of(p[3] & 15);
        return 1;
    }
    out->request_kind = out->answered_kind = REQUEST_OTHER;
    out->target_key = name;
    return 1;
}

size_t dns_tcp_frame(const uint8_t *p, size_t n) {
    if (n < 2) return 0;
    return ts_be16(p) < HEADER_BYTES ? TS_NOT_MINE : 2 + (size_t)ts_be16(p);
}

int dns_tcp_read(const uint8_t *p, size_t n, ts_message *out) {
    return n > 2 && dns_read(p + 2, n - 2, out);
}
