/* S1AP and NGAP messages as slots: TS 36.413 and TS 38.413, clauses 8 (procedures) and 9. */
#include "ran.h"

#include "aper.h"
#include "nas.h"

enum { PHONE_FIRST = 256 }; /* stands for a procedure's code in the keys of phones' own asking */

/* The elements that are read, and which of them were there. */
typedef struct {
    uint64_t core_id, ran_id;
    const uint8_t *nas;
    size_t nas_bytes;
    unsigned cause_group, cause;
    uint8_t has_core_id, has_ran_id, has_cause, has_sessions;
} elements;

static ran_procedure procedure_of(const ran_protocol *protocol, uint8_t code) {
    for (int i = 0; i < protocol->n_procedures; i++)
        if (protocol->procedures[i].code == code) return protocol->procedures[i];
    return (ran_procedure){code, REQUEST_OTHER, 0};
}

/* TS 36.413 9.2.3.18, TS 38.413 9.3.3.2: both numbers of a phone, or the core's alone. */
static void read_ids(const ran_protocol *protocol, aper_bits in, elements *out) {
    unsigned choice = aper_take(&in, protocol->ids_choice_bits);
    if (choice > 1) return;
    if (choice == 0) aper_take(&in, 2); /* the pair's extension, and its optional part */
    out->core_id = aper_integer(&in, protocol->core_id_octets);
    out->has_core_id = !aper_is_over(&in);
}

/* TS 36.413 9.2.1.3, TS 38.413 9.3.1.2. */
static void read_cause(const ran_protocol *protocol, aper_bits in, elements *out) {
    /* By group: causes of the first version, and the bits that they take; the radio's in front. */
    uint8_t n_causes[] = {protocol->n_radio_causes, 2, 4, 7, 6};
    static const uint8_t N_BITS[] = {6, 1, 2, 3, 3};
    unsigned group = aper_take(&in, protocol->cause_choice_bits);
    if (group > CAUSE_MISC) return;
    int is_added = aper_take(&in, 1) != 0; /* later: a small number, X.691 section 10.6 */
    out->cause = aper_take(&in, is_added ? 7 : N_BITS[group]);
    if (is_added) out->cause += n_causes[group];
    out->cause_group = group;
    out->has_cause = !aper_is_over(&in);
}

static void read_element(const ran_protocol *protocol, aper_element *element, elements *out) {
    aper_bits *value = &element->value;
    if (element->id == protocol->core_id) {
        out->core_id = aper_integer(value, protocol->core_id_octets);
        out->has_core_id = !aper_is_over(value);
    } else if (element->id == protocol->ran_id) {
        out->ran_id = aper_integer(value, protocol->ran_id_octets);
        out->has_ran_id = !aper_is_over(value);
    } else if (element->id == protocol->ids) {
        read_ids(protocol, *value, out);
    } else if (element->id == protocol->cause) {
        read_cause(protocol, *value, out);
    } else if (element->id == protocol->nas) {
        out->nas = aper_octets(value, &out->nas_bytes);
    } else if (element->id == protocol->sessions) {
        out->has_sessions = 1;
    }
}

static elements read_elements(const ran_protocol *protocol, aper_message message) {
    elements out = {0};
    aper_element element;
    while (aper_next(&message, &element)) read_element(protocol, &element, &out);
    return out;
}

