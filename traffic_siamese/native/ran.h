/* What S1AP and NGAP say, in slots: each is a table of its procedures and the numbers of its
 * information elements. */
#ifndef TRAFFIC_SIAMESE_RAN_H
#define TRAFFIC_SIAMESE_RAN_H

#include "message.h"

/* What a procedure is, beyond the kind of its request. */
enum ran_trait {
    IS_ANSWERED = 1,     /* class 1 of clause 8.1 */
    IS_PHONE_FIRST = 2,  /* brings a phone's first message */
    IS_TO_PHONE = 4,     /* brings a message for a phone: an answer to its first one */
    ACCEPTS_PHONE = 8,   /* its start is that answer, too, and a good one */
    IS_ERROR = 16,       /* tells an error by its cause */
    IS_OVERLOAD = 32,    /* asks for less */
    BY_RAN_ID = 64,      /* both sides name the phone by the number that the base station gave */
    STARTS_WITH_SESSION = 128, /* starts a session where it brings one */
};

/* Those that are not listed are one-way, and of the other kind. */
typedef struct {
    uint8_t code, kind, traits;
} ran_procedure;

enum { NO_ELEMENT = 0xffff };

typedef struct {
    uint8_t protocol, n_procedures;
    uint8_t core_id_octets, ran_id_octets; /* of the largest number of a phone */
    uint8_t ids_choice_bits, cause_choice_bits;
    uint16_t core_id, ran_id, ids, nas, cause, sessions; /* elements; `ids`: both or the core's */
    const ran_procedure *procedures;
    uint8_t (*class_of)(unsigned group, unsigned cause); /* of a cause */
    uint8_t n_radio_causes; /* those of the first version */
} ran_protocol;

enum ran_cause_group { CAUSE_RADIO, CAUSE_TRANSPORT, CAUSE_NAS, CAUSE_PROTOCOL, CAUSE_MISC };

int ran_read(const ran_protocol *protocol, const uint8_t *p, size_t n, ts_message *out);

/* What the same bytes mean to the phone that they are about: an answer to its first message. */
int ran_read_answer(const ran_protocol *protocol, const uint8_t *p, size_t n, ts_message *out);

/* The class of a cause that is no radio network's: the same in both protocols. */
uint8_t ran_class_of_common(unsigned group, unsigned cause);

#endif
