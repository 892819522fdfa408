/* S1AP, between base stations and the core of LTE: TS 36.413. */
#include "ran.h"

/* Clause 9.3: procedure codes; 8.1: which are answered (class 1). */
static const ran_procedure PROCEDURES[] = {
    {0, REQUEST_OTHER, IS_ANSWERED},                /* handover preparation */
    {1, REQUEST_OTHER, IS_ANSWERED},                /* handover resource allocation */
    {3, REQUEST_OTHER, IS_ANSWERED | BY_RAN_ID},    /* path switch */
    {4, REQUEST_CANCEL, IS_ANSWERED},               /* handover cancel */
    {5, REQUEST_SESSION_START, IS_ANSWERED},        /* E-RAB setup */
    {6, REQUEST_OTHER, IS_ANSWERED},                /* E-RAB modify */
    {7, REQUEST_SESSION_END, IS_ANSWERED},          /* E-RAB release */
    {9, REQUEST_SESSION_START, IS_ANSWERED | ACCEPTS_PHONE}, /* initial context setup */
    {10, REQUEST_MESSAGE, 0},                       /* paging */
    {11, REQUEST_MESSAGE, IS_TO_PHONE},             /* downlink NAS transport */
    {12, REQUEST_OTHER, IS_PHONE_FIRST},            /* initial UE message */
    {13, REQUEST_MESSAGE, 0},                       /* uplink NAS transport */
    {14, REQUEST_OTHER, IS_ANSWERED},               /* reset */
    {15, REQUEST_OTHER, IS_ERROR},                  /* error indication */
    {17, REQUEST_OTHER, IS_ANSWERED},               /* S1 setup */
    {21, REQUEST_OTHER, IS_ANSWERED},               /* UE context modification */
    {23, REQUEST_SESSION_END, IS_ANSWERED},         /* UE context release */
    {29, REQUEST_OTHER, IS_ANSWERED},               /* eNB configuration update */
    {30, REQUEST_OTHER, IS_ANSWERED},               /* MME configuration update */
    {34, REQUEST_OTHER, IS_OVERLOAD},               /* overload start */
    {36, REQUEST_OTHER, IS_ANSWERED},               /* write-replace warning */
    {43, REQUEST_OTHER, IS_ANSWERED},               /* kill */
    {48, REQUEST_OTHER, IS_ANSWERED},               /* UE radio capability match */
    {50, REQUEST_OTHER, IS_ANSWERED},               /* E-RAB modification indication */
    {53, REQUEST_OTHER, IS_ANSWERED},               /* UE context modification indication */
    {55, REQUEST_OTHER, IS_ANSWERED},               /* UE context suspend */
    {56, REQUEST_OTHER, IS_ANSWERED},               /* UE context resume */
    {63, REQUEST_OTHER, IS_ANSWERED},               /* UE radio capability ID mapping */
};

/* Clause 9.2.1.3. */
static uint8_t class_of(unsigned group, unsigned cause) {
    if (group != CAUSE_RADIO) return ran_class_of_common(group, cause);
    switch (cause) {
        case 1: case 8: case 9: return ANSWER_TIMEOUT;            /* a relocation timer expired */
        case 7: case 38: return ANSWER_FORBIDDEN;                 /* target, CSG not allowed */
        case 10: case 11: case 13: case 14: case 15: case 30: return ANSWER_NOT_FOUND;
        case 12: case 25: case 39: case 42: return ANSWER_OVERLOAD; /* no resources; pre-emption */
        case 20: case 21: case 24: return ANSWER_USER_UNAVAILABLE; /* the phone is lost */
        case 31: return ANSWER_BAD_REQUEST;
        case 0: case 6: case 26: return ANSWER_OTHER_SERVER_ERROR;
        default: return ANSWER_OTHER_CLIENT_ERROR;
    }
}

/* Clause 9.3: numbers of the elements, sizes of their types. */
static const ran_protocol S1AP = {
    .protocol = PROTOCOL_S1AP,
    .procedures = PROCEDURES,
    .n_procedures = sizeof PROCEDURES / sizeof *PROCEDURES,
    .core_id = 0, .ran_id = 8, .ids = 99, .cause = 2, .nas = 26, .sessions = NO_ELEMENT,
    .core_id_octets = 4, .ran_id_octets = 3,
    .ids_choice_bits = 2, .cause_choice_bits = 4, /* the first is the extension bit */
    .n_radio_causes = 36,
    .class_of = class_of,
};

int s1ap_read(const uint8_t *p, size_t n, ts_message *out) { return ran_read(&S1AP, p, n, out); }

int s1ap_read_answer(const uint8_t *p, size_t n, ts_message *out) {
    return ran_read_answer(&S1AP, p, n, out);
}
