/* Columns of decoded packets. Mirrored field by field in captures/packets.py. */
#ifndef TRAFFIC_SIAMESE_DECODE_H
#define TRAFFIC_SIAMESE_DECODE_H

#include "kernel.h"

enum { TS_FRAGMENT = 1, TS_LATER_FRAGMENT = 2, TS_TRUNCATED = 4, TS_MALFORMED = 8 };

typedef struct {
    const int64_t *offset;
    const uint32_t *captured_bytes;
    const uint32_t *wire_bytes;
    const uint16_t *link_type;
    uint8_t *ip_version;
    uint8_t *ip_protocol;
    uint8_t *flags;
    uint64_t *src_key;
    uint64_t *dst_key;
    uint16_t *src_port;
    uint16_t *dst_port;
    uint8_t *tcp_flags;
    uint32_t *tcp_seq;
    uint32_t *tcp_ack;
    uint8_t *icmp_type;
    uint8_t *icmp_code;
    int64_t *payload_offset;
    uint32_t *payload_bytes;
    uint32_t *payload_wire_bytes;
} ts_packet_columns;

/* One packet while it is decoded. `captured` and `wire` are the bytes left at `at`: those in the
 * buffer, and those that were on the wire (never fewer). */
typedef struct {
    const uint8_t *at;
    uint32_t captured;
    uint32_t wire;
    uint64_t src_key, dst_key;
    uint32_t tcp_seq, tcp_ack;
    uint32_t payload_bytes, payload_wire_bytes;
    const uint8_t *payload;
    uint16_t src_port, dst_port;
    uint8_t ip_version, ip_protocol, flags, tcp_flags, icmp_type, icmp_code;
} ts_packet;

/* Step over a header that the caller has checked to be captured. */
static inline void ts_skip(ts_packet *packet, uint32_t bytes) {
    packet->at += bytes;
    packet->captured -= bytes;
    packet->wire -= bytes;
}

static inline void ts_malformed(ts_packet *packet) { packet->flags |= TS_MALFORMED; }

/* Cut what follows the end that a length field states; a length beyond the end is inconsistent. */
static inline void ts_limit(ts_packet *packet, uint32_t bytes) {
    if (bytes > packet->wire) {
        ts_malformed(packet);
        return;
    }
    packet->wire = bytes;
    if (packet->captured > bytes) packet->captured = bytes;
}

void ts_decode_link(ts_packet *packet, uint16_t link_type);
void ts_decode_ip(ts_packet *packet);
void ts_decode_transport(ts_packet *packet);

#endif
