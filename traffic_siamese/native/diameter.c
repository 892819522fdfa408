/* Diameter (RFC 6733) as protocol-neutral slots: section 3 (header), 4.1 (AVP header), 7.1 (result
 * codes); command codes and experimental results of 3GPP's applications as named below. */
#include "message.h"

enum {
    HEADER_BYTES = 20,
    MAX_MESSAGE_BYTES = 1 << 20, /* the header has room for 16 MB; nobody sends that */
    FLAG_REQUEST = 0x80,
    FLAG_ERROR = 0x20,
    FLAG_REPEATED = 0x10, /* T */
    RESERVED_FLAGS = 0x0f,
    AVP_FLAG_VENDOR = 0x80,
    VENDOR_3GPP = 10415,
};

enum { /* attributes: RFC 6733 section 4.5, RFC 8506 section 8, TS 29.229 section 6.3.2 */
    AVP_USER_NAME = 1,
    AVP_SESSION_ID = 263,
    AVP_RESULT_CODE = 268,
    AVP_EXPERIMENTAL_RESULT = 297,
    AVP_EXPERIMENTAL_RESULT_CODE = 298,
    AVP_CC_REQUEST_TYPE = 416,
    AVP_SUBSCRIPTION_ID = 443,
    AVP_SUBSCRIPTION_ID_DATA = 444,
    AVP_ACCOUNTING_RECORD_TYPE = 480,
    AVP_PUBLIC_IDENTITY = 601,
};

enum { COMMAND_ACCOUNTING = 271, COMMAND_CREDIT_CONTROL = 272 };
enum { COMMAND_MULTIMEDIA_AUTH = 303, COMMAND_AUTHENTICATION_INFO = 318 };

typedef struct {
    uint32_t command;
    uint8_t kind;
} command_kind;

static const command_kind COMMANDS[] = {
    /* RFC 6733 section 3.1 */
    {257, REQUEST_KEEP_ALIVE},    /* Capabilities-Exchange */
    {258, REQUEST_OTHER},         /* Re-Auth */
    {274, REQUEST_SESSION_END},   /* Abort-Session */
    {275, REQUEST_SESSION_END},   /* Session-Termination */
    {280, REQUEST_KEEP_ALIVE},    /* Device-Watchdog */
    {282, REQUEST_OTHER},         /* Disconnect-Peer */
    {265, REQUEST_SESSION_START}, /* AA: RFC 7155; on Rx TS 29.214 section 5.6.1 */
    {268, REQUEST_REGISTRATION},  /* Diameter-EAP: RFC 4072 */
    {283, REQUEST_REGISTRATION},  /* 283 to 288, SIP application: RFC 4740 section 8 */
    {284, REQUEST_REGISTRATION},
    {285, REQUEST_REGISTRATION},
    {286, REQUEST_REGISTRATION},
    {287, REQUEST_REGISTRATION},
    {288, REQUEST_MESSAGE},
    /* Cx: TS 29.229 section 6.1 */
    {300, REQUEST_REGISTRATION}, /* User-Authorization */
    {301, REQUEST_REGISTRATION}, /* Server-Assignment */
    {302, REQUEST_REGISTRATION}, /* Location-Info */
    {303, REQUEST_REGISTRATION}, /* Multimedia-Auth */
    {304, REQUEST_REGISTRATION}, /* Registration-Termination */
    {305, REQUEST_MESSAGE},      /* Push-Profile */
    /* Sh: TS 29.329 section 6.1 */
    {306, REQUEST_MESSAGE}, /* User-Data */
    {307, REQUEST_MESSAGE}, /* Profile-Update */
    {308, REQUEST_MESSAGE}, /* Subscribe-Notifications */
    {309, REQUEST_MESSAGE}, /* Push-Notification */
    /* S6a, S13: TS 29.272 section 7.2.2 */
    {316, REQUEST_REGISTRATION}, /* Update-Location */
    {317, REQUEST_REGISTRATION}, /* Cancel-Location */
    {318, REQUEST_REGISTRATION}, /* Authentication-Information */
    {319, REQUEST_MESSAGE},      /* Insert-Subscriber-Data */
    {320, REQUEST_MESSAGE},      /* Delete-Subscriber-Data */
    {321, REQUEST_REGISTRATION}, /* Purge-UE */
    {322, REQUEST_OTHER},        /* Reset */
    {323, REQUEST_MESSAGE},      /* Notify */
    {324, REQUEST_REGISTRATION}, /* ME-Identity-Check */
    /* SLg, SLh: TS 29.172, 29.173; S6c, SGd: TS 29.338 section 5.3.2 and 6.3.2 */
    {8388620, REQUEST_MESSAGE}, /* Provide-Location */
    {8388621, REQUEST_MESSAGE}, /* Location-Report */
    {8388622, REQUEST_MESSAGE}, /* LCS-Routing-Info */
    {8388645, REQUEST_MESSAGE}, /* MO-Forward-Short-Message */
    {8388646, REQUEST_MESSAGE}, /* MT-Forward-Short-Message */
    {8388647, REQUEST_MESSAGE}, /* Send-Routing-Info-for-SM */
    {8388648, REQUEST_MESSAGE}, /* Alert-Service-Centre */
    {8388649, REQUEST_MESSAGE}, /* Report-SM-Delivery-Status */
};
enum { N_COMMANDS = sizeof COMMANDS / sizeof *COMMANDS };

