/* RADIUS as protocol-neutral slots: RFC 2865 sections 3 and 4, RFC 2866 sections 4 and 5
 * (accounting), RFC 5176 sections 3.5 and 3.6 (disconnect, change of authorisation), RFC 5997
 * (Status-Server).  Answers do not name their session: it is their request's. */
#include "message.h"

enum { HEADER_BYTES = 20, MAX_MESSAGE_BYTES = 4096, AUTHENTICATOR_BYTES = 16 };
enum { KNOWN = 0x80, ANSWERS = 0x40, CODE_ACCOUNTING_REQUEST = 4 };
enum {
    ATTRIBUTE_USER_NAME = 1,
    ATTRIBUTE_ACCT_STATUS_TYPE = 40,
    ATTRIBUTE_ACCT_SESSION_ID = 44,
    ATTRIBUTE_ERROR_CAUSE = 101
};

static const uint8_t CODES[256] = {
    [1] = KNOWN | REQUEST_REGISTRATION,       /* Access-Request */
    [2] = KNOWN | ANSWERS | ANSWER_SUCCESS,   /* Access-Accept */
    [3] = KNOWN | ANSWERS | ANSWER_FORBIDDEN, /* Access-Reject */
    [CODE_ACCOUNTING_REQUEST] = KNOWN | REQUEST_OTHER,
    [5] = KNOWN | ANSWERS | ANSWER_SUCCESS,             /* Accounting-Response */
    [11] = KNOWN | ANSWERS | ANSWER_CHALLENGE,          /* Access-Challenge */
    [12] = KNOWN | REQUEST_KEEP_ALIVE,                  /* Status-Server */
    [40] = KNOWN | REQUEST_SESSION_END,                 /* Disconnect-Request */
    [41] = KNOWN | ANSWERS | ANSWER_SUCCESS,            /* Disconnect-ACK */
    [42] = KNOWN | ANSWERS | ANSWER_OTHER_CLIENT_ERROR, /* Disconnect-NAK */
    [43] = KNOWN | REQUEST_OTHER,                       /* CoA-Request */
    [44] = KNOWN | ANSWERS | ANSWER_SUCCESS,            /* CoA-ACK */
    [45] = KNOWN | ANSWERS | ANSWER_OTHER_CLIENT_ERROR, /* CoA-NAK */
};

typedef struct {
    uint64_t user_key, session_key;
    uint32_t status_type, error_cause;
} attributes;

static void take_attribute(const uint8_t *p, attributes *out) {
    size_t n = p[1] - 2u;
    switch (p[0]) {
        case ATTRIBUTE_USER_NAME: out->user_key = ts_hash(p + 2, n, 0); break;
        case ATTRIBUTE_ACCT_SESSION_ID: out->session_key = ts_hash(p + 2, n, 0); break;
        case ATTRIBUTE_ACCT_STATUS_TYPE: if (n >= 4) out->status_type = ts_be32(p + 2); break;
        case ATTRIBUTE_ERROR_CAUSE: if (n >= 4) out->error_cause = ts_be32(p + 2); break;
    }
}

/* Returns 0 where an attribute's length is impossible; one that was cut short is left out. */
static int take_attributes(const uint8_t *p, size_t length, size_t n, attributes *out) {
    size_t at = HEADER_BYTES;
    while (at + 2 <= length && at + 2 <= n) {
        if (p[at + 1] < 2 || at + p[at + 1] > length) return 0;
        if (at + p[at + 1] > n) return 1;
        take_attribute(p + at, out);
        at += p[at + 1];
    }
    return 1;
}

/* RFC 2866 section 5.1. */
static uint8_t kind_of_accounting(uint32_t status_type) {
    switch (status_type) {
        case 1: return REQUEST_SESSION_START;
        case 2: return REQUEST_SESSION_END;
        default: return REQUEST_OTHER; /* interim update; accounting on, off */
    }
}

/* RFC 5176 section 3.6: of a NAK. */
static uint8_t class_of_error(uint32_t cause, uint8_t otherwise) {
    switch (cause) {
        case 501: case 502: return ANSWER_FORBIDDEN; /* Administratively prohibited, not routable */
        case 503: return ANSWER_NOT_FOUND;           /* Session context not found */
        case 506: return ANSWER_OVERLOAD;            /* Resources unavailable */
        case 402: case 404: case 407: return ANSWER_BAD_REQUEST;
        default: return otherwise;
    }
}

/* The identifier has 8 bits and is the client's, per port (RFC 2865 section 3): it is used again
 * soon. */
int radius_read(const uint8_t *p, size_t n, ts_message *out) {
    attributes found = {0};
    if (n < HEADER_BYTES || !CODES[p[0]]) return 0;
    size_t length = ts_be16(p + 2), end = length < n ? length : n;
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) return 0;
    if (!take_attributes(p, length, n, &found)) return 0;
    uint8_t slot = CODES[p[0]] & 0x3f;
    out->protocol = PROTOCOL_RADIUS;
    out->transaction_scope = UNIQUE_IN_CONNECTION;
    out->transaction_key = ts_key(PROTOCOL_RADIUS, p[1]);
    out->content_key = ts_hash(p, end, 0);
    if (CODES[p[0]] & ANSWERS) {
        out->answer_class = class_of_error(found.error_cause, slot);
        out->status = found.error_cause ? (uint16_t)found.error_cause : p[0];
        return 1;
    }
    out->request_kind = p[0] == CODE_ACCOUNTING_REQUEST ? kind_of_accounting(found.status_type) : slot;
    out->answered_kind = out->request_kind;
    if (found.session_key) out->session_key = (uint32_t)ts_key(PROTOCOL_RADIUS, found.session_key);
    out->target_key = found.user_key;
    return 1;
}
