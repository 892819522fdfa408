/* IPv4 with options, IPv6 with extension headers, fragments. References: RFC 791, RFC 8200. */
#include "decode.h"

enum {
    HEADER_HOP_BY_HOP = 0,
    HEADER_ROUTING = 43,
    HEADER_FRAGMENT = 44,
    HEADER_AUTHENTICATION = 51,
    HEADER_DESTINATION = 60,
    HEADER_MOBILITY = 135,
    HEADER_HIP = 139,
    HEADER_SHIM6 = 140,
};

static void mark_fragment(ts_packet *packet, uint32_t offset, int more) {
    if (offset || more) packet->flags |= TS_FRAGMENT;
    if (offset) packet->flags |= TS_LATER_FRAGMENT;
}

/* A later fragment has no transport header to decode. */
static void decode_upper(ts_packet *packet) {
    if (!(packet->flags & TS_LATER_FRAGMENT)) ts_decode_transport(packet);
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

/* Step over one extension header. Returns 0 when it does not fit. */
static int skip_extension(ts_packet *packet) {
    uint8_t header = packet->ip_protocol;
    uint32_t bytes = packet->captured < 8 ? UINT32_MAX : extension_bytes(packet, header);
    if (packet->captured < bytes) {
        ts_malformed(packet);
        return 0;
    }
    if (header == HEADER_FRAGMENT) {
        uint16_t word = ts_be16(packet->at + 2);
        mark_fragment(packet, word >> 3, word & 1);
    }
    packet->ip_protocol = packet->at[0];
    ts_skip(packet, bytes);
    return 1;
}

static void decode_ipv4(ts_packet *packet) {
    const uint8_t *p = packet->at;
    uint32_t header = packet->captured ? (p[0] & 15u) * 4 : 0;
    if (packet->captured < 20 || header < 20) {
        ts_malformed(packet);
        return;
    }
    uint32_t total = ts_be16(p + 2);
    uint16_t fragment = ts_be16(p + 6);
    packet->ip_version = 4;
    packet->ip_protocol = p[9];
    packet->src_key = ts_hash(p + 12, 4, 0);
    packet->dst_key = ts_hash(p + 16, 4, 0);
    mark_fragment(packet, fragment & 0x1fff, fragment & 0x2000);
    if (total) ts_limit(packet, total); /* 0: left to the network card, the frame's end counts */
    if (packet->captured < header) {
        ts_malformed(packet);
        return;
    }
    ts_skip(packet, header);
    if (packet->flags & TS_LATER_FRAGMENT) return;
    if (packet->ip_protocol == HEADER_AUTHENTICATION && !skip_extension(packet)) return;
    decode_upper(packet);
}

static void decode_ipv6(ts_packet *packet) {
    const uint8_t *p = packet->at;
    if (packet->captured < 40) {
        ts_malformed(packet);
        return;
    }
    uint32_t length = ts_be16(p + 4);
    packet->ip_version = 6;
    packet->ip_protocol = p[6];
    packet->src_key = ts_hash(p + 8, 16, 0);
    packet->dst_key = ts_hash(p + 24, 16, 0);
    ts_skip(packet, 40);
    if (length) ts_limit(packet, length); /* 0: jumbogram or left to the network card */
    while (is_extension(packet->ip_protocol) && !(packet->flags & TS_LATER_FRAGMENT))
        if (!skip_extension(packet)) return;
    decode_upper(packet);
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
