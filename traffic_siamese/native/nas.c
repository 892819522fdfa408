/* EPS mobility management (TS 24.301 clause 9) and 5GS mobility management (TS 24.501 clause 9):
 * message types and causes.  Both number what is read here almost alike. */
#include "nas.h"

enum {
    EMM = 7,           /* TS 24.301 9.2: protocol discriminator, below the security header type */
    FIVE_GMM = 0x7e,   /* TS 24.501 9.2: extended protocol discriminator */
    PLAIN = 0,         /* TS 24.301 9.3.1, TS 24.501 9.3: security header type */
    INTEGRITY = 1,
    INTEGRITY_NEW = 3, /* with a new security context: not ciphered yet */
};

/* TS 24.301 9.8 and TS 24.501 9.7. */
enum {
    REGISTRATION_REQUEST = 0x41, /* attach */
    REGISTRATION_ACCEPT = 0x42,
    REGISTRATION_REJECT = 0x44,
    DEREGISTRATION_REQUEST = 0x45, /* detach */
    DEREGISTRATION_ACCEPT = 0x46,
    EPS_AREA_UPDATE_REQUEST = 0x48,
    EPS_AREA_UPDATE_ACCEPT = 0x49,
    EPS_AREA_UPDATE_REJECT = 0x4b,
    FIVE_GS_SERVICE_REJECT = 0x4d,
    SERVICE_REJECT_OR_ACCEPT = 0x4e, /* EPS: reject; 5GS: accept */
    EPS_SERVICE_ACCEPT = 0x4f,
    EPS_AUTHENTICATION_REQUEST = 0x52,
    EPS_AUTHENTICATION_REJECT = 0x54,
    FIVE_GS_AUTHENTICATION_REQUEST = 0x56,
    FIVE_GS_AUTHENTICATION_REJECT = 0x58,
};

typedef struct {
    const uint8_t *after; /* what follows the message type */
    size_t n;
    int is_5gs, type; /* -1: ciphered, or no such message */
} nas_message;

/* Step over the security header, if any, to the message type. */
static nas_message open_message(const uint8_t *p, size_t n) {
    nas_message out = {.type = -1, .is_5gs = n && p[0] == FIVE_GMM};
    for (int depth = 0; depth < 2; depth++) {
        size_t head = out.is_5gs ? 2 : 1; /* the type stands behind these */
        if (n <= head || (out.is_5gs ? p[0] != FIVE_GMM : (p[0] & 15) != EMM)) return out;
        unsigned security = out.is_5gs ? p[1] & 15 : p[0] >> 4;
        if (security == PLAIN) {
            out.type = p[head];
            out.after = p + head + 1;
            out.n = n - head - 1;
            return out;
        }
        size_t skip = head + 5; /* authentication code, sequence number */
        if ((security != INTEGRITY && security != INTEGRITY_NEW) || n <= skip) return out;
        p += skip;
        n -= skip;
    }
    return out;
}

uint8_t nas_request_kind(const uint8_t *p, size_t n) {
    nas_message message = open_message(p, n);
    switch (message.type) {
        case EPS_AREA_UPDATE_REQUEST: return message.is_5gs ? REQUEST_OTHER : REQUEST_REGISTRATION;
        case REGISTRATION_REQUEST:
        case DEREGISTRATION_REQUEST: return REQUEST_REGISTRATION;
        default: return REQUEST_OTHER; /* a service request, above all */
    }
}

/* TS 24.301 9.9.3.9 and annex A; TS 24.501 9.11.3.2 and annex A. */
static uint8_t class_of_cause(unsigned cause) {
    switch (cause) {
        case 2: case 9: case 10: return ANSWER_NOT_FOUND; /* not known, or not any more */
        case 17: case 19: return ANSWER_OTHER_SERVER_ERROR;
        case 22: return ANSWER_OVERLOAD;
        case 3: case 5: case 6: case 7: case 8: case 11: case 12: case 13: case 14: case 15:
        case 20: case 21: case 23: case 25: case 27: case 31: case 35: case 62: case 72: case 73:
        case 74: case 75: case 76: case 77: case 78: case 79: return ANSWER_FORBIDDEN;
    }
    return cause >= 95 && cause <= 111 ? ANSWER_BAD_REQUEST : ANSWER_OTHER_CLIENT_ERROR;
}

static uint8_t refusal(const nas_message *message, uint16_t *cause) {
    if (!message->n) return ANSWER_OTHER_CLIENT_ERROR;
    *cause = message->after[0];
    return class_of_cause(*cause);
}

static uint8_t class_in_eps(const nas_message *message, uint16_t *cause) {
    switch (message->type) {
        case EPS_AREA_UPDATE_ACCEPT: case EPS_SERVICE_ACCEPT: return ANSWER_SUCCESS;
        case EPS_AREA_UPDATE_REJECT: case SERVICE_REJECT_OR_ACCEPT: return refusal(message, cause);
        case EPS_AUTHENTICATION_REQUEST: return ANSWER_CHALLENGE;
        case EPS_AUTHENTICATION_REJECT: return ANSWER_FORBIDDEN;
        default: return ANSWER_PROVISIONAL;
    }
}

static uint8_t class_in_5gs(const nas_message *message, uint16_t *cause) {
    switch (message->type) {
        case SERVICE_REJECT_OR_ACCEPT: return ANSWER_SUCCESS;
        case FIVE_GS_SERVICE_REJECT: return refusal(message, cause);
        case FIVE_GS_AUTHENTICATION_REQUEST: return ANSWER_CHALLENGE;
        case FIVE_GS_AUTHENTICATION_REJECT: return ANSWER_FORBIDDEN;
        default: return ANSWER_PROVISIONAL;
    }
}

uint8_t nas_answer_class(const uint8_t *p, size_t n, uint16_t *cause) {
    nas_message message = open_message(p, n);
    switch (message.type) {
        case REGISTRATION_ACCEPT: case DEREGISTRATION_ACCEPT: return ANSWER_SUCCESS;
        case REGISTRATION_REJECT: return refusal(&message, cause);
        default:
            return message.is_5gs ? class_in_5gs(&message, cause) : class_in_eps(&message, cause);
    }
}
