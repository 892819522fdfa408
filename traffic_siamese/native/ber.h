/* Tags, lengths and values of ASN.1's basic encoding rules: ITU-T X.690, as far as TCAP needs. */
#ifndef TRAFFIC_SIAMESE_BER_H
#define TRAFFIC_SIAMESE_BER_H

#include "kernel.h"

typedef struct {
    const uint8_t *at, *end;
} ber_cursor;

/* Tags of one byte only; `at` to `end` is the content, cut where the bytes end. */
typedef struct {
    uint8_t tag;
    ber_cursor content;
} ber_value;

/* Step over the next value.  Returns 0 at the end, also at an end-of-contents mark. */
int ber_next(ber_cursor *in, ber_value *out);

/* The first value of this tag among those that follow; returns 0 where there is none. */
int ber_find(ber_cursor in, uint8_t tag, ber_value *out);

/* A number of at most four bytes, without sign. */
uint32_t ber_number(ber_cursor content);

#endif
