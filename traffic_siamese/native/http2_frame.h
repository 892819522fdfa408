/* Frames of HTTP/2: RFC 9113 sections 4 and 6. */
#ifndef TRAFFIC_SIAMESE_HTTP2_FRAME_H
#define TRAFFIC_SIAMESE_HTTP2_FRAME_H

#include "kernel.h"

enum { FRAME_HEAD_BYTES = 9 };

/* Section 6. */
enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
    N_FRAME_TYPES
};
enum { FLAG_ACK = 1, FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8, FLAG_PRIORITY = 32 };

/* `n` bytes of the payload are at hand, of `length`. */
typedef struct {
    const uint8_t *payload;
    size_t n;
    uint32_t stream, length;
    uint8_t type, flags;
} http2_frame_head;

/* Read the head of a frame of FRAME_HEAD_BYTES bytes or more. */
http2_frame_head http2_frame_at(const uint8_t *p, size_t n);

/* Does the preface of a client start here, as far as these bytes tell: section 3.4? */
int http2_is_preface(const uint8_t *p, size_t n);

/* Cut what stands around a header block.  Returns 0 where there is not enough. */
int http2_strip(http2_frame_head *f);

#endif
