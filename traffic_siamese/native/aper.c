/* Aligned PER, as far as S1AP and NGAP are read: ITU-T X.691; TS 36.413 and TS 38.413 clause 9.4. */
#include "aper.h"

enum { EXTENSION_AND_CHOICE_BITS = 3, MAX_CRITICALITY = 2, LONG_LENGTH = 0x80, FRAGMENTS = 0xc0 };

uint32_t aper_take(aper_bits *in, unsigned n_bits) {
    uint32_t value = 0;
    for (unsigned i = 0; i < n_bits; i++, in->at++) {
        unsigned bit = in->at < in->n_bits ? in->p[in->at / 8] >> (7 - in->at % 8) & 1 : 0;
        value = value << 1 | bit;
    }
    return value;
}

static void align(aper_bits *in) { in->at = (in->at + 7) / 8 * 8; }

uint64_t aper_integer(aper_bits *in, unsigned max_octets) {
    unsigned length_bits = max_octets > 4 ? 3 : 2, n = aper_take(in, length_bits) + 1;
    uint64_t value = 0;
    align(in);
    for (unsigned i = 0; i < n; i++) value = value << 8 | aper_take(in, 8);
    return value;
}

/* The length before an open type or a string, X.691 section 10.9; -1 where it is in fragments of
 * 16 K, which no element that is read is. */
static int64_t read_length(aper_bits *in) {
    align(in);
    uint32_t first = aper_take(in, 8);
    if (!(first & LONG_LENGTH)) return first;
    if ((first & FRAGMENTS) == FRAGMENTS) return -1;
    return (int64_t)(first & 0x3f) << 8 | aper_take(in, 8);
}

/* A part of these bits that states its length; cut where they end. */
static int take_part(aper_bits *in, aper_bits *out) {
    int64_t length = read_length(in);
    if (length < 0 || aper_is_over(in)) return 0;
    size_t left = (in->n_bits - in->at) / 8, n = (size_t)length < left ? (size_t)length : left;
    *out = (aper_bits){in->p + in->at / 8, n * 8, 0};
    in->at += (size_t)length * 8;
    return 1;
}

const uint8_t *aper_octets(aper_bits *in, size_t *n) {
    aper_bits octets;
    if (!take_part(in, &octets)) return NULL;
    *n = octets.n_bits / 8;
    return octets.p;
}

int aper_open(const uint8_t *p, size_t n, aper_message *out) {
    if (n < 4) return 0;
    aper_bits in = {p, n * 8, 0}, value;
    out->choice = (uint8_t)aper_take(&in, EXTENSION_AND_CHOICE_BITS);
    if (out->choice > APER_UNSUCCESSFUL || p[0] & 0x1f) return 0;
    out->procedure = p[1];
    if (p[2] & 0x3f || p[2] >> 6 > MAX_CRITICALITY) return 0;
    out->n_elements = 0;
    in.at = 24;
    if (!take_part(&in, &value)) return 1;
    aper_take(&value, 1); /* the sequence's extension bit */
    align(&value);
    out->n_elements = aper_take(&value, 16);
    out->elements = value;
    return 1;
}

int aper_next(aper_message *message, aper_element *out) {
    aper_bits *in = &message->elements;
    if (!message->n_elements) return 0;
    message->n_elements--;
    align(in);
    out->id = (uint16_t)aper_take(in, 16);
    aper_take(in, 2); /* criticality */
    return take_part(in, &out->value);
}
