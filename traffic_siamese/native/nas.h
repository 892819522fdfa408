/* The non-access stratum message that S1AP or NGAP carries between a phone and the core. */
#ifndef TRAFFIC_SIAMESE_NAS_H
#define TRAFFIC_SIAMESE_NAS_H

#include "message.h"

/* What a phone's first message asks for: an enum request_kind. */
uint8_t nas_request_kind(const uint8_t *p, size_t n);

/* What a message of the core says to the phone: an enum answer_class; provisional where it is
 * ciphered.  The cause of a refusal goes to *cause. */
uint8_t nas_answer_class(const uint8_t *p, size_t n, uint16_t *cause);

#endif
