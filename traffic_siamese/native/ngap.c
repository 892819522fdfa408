/* NGAP, between base stations and the core of 5G: TS 38.413. */
#include "ran.h"

/* Clause 9.4.7: procedure codes; 8.1: which are answered (class 1). */
static const ran_procedure PROCEDURES[] = {
    {0, REQUEST_OTHER, IS_ANSWERED},                /* AMF configuration update */
    {4, REQUEST_MESSAGE, IS_TO_PHONE},              /* downlink NAS transport */
    {9, REQUEST_OTHER, IS_ERROR},                   /* error indication */
    {10, REQUEST_CANCEL, IS_ANSWERED},              /* handover cancel */
    {12, REQUEST_OTHER, IS_ANSWERED},               /* handover preparation */
    {13, REQUEST_OTHER, IS_ANSWERED},               /* handover resource allocation */
    {14, REQUEST_OTHER, IS_ANSWERED | ACCEPTS_PHONE | STARTS_WITH_SESSION}, /* initial context */
    {15, REQUEST_OTHER, IS_PHONE_FIRST},            /* initial UE message */
    {20, REQUEST_OTHER, IS_ANSWERED},               /* NG reset */
    {21, REQUEST_OTHER, IS_ANSWERED},               /* NG setup */
    {22, REQUEST_OTHER, IS_OVERLOAD},               /* overload start */
    {24, REQUEST_MESSAGE, 0},                       /* paging */
    {25, REQUEST_OTHER, IS_ANSWERED | BY_RAN_ID},   /* path switch */
    {26, REQUEST_OTHER, IS_ANSWERED},               /* PDU session resource modify */
    {27, REQUEST_OTHER, IS_ANSWERED},               /* PDU session resource modify indication */
    {28, REQUEST_SESSION_END, IS_ANSWERED},         /* PDU session resource release */
    {29, REQUEST_SESSION_START, IS_ANSWERED},       /* PDU session resource setup */
    {32, REQUEST_OTHER, IS_ANSWERED},               /* PWS cancel */
    {35, REQUEST_OTHER, IS_ANSWERED},               /* RAN configuration update */
    {40, REQUEST_OTHER, IS_ANSWERED},               /* UE context modification */
    {41, REQUEST_SESSION_END, IS_ANSWERED},         /* UE context release */
    {43, REQUEST_OTHER, IS_ANSWERED},               /* UE radio capability check */
    {46, REQUEST_MESSAGE, 0},                       /* uplink NAS transport */
    {51, REQUEST_OTHER, IS_ANSWERED},               /* write-replace warning */
    {58, REQUEST_OTHER, IS_ANSWERED},               /* UE context resume */
    {59, REQUEST_OTHER, IS_ANSWERED},               /* UE context suspend */
    {60, REQUEST_OTHER, IS_ANSWERED},               /* UE radio capability ID mapping */
    {66, REQUEST_OTHER, IS_ANSWERED},               /* broadcast session modification */
    {67, REQUEST_OTHER, IS_ANSWERED},               /* broadcast session release */
    {68, REQUEST_OTHER, IS_ANSWERED},               /* broadcast session setup */
    {69, REQUEST_OTHER, IS_ANSWERED},               /* distribution setup */
    {70, REQUEST_OTHER, IS_ANSWERED},               /* distribution release */
    {71, REQUEST_OTHER, IS_ANSWERED},               /* multicast session activation */
    {72, REQUEST_OTHER, IS_ANSWERED},               /* multicast session deactivation */
    {73, REQUEST_OTHER, IS_ANSWERED},               /* multicast session update */
};

/* Clause 9.3.1.2. */
static uint8_t class_of(unsigned group, unsigned cause) {
    if (group != CAUSE_RADIO) return ran_class_of_common(group, cause);
    switch (cause) {
        case 1: case 9: case 10: return ANSWER_TIMEOUT;          /* a relocation timer expired */
        case 8: case 39: case 49: case 50: return ANSWER_FORBIDDEN; /* target, slice, network */
        case 11: case 12: case 14: case 15: case 26: case 27: return ANSWER_NOT_FOUND;
        case 13: case 22: case 42: case 46: return ANSWER_OVERLOAD; /* no resources; pre-emption */
        case 20: case 21: case 40: return ANSWER_USER_UNAVAILABLE; /* the phone is lost */
        case 28: case 29: case 47: return ANSWER_BAD_REQUEST;
        case 0: case 7: case 24: return ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* Clause 9.4: numbers of the elements, sizes of their types. */
static const ran_protocol NGAP = {
    .protocol = PROTOCOL_NGAP,
    .procedures = PROCEDURES,
    .n_procedures = sizeof PROCEDURES / sizeof *PROCEDURES,
    .core_id = 10, .ran_id = 85, .ids = 114, .cause = 15, .nas = 38, .sessions = 71,
    .core_id_octets = 5, .ran_id_octets = 4,
    .ids_choice_bits = 2, .cause_choice_bits = 3,
    .n_radio_causes = 45,
    .class_of = class_of,
};

int ngap_read(const uint8_t *p, size_t n, ts_message *out) { return ran_read(&NGAP, p, n, out); }

int ngap_read_answer(const uint8_t *p, size_t n, ts_message *out) {
    return ran_read_answer(&NGAP, p, n, out);
}
