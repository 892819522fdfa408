/* Signalling messages as protocol-neutral slots, and what a protocol is to the kernel.
 *
 * A protocol is one .c file that maps its messages to the slots below, and its rows in the tables
 * of messages.c, which tell where it is looked for.  It has:
 *
 *   int xxx_read(const uint8_t *p, size_t n, ts_message *out);
 *       Read the message that starts at p.  n bytes are at hand: the whole message, or what was
 *       captured of it.  `out` comes with every slot empty.  Returns 1 where it is one, else 0;
 *       the caller knows no better than the table's port, so look at the content.
 *
 *   size_t xxx_frame(const uint8_t *p, size_t n);
 *       Length of the message that starts at p (n > 0): needed where messages follow each other in
 *       a TCP stream or a datagram.  0: more bytes are needed to tell; TS_NOT_MINE: none starts.
 *
 * What must be remembered between the messages of one direction of a TCP stream (HPACK's table,
 * say) hangs on the stream: see stream_protocol in batch.h. */
#ifndef TRAFFIC_SIAMESE_MESSAGE_H
#define TRAFFIC_SIAMESE_MESSAGE_H

#include "kernel.h"

/* Slots that every signalling protocol maps its messages to; the order is that of
 * features/slots.py, and a test holds both to it. */
enum request_kind {
    REQUEST_SESSION_START,
    REQUEST_SESSION_END,
    REQUEST_CANCEL,
    REQUEST_REGISTRATION,
    REQUEST_KEEP_ALIVE,
    REQUEST_MESSAGE,
    REQUEST_ACKNOWLEDGEMENT,
    REQUEST_OTHER,
    NO_REQUEST = 255
};

enum { N_REQUEST_KINDS = REQUEST_OTHER + 1 };

enum answer_class {
    ANSWER_PROVISIONAL,
    ANSWER_SUCCESS,
    ANSWER_REDIRECT,
    ANSWER_CHALLENGE,
    ANSWER_FORBIDDEN,
    ANSWER_NOT_FOUND,
    ANSWER_TIMEOUT,
    ANSWER_USER_UNAVAILABLE,
    ANSWER_BAD_REQUEST,
    ANSWER_OTHER_CLIENT_ERROR,
    ANSWER_OVERLOAD,
    ANSWER_OTHER_SERVER_ERROR,
    ANSWER_GLOBAL_FAILURE,
    NO_ANSWER = 255
};

/* In the order of PROTOCOLS in features/slots.py. */
enum protocol {
    PROTOCOL_SIP,
    PROTOCOL_DIAMETER,
    PROTOCOL_GTP,
    PROTOCOL_PFCP,
    PROTOCOL_RADIUS,
    PROTOCOL_DNS,
    PROTOCOL_M3UA,
    PROTOCOL_TCAP,
    PROTOCOL_S1AP,
    PROTOCOL_NGAP,
    PROTOCOL_HTTP
};

/* How far a transaction's key is unique.  Within hosts or a connection, keys are used again: a
 * request that differs from the last one under its key starts another transaction. */
enum key_scope {
    UNIQUE_ANYWHERE,      /* as SIP's branch and Call-ID are */
    UNIQUE_BETWEEN_HOSTS, /* and which of the two asks: sequence numbers */
    UNIQUE_IN_CONNECTION  /* and by their ports */
};

typedef struct {
    uint8_t protocol;
    uint8_t request_kind, answer_class; /* what it asks; or what it answers: one is left empty */
    uint8_t answered_kind; /* an answer's request kind; NO_REQUEST: as its request was, if seen */
    uint8_t is_one_way;    /* a request that is not answered, by its protocol */
    uint8_t is_repeated;   /* a request that says itself that it was sent before, by another way */
    uint8_t transaction_scope;
    uint8_t session_of_answerer; /* the answering host chose the session's key: unique there only */
    uint16_t status;             /* the protocol's own answer code, 0 in a request */
    uint64_t transaction_key;
    uint64_t session_key; /* 0 in an answer: as its request's, of which 32 bits are kept then */
    uint64_t target_key;  /* whom a request is for, 0 where that is not known */
    uint64_t content_key; /* equal in exact copies */
    int64_t body_bytes;   /* that follow what was read and are not to be read, or -1: SIP's */
} ts_message;

/* Keys that transactions share are told apart by what they are keys of. */
static inline uint64_t ts_key(uint8_t protocol, uint64_t number) {
    return ts_mix(number ^ (uint64_t)(protocol + 1) << 56);
}

/* Empty slots, for a reader to fill. */
static inline void ts_message_clear(ts_message *m) {
    memset(m, 0, sizeof *m);
    m->request_kind = m->answer_class = m->answered_kind = NO_REQUEST;
    m->body_bytes = -1;
}

#define TS_NOT_MINE SIZE_MAX

/* The protocols, a .c file each. */
int diameter_read(const uint8_t *p, size_t n, ts_message *out);
size_t diameter_frame(const uint8_t *p, size_t n);
int gtp_read(const uint8_t *p, size_t n, ts_message *out);
size_t gtp_frame(const uint8_t *p, size_t n);
int pfcp_read(const uint8_t *p, size_t n, ts_message *out);
size_t pfcp_frame(const uint8_t *p, size_t n);
int radius_read(const uint8_t *p, size_t n, ts_message *out);
int dns_read(const uint8_t *p, size_t n, ts_message *out);
size_t dns_tcp_frame(const uint8_t *p, size_t n);
int dns_tcp_read(const uint8_t *p, size_t n, ts_message *out);
int m3ua_read(const uint8_t *p, size_t n, ts_message *out);
int s1ap_read(const uint8_t *p, size_t n, ts_message *out);
int s1ap_read_answer(const uint8_t *p, size_t n, ts_message *out);
int ngap_read(const uint8_t *p, size_t n, ts_message *out);
int ngap_read_answer(const uint8_t *p, size_t n, ts_message *out);
size_t http1_frame(const uint8_t *p, size_t n);
int http1_read(const uint8_t *p, size_t n, void **state, ts_message *out);
size_t http2_frame(const uint8_t *p, size_t n);
int http2_read(const uint8_t *p, size_t n, void **state, ts_message *out);
void http2_hole(void **state);
void http2_forget(void *state);

#endif