uint8_t ran_class_of_common(unsigned group, unsigned cause) {
    switch (group) {
        case CAUSE_TRANSPORT: return cause ? ANSWER_OTHER_SERVER_ERROR : ANSWER_OVERLOAD;
        case CAUSE_NAS: return cause == 1 ? ANSWER_FORBIDDEN : ANSWER_OTHER_CLIENT_ERROR;
        case CAUSE_PROTOCOL: return ANSWER_BAD_REQUEST;
        case CAUSE_MISC: return cause < 2 ? ANSWER_OVERLOAD : ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

static void answer(ts_message *out, uint8_t class, unsigned status) {
    out->answer_class = class;
    out->status = (uint16_t)status;
}

static void refuse(const ran_protocol *protocol, const elements *in, ts_message *out) {
    if (in->has_cause)
        answer(out, protocol->class_of(in->cause_group, in->cause), in->cause_group << 8 | in->cause);
    else answer(out, ANSWER_OTHER_SERVER_ERROR, 0);
}

/* A procedure's two messages name the phone alike; procedures without a phone run one at a time. */
static uint64_t key_of(const ran_protocol *protocol, unsigned code, const elements *in,
                       int by_ran_id) {
    uint64_t phone = 0;
    if (in->has_ran_id && (by_ran_id || !in->has_core_id)) phone = in->ran_id << 2 | 1;
    else if (in->has_core_id) phone = in->core_id << 2 | 2;
    return ts_key(protocol->protocol, ts_mix(phone + 1) ^ code);
}

static void fill_keys(const ran_protocol *protocol, const elements *in, ts_message *out) {
    out->protocol = protocol->protocol;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS;
    if (!in->has_core_id) return;
    out->session_key = ts_key(protocol->protocol, in->core_id);
    out->session_of_answerer = 1; /* the base station answers whatever starts or ends one */
}

/* The network's answer to a phone's first message. */
static void answer_phone(const ran_protocol *protocol, const elements *in, ts_message *out) {
    uint16_t cause = 0;
    uint8_t class = in->nas ? nas_answer_class(in->nas, in->nas_bytes, &cause) : ANSWER_PROVISIONAL;
    answer(out, class, cause);
    out->transaction_key = key_of(protocol, PHONE_FIRST, in, 1);
}

static void start(const ran_protocol *protocol, ran_procedure procedure, const elements *in,
                  ts_message *out) {
    uint8_t kind = procedure.kind;
    if (procedure.traits & IS_PHONE_FIRST) {
        kind = in->nas ? nas_request_kind(in->nas, in->nas_bytes) : REQUEST_OTHER;
        out->transaction_key = key_of(protocol, PHONE_FIRST, in, 1);
    } else if (!(procedure.traits & IS_ANSWERED)) {
        out->is_one_way = 1;
    }
    if (procedure.traits & STARTS_WITH_SESSION && in->has_sessions) kind = REQUEST_SESSION_START;
    out->request_kind = out->answered_kind = kind;
    out->target_key = in->has_core_id ? out->session_key : out->transaction_key;
}

int ran_read(const ran_protocol *protocol, const uint8_t *p, size_t n, ts_message *out) {
    aper_message message;
    if (!aper_open(p, n, &message)) return 0;
    ran_procedure procedure = procedure_of(protocol, message.procedure);
    elements in = read_elements(protocol, message);
    int by_ran_id = (procedure.traits & BY_RAN_ID) != 0;
    fill_keys(protocol, &in, out);
    out->transaction_key = key_of(protocol, message.procedure, &in, by_ran_id);
    out->content_key = ts_hash(p, n, protocol->protocol);
    if (message.choice == APER_SUCCESSFUL) answer(out, ANSWER_SUCCESS, 0);
    else if (message.choice == APER_UNSUCCESSFUL) refuse(protocol, &in, out);
    else if (procedure.traits & IS_ERROR) refuse(protocol, &in, out);
    else if (procedure.traits & IS_OVERLOAD) answer(out, ANSWER_OVERLOAD, 0);
    else if (procedure.traits & IS_TO_PHONE) answer_phone(protocol, &in, out);
    else start(protocol, procedure, &in, out);
    return 1;
}

int ran_read_answer(const ran_protocol *protocol, const uint8_t *p, size_t n, ts_message *out) {
    aper_message message;
    if (!aper_open(p, n, &message) || message.choice != APER_INITIATING) return 0;
    if (!(procedure_of(protocol, message.procedure).traits & ACCEPTS_PHONE)) return 0;
    elements in = read_elements(protocol, message);
    fill_keys(protocol, &in, out);
    out->content_key = ts_hash(p, n, protocol->protocol);
    out->transaction_key = key_of(protocol, PHONE_FIRST, &in, 1);
    answer(out, ANSWER_SUCCESS, 0);
    return 1;
}
