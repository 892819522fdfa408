/* IPv4 with options, IPv6 with extension headers, fragments, IP in IP. References: RFC 791, RFC 8200,
 * RFC 2003, RFC 4213. */
#include "decode.h"

enum {
    HEADER_HOP_BY_HOP = 0,
    HEADER_IPV4 = 4,
    HEADER_IPV6 = 41,
    HEADER_ROUTING = 43,
    HEADER_FRAGMENT = 44,
    HEADER_GRE = 47,
    HEADER_AUTHENTICATION = 51,
    HEADER_DESTINATION = 60,
    HEADER_ETHERNET = 97,
    HEADER_MOBILITY = 135,
    HEADER_MPLS = 137,
    HEADER_HIP = 139,
    HEADER_SHIM6 = 140,
};

static void decode_ip_in_ip(ts_packet *packet) {
    if (packet->captured && ts_enter(packet, TS_IP_IN_IP)) ts_decode_ip(packet);
}

/* EtherIP, RFC 3378: version 3 and zeros, then a frame. */
static void decode_ethernet_in_ip(ts_packet *packet) {
    if (packet->captured < 2 || packet->at[0] != 0x30 || !ts_enter(packet, TS_IP_IN_IP)) return;
    ts_skip(packet, 2);
    ts_decode_ethernet(packet);
}

static void decode_upper(ts_packet *packet) {
    switch (packet->ip_protocol) {
    case HEADER_IPV4:
    case HEADER_IPV6: decode_ip_in_ip(packet); break;
    case HEADER_GRE: ts_decode_gre(packet); break;
    case HEADER_ETHERNET: decode_ethernet_in_ip(packet); break;
    case HEADER_MPLS: ts_decode_mpls(packet); break;
    default: ts_decode_transport(packet); break;
    }
}

static void mark_fragment(ts_packet *packet, uint32_t offset) {
    packet->flags |= offset ? TS_FRAGMENT | TS_LATER_FRAGMENT : TS_FRAGMENT;
}

/* One part of a datagram. Returns 1 where its upper header can be read: it starts the datagram,
 * or completes it. Fragments of what is itself incomplete are not put together. */
static int take_fragment(ts_packet *packet, uint32_t id, uint32_t offset, int more) {
    uint64_t kind = ((uint64_t)id << 16) | ((uint64_t)packet->ip_version << 8);
    if (packet->ip_version == 4) kind |= packet->ip_protocol;
    uint64_t key = ts_mix(packet->src_key ^ ts_mix(packet->dst_key ^ ts_mix(kind + 1)));
    packet->fragment_id = (uint32_t)(key >> 32) ^ (packet->fragment_id * 31);
    if (!packet->is_part && ts_reassemble(packet, key, offset, more)) {
        packet->flags |= TS_REASSEMBLED;
        return 1;
    }
    packet->is_part = 1;
    return !offset;
}

static uint32_t extension_bytes(const ts_packet *packet, uint8_t header) {
    switch (header) {
    case HEADER_FRAGMENT: return 8;
    case HEADER_AUTHENTICATION: return (packet->at[1] + 2u) * 4;
    default: return (packet->at[1] + 1u) * 8;
    }
}

static int is_extension(uint8_t header) {
    return header == HEADER_HOP_BY_HOP || header == HEADER_ROUTING || header == HEADER_FRAGMENT ||
           header == HEADER_AUTHENTICATION || header == HEADER_DESTINATION ||
           header == HEADER_MOBILITY || header == HEADER_HIP || header == HEADER_SHIM6;
}

/* Step over one extension header. Returns 0 when it does not fit, or nothing to read follows. */
static int skip_extension(ts_packet *packet) {
    uint8_t header = packet->ip_protocol;
    uint32_t bytes = packet->captured < 8 ? UINT32_MAX : extension_bytes(packet, header);
    if (!ts_has(packet, bytes)) return 0;
    const uint8_t *p = packet->at;
    packet->ip_protocol = p[0];
    ts_skip(packet, bytes);
    if (header != HEADER_FRAGMENT) return 1;
    uint16_t word = ts_be16(p + 2);
    if (!(word & ~6)) return 1; /* an atomic fragment is whole: RFC 6946 */
    mark_fragment(packet, word & ~7u);
    return take_fragment(packet, ts_be32(p + 4), word & ~7u, word & 1);
}

/* From here on the packet is what this header says: of the outer ones nothing stays. */
static void start_ip(ts_packet *packet, uint8_t version, uint8_t protocol) {
    packet->n_ip++;
    packet->ip_version = version;
    packet->ip_protocol = protocol;
    packet->src_port = packet->dst_port = 0;
    packet->payload = packet->frame;
    packet->payload_bytes = packet->payload_wire_bytes = 0;
}

static void decode_ipv4(ts_packet *packet) {
    const uint8_t *p = packet->at;
    uint32_t header = packet->captured ? (p[0] & 15u) * 4 : 0;
    if (packet->captured < 20 || header < 20) {
        ts_malformed(packet);
        return;
    }
    uint32_t total = ts_be16(p + 2);
    uint32_t word = ts_be16(p + 6), offset = (word & 0x1fff) * 8, more = word >> 13 & 1;
    start_ip(packet, 4, p[9]);
    packet->src_key = ts_hash(p + 12, 4, 0);
    packet->dst_key = ts_hash(p + 16, 4, 0);
    if (offset || more) mark_fragment(packet, offset);
    if (total) ts_limit(packet, total); /* 0: left to the network card, the frame's end counts */
    if (!ts_has(packet, header)) return;
    ts_skip(packet, header);
    if ((offset || more) && !take_fragment(packet, ts_be16(p + 4), offset, (int)more)) return;
    if (packet->ip_protocol == HEADER_AUTHENTICATION && !skip_extension(packet)) return;
    decode_upper(packet);
}

static void decode_ipv6(ts_packet *packet) {
    const uint8_t *p = packet->at;
    if (!ts_has(packet, 40)) return;
    uint32_t length = ts_be16(p + 4);
    start_ip(packet, 6, p[6]);
    packet->src_key = ts_hash(p + 8, 16, 0);
    packet->dst_key = ts_hash(p + 24, 16, 0);
    ts_skip(packet, 40);
    if (length) ts_limit(packet, length); /* 0: jumbogram or left to the network card */
    while (is_extension(packet->ip_protocol))
        if (!skip_extension(packet)) return;
    decode_upper(packet);
}

int ts_looks_like_ip(const ts_packet *packet) {
    const uint8_t *p = packet->at;
    if (packet->captured < 20) return 0;
    if (p[0] >> 4 == 6) return packet->captured >= 40;
    uint32_t header = (p[0] & 15u) * 4, total = ts_be16(p + 2);
    if (p[0] >> 4 != 4 || header < 20) return 0;
    return !total || (total >= header && (total <= packet->wire || packet->is_part));
}

void ts_decode_ip(ts_packet *packet) {
    uint8_t version = packet->captured ? packet->at[0] >> 4 : 0;
    if (version == 4)
        decode_ipv4(packet);
    else if (version == 6)
        decode_ipv6(packet);
    else
        ts_malformed(packet);
}
