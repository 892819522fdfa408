/* Causes of GTP's control plane as classes of answers. */
#include "gtp_cause.h"

/* TS 29.060 section 7.7.1: 128 and on accept, 177 and on refuse. */
uint8_t gtp_class_of_cause_1(uint8_t cause) {
    if (cause >= 128 && cause < 177) return ANSWER_SUCCESS;
    switch (cause) {
        case 192: case 194: case 210: case 219: case 220:
            return ANSWER_NOT_FOUND; /* Non-existent, IMSI not known, Context not found, APN, PDP
                                        address or type unknown */
        case 195: case 196: case 197: case 207: case 232:
            return ANSWER_USER_UNAVAILABLE; /* MS detached, not responding, refuses, suspended, saves
                                               power */
        case 177: case 193: case 198: case 201: case 202: case 203: case 214: case 215: case 216:
        case 217: case 218: case 254:
            return ANSWER_BAD_REQUEST; /* 177 and 254: of GTP', TS 32.295 section 6.2.2 */
        case 199: case 211: case 212: case 229:
            return ANSWER_OVERLOAD; /* No resources, all addresses occupied, no memory, congestion */
        case 204: case 213: case 255: return ANSWER_OTHER_SERVER_ERROR;
        case 205: case 206: case 208: case 209: case 222: case 223: case 231:
            return ANSWER_FORBIDDEN; /* Roaming restriction, signature mismatch, authentication
                            failure, no subscription, restriction type, target access restricted */
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* TS 29.274 table 8.4-1: 16 and on accept, 64 and on refuse. */
uint8_t gtp_class_of_cause_2(uint8_t cause) {
    if (cause >= 16 && cause < 64) return ANSWER_SUCCESS;
    switch (cause) {
        case 64: case 78: case 80: case 96:
            return ANSWER_NOT_FOUND; /* Context not found, APN, GRE key, IMSI unknown */
        case 65: case 66: case 67: case 69: case 70: case 74: case 75: case 76: case 77: case 97:
        case 98: case 103: case 105: return ANSWER_BAD_REQUEST;
        case 73: case 84: case 91: case 113: case 120:
            return ANSWER_OVERLOAD; /* No resources, all addresses occupied, no memory, APN's or
                                       node's congestion */
        case 72: case 81: case 94: case 107: case 128:
            return ANSWER_OTHER_SERVER_ERROR; /* System failure, relocation failure, rejected,
                                                 invalid reply from peer, S1-U path failure */
        case 82: case 89: case 92: case 93: case 95: case 104: case 109: case 116: case 117:
        case 119: case 125: case 126: case 129:
            return ANSWER_FORBIDDEN; /* Denied in RAT, service denied, authentication failed, no
                subscription, signature mismatch, restriction type, invalid peer, one connection
                only, target restricted, refused for policy, not authorised, 5GC not allowed */
        case 87: case 88: case 90: case 102: case 123: case 131:
            return ANSWER_USER_UNAVAILABLE; /* UE not responding, refuses, not paged, suspended,
                                               saves power */
        case 100: case 122: return ANSWER_TIMEOUT; /* Remote peer not responding, timed out */
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}
