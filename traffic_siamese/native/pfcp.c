/* PFCP, between the control and the user plane, as protocol-neutral slots: 3GPP TS 29.244 sections
 * 7.2.2 (header), 7.3 (message types), 8.2.1 (cause).  A session is named by the identifier that
 * the user plane chose: it comes in the answer that makes the session (F-SEID, section 8.2.37), and
 * heads the request that ends it. */
#include "message.h"

enum { VERSION = 1, FLAG_SESSION = 1, FLAG_FOLLOWED = 4, IE_CAUSE = 19, IE_F_SEID = 57 };
enum { KNOWN = 0x80, ANSWERS = 0x40, KIND = 0x1f, VERSION_NOT_SUPPORTED = 11 };

#define PAIR(type, kind) [type] = KNOWN | (kind), [(type) + 1] = KNOWN | ANSWERS | (kind)

/* Table 7.3-1. */
static const uint8_t TYPES[256] = {
    PAIR(1, REQUEST_KEEP_ALIVE), /* Heartbeat */
    PAIR(3, REQUEST_OTHER),      /* PFD Management */
    PAIR(5, REQUEST_KEEP_ALIVE), /* Association Setup */
    PAIR(7, REQUEST_OTHER),      /* Association Update */
    PAIR(9, REQUEST_OTHER),      /* Association Release */
    [VERSION_NOT_SUPPORTED] = KNOWN | ANSWERS | REQUEST_OTHER,
    PAIR(12, REQUEST_MESSAGE),       /* Node Report */
    PAIR(14, REQUEST_SESSION_END),   /* Session Set Deletion */
    PAIR(16, REQUEST_OTHER),         /* Session Set Modification */
    PAIR(50, REQUEST_SESSION_START), /* Session Establishment */
    PAIR(52, REQUEST_OTHER),         /* Session Modification */
    PAIR(54, REQUEST_SESSION_END),   /* Session Deletion */
    PAIR(56, REQUEST_MESSAGE),       /* Session Report */
};

static size_t header_bytes(const uint8_t *p) { return p[0] & FLAG_SESSION ? 16 : 8; }

static int starts(const uint8_t *p, size_t n) {
    return n >= 8 && p[0] >> 5 == VERSION && n >= header_bytes(p) && TYPES[p[1]] &&
           4u + ts_be16(p + 2) >= header_bytes(p);
}

/* A message that another one follows in the same datagram says so (section 7.2.2.1). */
size_t pfcp_frame(const uint8_t *p, size_t n) {
    if (!starts(p, n)) return TS_NOT_MINE;
    return p[0] & FLAG_FOLLOWED ? 4 + (size_t)ts_be16(p + 2) : n;
}

static uint64_t be64(const uint8_t *p) { return (uint64_t)ts_be32(p) << 32 | ts_be32(p + 4); }

/* The cause and the sender's own session identifier; 0 where there is none. */
static void find_elements(const uint8_t *p, const uint8_t *end, uint8_t *cause, uint64_t *seid) {
    while (end - p >= 4) {
        size_t bytes = ts_be16(p + 2);
        uint16_t type = ts_be16(p);
        if (bytes > (size_t)(end - p) - 4) return;
        if (type == IE_CAUSE && bytes >= 1 && !*cause) *cause = p[4];
        if (type == IE_F_SEID && bytes >= 9 && !*seid) *seid = be64(p + 5);
        p += 4 + bytes;
    }
}

static uint8_t class_of_cause(uint8_t cause) {
    if (cause < 64) return ANSWER_SUCCESS;
    switch (cause) {
        case 65: return ANSWER_NOT_FOUND; /* Session context not found */
        case 66: case 67: case 68: case 69: case 70: case 71: return ANSWER_BAD_REQUEST;
        case 72: return ANSWER_FORBIDDEN; /* No established PFCP Association */
        case 74: case 75: case 79:
            return ANSWER_OVERLOAD; /* Congestion, no resources, all addresses occupied */
        case 64: case 73: case 77:
            return ANSWER_OTHER_SERVER_ERROR; /* Rejected, rule failure, system failure */
        case 78: return ANSWER_REDIRECT; /* Redirection requested */
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* An answer without a cause (Heartbeat Response), or cut before it, is a success. */
static void set_answer(const uint8_t *p, const uint8_t *end, ts_message *out) {
    uint8_t cause = 0;
    uint64_t seid = 0;
    find_elements(p + header_bytes(p), end, &cause, &seid);
    out->status = cause;
    out->answer_class = p[1] == VERSION_NOT_SUPPORTED ? ANSWER_BAD_REQUEST : class_of_cause(cause);
    if (seid) out->session_key = ts_key(PROTOCOL_PFCP, seid);
}

int pfcp_read(const uint8_t *p, size_t n, ts_message *out) {
    if (!starts(p, n)) return 0;
    size_t length = 4 + (size_t)ts_be16(p + 2), end = length < n ? length : n;
    uint64_t seid = p[0] & FLAG_SESSION ? be64(p + 4) : 0;
    out->protocol = PROTOCOL_PFCP;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS;
    out->transaction_key = ts_key(PROTOCOL_PFCP, ts_be32(p + header_bytes(p) - 4) >> 8);
    out->session_of_answerer = 1;
    out->content_key = ts_hash(p, end, 0);
    out->answered_kind = TYPES[p[1]] & KIND;
    if (TYPES[p[1]] & ANSWERS) {
        set_answer(p, p + end, out);
        return 1;
    }
    out->request_kind = out->answered_kind;
    if (seid) out->session_key = ts_key(PROTOCOL_PFCP, seid);
    out->target_key = seid;
    return 1;
}
