/* Columns of decoded packets. Mirrored field by field in captures/packets.py. */
#ifndef TRAFFIC_SIAMESE_DECODE_H
#define TRAFFIC_SIAMESE_DECODE_H

#include "kernel.h"

enum {
    TS_FRAGMENT = 1,
    TS_LATER_FRAGMENT = 2,
    TS_TRUNCATED = 4,
    TS_MALFORMED = 8,
    TS_REASSEMBLED = 16,
};

/* What a packet was wrapped in, a bit each; the order is that of captures/packets.py. */
enum {
    TS_VLAN = 1,
    TS_MPLS = 2,
    TS_PPPOE = 4,
    TS_PPP = 8,
    TS_GRE = 16,
    TS_IP_IN_IP = 32,
    TS_GTP_U = 64,
    TS_VXLAN = 128,
    TS_GENEVE = 256,
    TS_TEREDO = 512,
};

enum { TS_MAX_LAYERS = 16 }; /* of one header inside another, whatever they are */

typedef struct {
    const int64_t *offset;
    const uint32_t *captured_bytes;
    const uint32_t *wire_bytes;
    const uint16_t *link_type;
    const int64_t *time_ns;
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
    uint32_t *fragment_id;
    uint16_t *encapsulation;
} ts_packet_columns;

/* Where whole datagrams are put together: fragments that wait, and room for those completed, whose
 * offsets count from the same address as the packets'. */
typedef struct ts_fragments ts_fragments;

typedef struct {
    ts_fragments *fragments;
    uint8_t *room;
    uint64_t bytes;
} ts_arena;

/* One packet while it is decoded. `captured` and `wire` are the bytes left at `at`: those in the
 * buffer, and those that were on the wire (never fewer). */
typedef struct {
    const uint8_t *at;
    const uint8_t *frame;
    ts_arena *arena;
    int64_t time_ns;
    uint32_t captured;
    uint32_t wire;
    uint64_t src_key, dst_key;
    uint32_t tcp_seq, tcp_ack;
    uint32_t payload_bytes, payload_wire_bytes;
    const uint8_t *payload;
    uint16_t src_port, dst_port;
    uint32_t fragment_id;
    uint16_t encapsulation;
    uint8_t ip_version, ip_protocol, flags, tcp_flags, icmp_type, icmp_code;
    uint8_t layers;  /* headers inside headers so far */
    uint8_t n_ip;    /* IP headers so far */
    uint8_t is_part; /* what is left is the start of something, the rest in other fragments */
} ts_packet;

/* Step over a header that the caller has checked to be captured. */
static inline void ts_skip(ts_packet *packet, uint32_t bytes) {
    packet->at += bytes;
    packet->captured -= bytes;
    packet->wire -= bytes;
}

static inline void ts_malformed(ts_packet *packet) { packet->flags |= TS_MALFORMED; }

/* Cut what follows the end that a length field states; a length beyond the end is inconsistent,
 * unless the rest is in other fragments. */
static inline void ts_limit(ts_packet *packet, uint32_t bytes) {
    if (bytes > packet->wire) {
        if (!packet->is_part) ts_malformed(packet);
        return;
    }
    packet->wire = bytes;
    if (packet->captured > bytes) packet->captured = bytes;
}

/* One header more around the next: 0 where there are too many of them. */
static inline int ts_enter(ts_packet *packet, uint16_t encapsulation) {
    if (packet->layers >= TS_MAX_LAYERS) {
        ts_malformed(packet);
        return 0;
    }
    packet->layers++;
    packet->encapsulation |= encapsulation;
    return 1;
}

/* Is this header captured? */
static inline int ts_has(ts_packet *packet, uint32_t bytes) {
    if (packet->captured >= bytes) return 1;
    ts_malformed(packet);
    return 0;
}

void ts_decode_link(ts_packet *packet, uint16_t link_type);
void ts_decode_framing(ts_packet *packet, uint16_t link_type);
void ts_decode_ethernet(ts_packet *packet);
void ts_decode_type(ts_packet *packet, uint16_t type);
void ts_decode_mpls(ts_packet *packet);
void ts_decode_ppp(ts_packet *packet);
void ts_decode_ip(ts_packet *packet);
void ts_decode_transport(ts_packet *packet);

/* Does an IP packet begin here, by all that its header tells? */
int ts_looks_like_ip(const ts_packet *packet);

/* Step into what IP protocol or UDP port say is a tunnel. Where no IP packet is found inside, the
 * packet stays what it was. */
void ts_decode_gre(ts_packet *packet);
void ts_decode_udp_tunnel(ts_packet *packet);

/* Take a fragment: the bytes at packet->at lie `offset` bytes into the datagram `key`, and more
 * follow. Returns 1 where it completes the datagram, at which the packet then points. */
int ts_reassemble(ts_packet *packet, uint64_t key, uint32_t offset, int more);

#endif
