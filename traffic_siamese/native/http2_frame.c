/* Telling frames of HTTP/2, and where they end: RFC 9113 sections 3.4, 4 and 6. */
#include "http2_frame.h"

#include "message.h"

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum {
    PREFACE_BYTES = sizeof PREFACE - 1,
    PREFACE_IS_SURE = 3,     /* no other protocol's message begins so */
    MAX_FRAME_BYTES = 16384, /* section 4.2, where nothing else was agreed */
    MAX_DATA_BYTES = 1 << 20,
};

http2_frame_head http2_frame_at(const uint8_t *p, size_t n) {
    return (http2_frame_head){.length = ts_be32(p) >> 8,
                   .type = p[3],
                   .flags = p[4],
                   .stream = ts_be32(p + 5),
                   .payload = p + FRAME_HEAD_BYTES,
                   .n = n - FRAME_HEAD_BYTES};
}

/* The flags of each type, whether it belongs to a stream, and its length where that is fixed. */
static const struct {
    uint8_t flags, is_of_stream, is_of_connection, length;
} SHAPES[N_FRAME_TYPES] = {
    [FRAME_DATA] = {FLAG_END_STREAM | FLAG_PADDED, 1, 0, 0},
    [FRAME_HEADERS] = {FLAG_END_STREAM | FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY, 1, 0, 0},
    [FRAME_PRIORITY] = {0, 1, 0, 5},
    [FRAME_RST_STREAM] = {0, 1, 0, 4},
    [FRAME_SETTINGS] = {FLAG_ACK, 0, 1, 0},
    [FRAME_PUSH_PROMISE] = {FLAG_END_HEADERS | FLAG_PADDED, 1, 0, 0},
    [FRAME_PING] = {FLAG_ACK, 0, 1, 8},
    [FRAME_GOAWAY] = {0, 0, 1, 0},
    [FRAME_WINDOW_UPDATE] = {0, 1, 1, 4},
    [FRAME_CONTINUATION] = {FLAG_END_HEADERS, 1, 0, 0},
};

static int is_well_shaped(const http2_frame_head *f) {
    if (f->type >= N_FRAME_TYPES || f->stream >> 31) return 0;
    if (f->length > (f->type == FRAME_DATA ? MAX_DATA_BYTES : MAX_FRAME_BYTES)) return 0;
    if (f->flags & ~SHAPES[f->type].flags) return 0;
    if (f->stream ? !SHAPES[f->type].is_of_stream : !SHAPES[f->type].is_of_connection) return 0;
    if (SHAPES[f->type].length && f->length != SHAPES[f->type].length) return 0;
    if (f->type == FRAME_SETTINGS) return f->length % 6 == 0 && !(f->flags && f->length);
    return f->type != FRAME_HEADERS || f->length > 0;
}

int http2_is_preface(const uint8_t *p, size_t n) {
    return n >= PREFACE_IS_SURE && !memcmp(p, PREFACE, n < PREFACE_BYTES ? n : PREFACE_BYTES);
}

size_t http2_frame(const uint8_t *p, size_t n) {
    if (http2_is_preface(p, n)) return n < PREFACE_BYTES ? 0 : PREFACE_BYTES;
    if (p[0] > MAX_DATA_BYTES >> 16) return TS_NOT_MINE;
    if (n < FRAME_HEAD_BYTES) return n > 3 && p[3] >= N_FRAME_TYPES ? TS_NOT_MINE : 0;
    http2_frame_head f = http2_frame_at(p, n);
    return is_well_shaped(&f) ? FRAME_HEAD_BYTES + (size_t)f.length : TS_NOT_MINE;
}

/* Section 6.2, 6.6: padding, priority and the promised stream stand around the block. */
int http2_strip(http2_frame_head *f) {
    size_t pad = 0, skip = 0;
    if (f->flags & FLAG_PADDED) {
        if (!f->n) return 0;
        pad = f->payload[0];
        skip = 1;
    }
    if (f->type == FRAME_HEADERS && f->flags & FLAG_PRIORITY) skip += 5;
    if (f->type == FRAME_PUSH_PROMISE) skip += 4;
    if (skip + pad > f->n) return 0;
    f->payload += skip;
    f->n -= skip + pad;
    return 1;
}
