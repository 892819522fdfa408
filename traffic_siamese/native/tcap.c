/* TCAP dialogues as slots: ITU-T Q.773; operations and errors of MAP (TS 29.002 clause 17) and
 * CAP (TS 29.078).  A dialogue is a transaction: who begins it asks, who ends it answers. */
#include "tcap.h"

#include "ber.h"

/* Q.773 table 8 and on. */
enum {
    UNIDIRECTIONAL = 0x61,
    BEGIN = 0x62,
    END = 0x64,
    CONTINUE = 0x65,
    ABORT = 0x67,
    ORIGIN = 0x48,
    DESTINATION = 0x49,
    PROVIDER_CAUSE = 0x4a,
    COMPONENTS = 0x6c,
    INVOKE = 0xa1,
    RETURN_ERROR = 0xa3,
    REJECT = 0xa4,
    INTEGER = 0x02,
};

static uint8_t kind_in_camel(uint32_t operation) {
    switch (operation) {
        case 0: case 78: return REQUEST_SESSION_START; /* initialDP, initialDPGPRS */
        case 60: return REQUEST_MESSAGE;               /* initialDPSMS */
        case 55: case 70: return REQUEST_KEEP_ALIVE;   /* activityTest */
        default: return REQUEST_OTHER;
    }
}

static uint8_t kind_in_map(uint32_t operation) {
    switch (operation) {
        case 22: return REQUEST_SESSION_START; /* sendRoutingInfo: a call to set up */
        case 2: case 3: case 23: case 53: case 56: case 67: /* updateLocation, cancelLocation, ... */
            return REQUEST_REGISTRATION;
        case 21: case 44: case 45: case 46: case 59: case 60: case 61: /* short messages, USSD */
            return REQUEST_MESSAGE;
        default: return REQUEST_OTHER;
    }
}

/* TS 29.002 clause 17.6.6. */
static uint8_t class_of_map_error(uint32_t error) {
    switch (error) {
        case 1: case 5: case 7: case 44: return ANSWER_NOT_FOUND;
        case 6: case 27: case 31: case 45: case 46: case 58: return ANSWER_USER_UNAVAILABLE;
        case 8: case 9: case 10: case 11: case 12: case 13: case 48: case 49: case 52: case 53:
        case 60: case 61: return ANSWER_FORBIDDEN;
        case 35: case 36: case 71: return ANSWER_BAD_REQUEST;
        case 33: case 51: case 72: return ANSWER_OVERLOAD; /* resourceLimitation, list full, busy */
        case 24: case 25: case 34: case 39: case 40: return ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* TS 29.078 clause 5.3. */
static uint8_t class_of_camel_error(uint32_t error) {
    switch (error) {
        case 6: return ANSWER_NOT_FOUND; /* missingCustomerRecord */
        case 7: case 8: case 14: case 15: case 16: return ANSWER_BAD_REQUEST;
        case 13: return ANSWER_OVERLOAD; /* unavailableResource */
        case 3: case 11: case 12: return ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* Q.773 table 16. */
static uint8_t class_of_abort(uint32_t cause) {
    switch (cause) {
        case 1: return ANSWER_NOT_FOUND; /* unrecognized transaction */
        case 4: return ANSWER_OVERLOAD;  /* resource limitation */
        default: return ANSWER_BAD_REQUEST;
    }
}

/* The second integer of a component: after its number, the operation or the error. */
static int code_of(ber_cursor component, uint32_t *code) {
    ber_value value;
    for (int n = 0; ber_next(&component, &value);) {
        if (value.tag != INTEGER || ++n < 2) continue;
        *code = ber_number(value.content);
        return 1;
    }
    return 0;
}

static uint64_t dialogue_key(uint32_t point, ber_cursor id) {
    return ts_key(PROTOCOL_TCAP, ts_hash(id.at, (size_t)(id.end - id.at), point + 1ULL));
}

static void ask(const ber_cursor *components, const tcap_route *route, ts_message *out) {
    ber_value invoke;
    uint32_t operation;
    uint8_t kind = REQUEST_OTHER;
    if (components && ber_find(*components, INVOKE, &invoke) && code_of(invoke.content, &operation))
        kind = route->is_camel ? kind_in_camel(operation) : kind_in_map(operation);
    out->request_kind = out->answered_kind = kind;
    out->target_key = route->called_key;
}

static void refuse(ber_value component, const tcap_route *route, ts_message *out) {
    uint32_t code = 0;
    out->answer_class = ANSWER_BAD_REQUEST;
    if (component.tag == REJECT) return;
    if (!code_of(component.content, &code)) out->answer_class = ANSWER_OTHER_CLIENT_ERROR;
    else out->answer_class = route->is_camel ? class_of_camel_error(code) : class_of_map_error(code);
    out->status = (uint16_t)code;
}

/* The end of a dialogue: as good as the worst of its components. */
static void answer(const ber_cursor *components, const tcap_route *route, ts_message *out) {
    ber_value component;
    out->answer_class = ANSWER_SUCCESS;
    if (!components) return;
    for (ber_cursor in = *components; ber_next(&in, &component);)
        if (component.tag == RETURN_ERROR || component.tag == REJECT) refuse(component, route, out);
}

static void take_abort(ber_cursor in, ts_message *out) {
    ber_value cause;
    out->answer_class = ANSWER_OTHER_SERVER_ERROR; /* by the user */
    if (!ber_find(in, PROVIDER_CAUSE, &cause)) return;
    out->status = (uint16_t)ber_number(cause.content);
    out->answer_class = class_of_abort(out->status);
}

static void fill(uint8_t tag, ber_cursor in, const tcap_route *route, ts_message *out) {
    ber_value portion;
    const ber_cursor *components = ber_find(in, COMPONENTS, &portion) ? &portion.content : NULL;
    if (tag == BEGIN || tag == UNIDIRECTIONAL) ask(components, route, out);
    else if (tag == END) answer(components, route, out);
    else if (tag == ABORT) take_abort(in, out);
    else out->answer_class = ANSWER_PROVISIONAL;
    out->is_one_way = tag == UNIDIRECTIONAL;
}

static int open_message(const uint8_t *p, size_t n, ber_value *message) {
    ber_cursor in = {p, p + n};
    if (!ber_next(&in, message)) return 0;
    switch (message->tag) {
        case UNIDIRECTIONAL: case BEGIN: case END: case CONTINUE: case ABORT: return 1;
        default: return 0;
    }
}

int tcap_read(const uint8_t *p, size_t n, const tcap_route *route, ts_message *out) {
    ber_value message, id;
    if (!open_message(p, n, &message)) return 0;
    int is_begin = message.tag == BEGIN;
    out->protocol = PROTOCOL_TCAP;
    out->content_key = ts_hash(p, n, PROTOCOL_TCAP);
    if (message.tag == UNIDIRECTIONAL) out->transaction_key = out->content_key;
    else if (!ber_find(message.content, is_begin ? ORIGIN : DESTINATION, &id)) return 0;
    else
        out->transaction_key =
            dialogue_key(is_begin ? route->from_point : route->to_point, id.content);
    fill(message.tag, message.content, route, out);
    return 1;
}

int tcap_returned(const uint8_t *p, size_t n, const tcap_route *route, ts_message *out) {
    ber_value message, id;
    if (!open_message(p, n, &message) || message.tag != BEGIN) return 0;
    if (!ber_find(message.content, ORIGIN, &id)) return 0;
    out->protocol = PROTOCOL_TCAP;
    out->transaction_key = dialogue_key(route->to_point, id.content);
    return 1;
}
