/* SIP messages (RFC 3261) as protocol-neutral slots. */
#ifndef TRAFFIC_SIAMESE_SIP_H
#define TRAFFIC_SIAMESE_SIP_H

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

typedef struct {
    uint8_t request_kind, answer_class; /* what it asks; or what it answers */
    uint8_t answered_kind;              /* an answer's request kind (from CSeq); a request's own */
    uint16_t status;                    /* 0 in a request */
    uint64_t transaction_key, session_key, target_key, content_key;
    int64_t body_bytes; /* Content-Length, or -1 where there is none */
} sip_message;

/* Does a SIP start line begin here?  1 yes, 0 no, -1 more bytes are needed to tell. */
int sip_starts(const uint8_t *p, size_t n);

/* Length of the head including its blank line, or 0 where it does not end within n bytes. */
size_t sip_head_bytes(const uint8_t *p, size_t n);

/* Read a head of n bytes, which may be cut short, or go on to its body.  Returns 0 where it is no
 * SIP message.  Where the body's length is not wanted the reading ends sooner. */
int sip_read_head(const uint8_t *p, size_t n, int wants_length, sip_message *out);

#endif