/* What the attributes of a message told. */
typedef struct {
    uint64_t session_key, user_key, identity_key, subscription_key;
    uint32_t result, experimental_result, request_type, record_type;
} attributes;

typedef struct {
    uint32_t code;
    const uint8_t *data;
    size_t n;
} attribute;

static uint32_t be24(const uint8_t *p) { return ts_be32(p) & 0xffffff; }

/* Applications are small numbers, or vendors' from 2^24 on (RFC 6733 section 11.2). */
static int is_application(uint32_t id) {
    return id <= 12 || (id >= 16777216 && id < 16777216 + 1024) || id == 0xffffffff;
}

/* Does a header start here, as far as it is there? */
static int looks_right(const uint8_t *p, size_t n) {
    if (n >= 1 && p[0] != 1) return 0;
    if (n >= 4) {
        uint32_t length = be24(p);
        if (length < HEADER_BYTES || length % 4 || length > MAX_MESSAGE_BYTES) return 0;
    }
    if (n >= 5 && (p[4] & RESERVED_FLAGS)) return 0;
    if (n >= 5 && (p[4] & FLAG_REQUEST) && (p[4] & FLAG_ERROR)) return 0;
    if (n >= 8 && be24(p + 4) < 257) return 0; /* 0 to 255 are RADIUS's */
    return n < 12 || is_application(ts_be32(p + 8));
}

size_t diameter_frame(const uint8_t *p, size_t n) {
    if (!looks_right(p, n)) return TS_NOT_MINE;
    return n < HEADER_BYTES ? 0 : be24(p);
}

/* The attribute at *at, which moves to the next one.  Returns 0 where none is left. */
static int next_attribute(const uint8_t *p, size_t n, size_t *at, attribute *out) {
    if (n < *at || n - *at < 8) return 0;
    const uint8_t *head = p + *at;
    size_t length = be24(head + 4), header = head[4] & AVP_FLAG_VENDOR ? 12 : 8;
    size_t there = n - *at;
    if (length < header) return 0;
    if (header > there) return 0;
    out->code = ts_be32(head);
    out->data = head + header;
    out->n = (length < there ? length : there) - header;
    *at += (length + 3) & ~(size_t)3;
    return 1;
}

static uint32_t number_of(const attribute *a) { return a->n >= 4 ? ts_be32(a->data) : 0; }

/* The attribute of this code inside a grouped one. */
static int find_inside(const attribute *group, uint32_t code, attribute *out) {
    for (size_t at = 0; next_attribute(group->data, group->n, &at, out);)
        if (out->code == code) return 1;
    return 0;
}

static void take_attribute(const attribute *a, attributes *out) {
    attribute inner;
    switch (a->code) {
        case AVP_SESSION_ID: out->session_key = ts_hash(a->data, a->n, AVP_SESSION_ID); break;
        case AVP_USER_NAME: out->user_key = ts_hash(a->data, a->n, 0); break;
        case AVP_PUBLIC_IDENTITY: out->identity_key = ts_hash(a->data, a->n, 0); break;
        case AVP_RESULT_CODE: out->result = number_of(a); break;
        case AVP_CC_REQUEST_TYPE: out->request_type = number_of(a); break;
        case AVP_ACCOUNTING_RECORD_TYPE: out->record_type = number_of(a); break;
        case AVP_EXPERIMENTAL_RESULT:
            if (find_inside(a, AVP_EXPERIMENTAL_RESULT_CODE, &inner))
                out->experimental_result = number_of(&inner);
            break;
        case AVP_SUBSCRIPTION_ID:
            if (!out->subscription_key && find_inside(a, AVP_SUBSCRIPTION_ID_DATA, &inner))
                out->subscription_key = ts_hash(inner.data, inner.n, 0);
            break;
    }
}

