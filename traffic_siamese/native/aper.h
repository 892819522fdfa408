/* What S1AP and NGAP have in common on the wire: aligned PER (ITU-T X.691), the outer choice, and
 * the list of information elements in it. */
#ifndef TRAFFIC_SIAMESE_APER_H
#define TRAFFIC_SIAMESE_APER_H

#include "kernel.h"

enum aper_choice { APER_INITIATING, APER_SUCCESSFUL, APER_UNSUCCESSFUL };

/* Bits to read; `at` counts them.  Reading beyond the end gives zeros and sets `at` past it. */
typedef struct {
    const uint8_t *p;
    size_t n_bits, at;
} aper_bits;

typedef struct {
    uint8_t choice, procedure;
    aper_bits elements; /* where the first of them begins */
    uint32_t n_elements;
} aper_message;

typedef struct {
    uint16_t id;
    aper_bits value;
} aper_element;

static inline int aper_is_over(const aper_bits *in) { return in->at > in->n_bits; }

/* Read the outer choice and the procedure code.  Returns 0 where it is none.  Where the message is
 * cut the elements end sooner. */
int aper_open(const uint8_t *p, size_t n, aper_message *out);

/* Step to the next element.  Returns 0 where there is none, or it is cut. */
int aper_next(aper_message *message, aper_element *out);

uint32_t aper_take(aper_bits *in, unsigned n_bits);

/* An integer of so many octets at most that states how many it takes: X.691 section 10.5.7.4. */
uint64_t aper_integer(aper_bits *in, unsigned max_octets);

/* The octets of a string: how many there are goes to *n; NULL where they are cut. */
const uint8_t *aper_octets(aper_bits *in, size_t *n);

#endif
