/* ITU-T X.690 clause 8.1: identifier, length (definite, or up to an end mark), contents. */
#include "ber.h"

enum { MAX_DEPTH = 8, LONG_TAG = 0x1f, LONG_LENGTH = 0x80, MAX_LENGTH_BYTES = 4 };

static size_t left(const ber_cursor *in) { return (size_t)(in->end - in->at); }

/* Step over what goes on up to its end mark. */
static void skip_to_end(ber_cursor *in, int depth);

static int take_value(ber_cursor *in, ber_value *out, int depth) {
    if (left(in) < 2 || !in->at[0]) return 0;
    out->tag = *in->at++;
    if ((out->tag & LONG_TAG) == LONG_TAG)
        while (in->at < in->end && *in->at++ & LONG_LENGTH) continue;
    if (in->at == in->end) return 0;
    uint64_t length = *in->at++;
    if (length == LONG_LENGTH) {
        out->content = *in;
        skip_to_end(in, depth + 1);
        out->content.end = in->at;
        return 1;
    }
    if (length & LONG_LENGTH) {
        unsigned n = length & 0x7f;
        if (n > MAX_LENGTH_BYTES || n > left(in)) return 0;
        for (length = 0; n; n--) length = length << 8 | *in->at++;
    }
    if (length > left(in)) length = left(in);
    out->content = (ber_cursor){in->at, in->at + length};
    in->at += length;
    return 1;
}

static void skip_to_end(ber_cursor *in, int depth) {
    ber_value value;
    if (depth >= MAX_DEPTH) in->at = in->end;
    while (take_value(in, &value, depth)) continue;
    in->at += left(in) < 2 ? left(in) : 2; /* the end mark */
}

int ber_next(ber_cursor *in, ber_value *out) { return take_value(in, out, 0); }

int ber_find(ber_cursor in, uint8_t tag, ber_value *out) {
    while (ber_next(&in, out))
        if (out->tag == tag) return 1;
    return 0;
}

uint32_t ber_number(ber_cursor content) {
    uint32_t number = 0;
    for (int i = 0; i < 4 && content.at < content.end; i++) number = number << 8 | *content.at++;
    return number;
}