/* Kinds of the record types: RFC 8506 section 8.3 (CC-Request-Type) and, shifted by one, RFC 6733
 * section 9.8.1 (Accounting-Record-Type). */
static uint8_t kind_of_type(uint32_t type) {
    switch (type) {
        case 1: return REQUEST_SESSION_START; /* INITIAL_REQUEST, START_RECORD */
        case 3: return REQUEST_SESSION_END;   /* TERMINATION_REQUEST, STOP_RECORD */
        case 4: return REQUEST_MESSAGE;       /* EVENT_REQUEST, EVENT_RECORD */
        default: return REQUEST_OTHER;        /* UPDATE_REQUEST, INTERIM_RECORD */
    }
}

static uint32_t credit_type_of(uint32_t record_type) {
    static const uint32_t SAME[] = {0, 4, 1, 2, 3};
    return record_type < 5 ? SAME[record_type] : 0;
}

static uint8_t kind_of(uint32_t command, const attributes *of) {
    if (command == COMMAND_CREDIT_CONTROL) return kind_of_type(of->request_type);
    if (command == COMMAND_ACCOUNTING) return kind_of_type(credit_type_of(of->record_type));
    for (int i = 0; i < N_COMMANDS; i++)
        if (COMMANDS[i].command == command) return COMMANDS[i].kind;
    return REQUEST_OTHER;
}

static uint8_t class_of_family(uint32_t code) {
    switch (code / 1000) {
        case 1: return ANSWER_PROVISIONAL;
        case 2: return ANSWER_SUCCESS;
        case 4: return ANSWER_OTHER_CLIENT_ERROR;
        case 5: return ANSWER_OTHER_CLIENT_ERROR;
        default: return ANSWER_OTHER_SERVER_ERROR;
    }
}

/* RFC 6733 section 7.1, RFC 8506 section 9, RFC 4740 section 10. */
static uint8_t class_of_result(uint32_t code) {
    switch (code) {
        case 1001: return ANSWER_CHALLENGE; /* MULTI_ROUND_AUTH */
        case 3001: case 3007:
            return ANSWER_OTHER_CLIENT_ERROR; /* COMMAND_UNSUPPORTED, APPLICATION_UNSUPPORTED */
        case 3002: case 3004: case 4002: case 4014: case 5006:
            return ANSWER_OVERLOAD; /* UNABLE_TO_DELIVER, TOO_BUSY, OUT_OF_SPACE, RESOURCE_FAILURE,
                                       RESOURCES_EXCEEDED */
        case 3003: case 5002: case 5030: case 5032: case 5034: case 5241:
            return ANSWER_NOT_FOUND; /* REALM_NOT_SERVED, UNKNOWN_SESSION_ID, USER_UNKNOWN,
                                        IDENTITY_NOT_REGISTERED, END_USER_NOT_FOUND */
        case 3006: case 3011: return ANSWER_REDIRECT; /* REDIRECT_INDICATION, of a realm */
        case 3010: case 4001: case 4010: case 4012: case 4241: case 5003: case 5033: case 5035:
            return ANSWER_FORBIDDEN; /* UNKNOWN_PEER, AUTHENTICATION_REJECTED,
                END_USER_SERVICE_DENIED, CREDIT_LIMIT_REACHED, AUTHORIZATION_REJECTED,
                IDENTITIES_DONT_MATCH, ROAMING_NOT_ALLOWED */
        case 3008: case 3009: case 5001: case 5004: case 5005: case 5007: case 5008: case 5009:
        case 5013: case 5014: case 5015: case 5016:
            return ANSWER_BAD_REQUEST; /* INVALID_HDR_BITS, AVP_UNSUPPORTED, MISSING_AVP, ... */
        case 5012: case 5031: return ANSWER_OTHER_SERVER_ERROR; /* UNABLE_TO_COMPLY, RATING_FAILED */
        default: return class_of_family(code);
    }
}

/* 3GPP's own numbers: TS 29.229 section 6.2, TS 29.329 6.2, TS 29.272 7.4, TS 29.214 5.5, TS 29.273
 * 10.3, TS 29.172 7.5, TS 29.338 7.3. */
static uint8_t class_of_experimental(uint32_t code) {
    switch (code) {
        case 5001: case 5003: case 5401: case 5065: case 5422: case 5423:
            return ANSWER_NOT_FOUND; /* USER_UNKNOWN, IDENTITY_NOT_REGISTERED, IMPI_UNKNOWN,
                IP-CAN_SESSION_NOT_AVAILABLE, EQUIPMENT_UNKNOWN, UNKNOWN_SERVING_NODE */
        case 5002: case 5004: case 5402: case 5421: case 5452: case 5490: case 5510: case 5511:
            return ANSWER_FORBIDDEN; /* IDENTITIES_DONT_MATCH, ROAMING_NOT_ALLOWED, NOT_AUTHORIZED,
                RAT_NOT_ALLOWED, RAT_TYPE_NOT_ALLOWED, UNAUTHORIZED network, entity, service */
        case 4261: case 5063: case 5066: case 5067: case 5101: case 5420: case 5450: case 5451:
        case 5553: case 5554: case 5557:
            return ANSWER_FORBIDDEN; /* services NOT_AUTHORIZED, OPERATION_NOT_ALLOWED, no
                SUBSCRIPTION, ILLEGAL_USER, ILLEGAL_EQUIPMENT, SERVICE_BARRED */
        case 4201: case 4221: case 4222: case 4223: case 5550: case 5551: case 5653:
            return ANSWER_USER_UNAVAILABLE; /* ABSENT_USER, UNREACHABLE_USER, SUSPENDED_USER,
                DETACHED_USER, USER_BUSY_FOR_MT_SMS, USER_TEMPORARILY_UNREACHABLE */
        case 4121: case 5531: return ANSWER_OVERLOAD; /* OUT_OF_RESOURCES, SC_CONGESTION */
        case 5454: return ANSWER_TIMEOUT;             /* TIMED_OUT_REQUEST */
        case 4181: case 5068:
            return ANSWER_OTHER_SERVER_ERROR; /* AUTHENTICATION_DATA_UNAVAILABLE,
                                                 TEMPORARY_NETWORK_FAILURE */
        default: return class_of_family(code);
    }
}

/* An answer whose result was not captured is taken for a success, unless its header says no. */
static void set_answer(uint8_t flags, const attributes *of, ts_message *out) {
    if (of->result) {
        out->status = (uint16_t)of->result;
        out->answer_class = class_of_result(of->result);
    } else if (of->experimental_result) {
        out->status = (uint16_t)of->experimental_result;
        out->answer_class = class_of_experimental(of->experimental_result);
    } else {
        out->answer_class = flags & FLAG_ERROR ? ANSWER_OTHER_SERVER_ERROR : ANSWER_SUCCESS;
    }
}

/* What a subscriber must answer before the registration goes on: SIP says 401 where it is passed on
 * (TS 33.203 section 6.1.1). */
static int brings_challenge(uint32_t command) {
    return command == COMMAND_AUTHENTICATION_INFO || command == COMMAND_MULTIMEDIA_AUTH;
}

/* A copy sent again by another way differs in its flag T and Hop-by-Hop Identifier only (section
 * 3), so the content begins with the End-to-End Identifier.  To another host it is the first of its
 * transaction, and only its flag tells that it is a copy. */
int diameter_read(const uint8_t *p, size_t n, ts_message *out) {
    attributes found = {0};
    attribute one;
    if (n < HEADER_BYTES || !looks_right(p, n)) return 0;
    uint32_t length = be24(p), command = be24(p + 4);
    size_t end = length < n ? length : n;
    for (size_t at = HEADER_BYTES; next_attribute(p, end, &at, &one);) take_attribute(&one, &found);
    uint8_t kind = kind_of(command, &found);
    out->protocol = PROTOCOL_DIAMETER;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS;
    out->transaction_key = ts_key(PROTOCOL_DIAMETER, (uint64_t)ts_be32(p + 12) << 24 ^ command);
    out->session_key = found.session_key;
    out->content_key = ts_hash(p + 16, end - 16, command);
    if (p[4] & FLAG_REQUEST) {
        out->request_kind = out->answered_kind = kind;
        out->is_repeated = (p[4] & FLAG_REPEATED) != 0;
        out->target_key = found.user_key ? found.user_key
                          : found.identity_key ? found.identity_key : found.subscription_key;
    } else {
        int tells_kind = command != COMMAND_CREDIT_CONTROL || found.request_type;
        out->answered_kind = tells_kind ? kind : NO_REQUEST;
        set_answer(p[4], &found, out);
        if (out->answer_class == ANSWER_SUCCESS && brings_challenge(command))
            out->answer_class = ANSWER_CHALLENGE;
    }
    return 1;
}
