/* Link layers: find the IP header below Ethernet, cooked, loopback and raw framing. References: IEEE 802.1Q, RFC 3032
 * and RFC 4385 (MPLS), RFC 2516 (PPPoE). */
#include "decode.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_COOKED = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_COOKED_V2 = 276,
};

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_ETHERNET = 0x6558, /* transparent bridging */
    TYPE_VLAN = 0x8100,
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_SERVICE_VLAN = 0x88a8,
    TYPE_PROVIDER_BACKBONE = 0x88e7,
    TYPE_OLD_QINQ = 0x9100,
    TYPE_OLD_QINQ_2 = 0x9200,
    FIRST_TYPE = 0x0600,
};

static int is_vlan(uint16_t type) {
    return type == TYPE_VLAN || type == TYPE_SERVICE_VLAN || type == TYPE_OLD_QINQ ||
           type == TYPE_OLD_QINQ_2;
}

/* The Ethernet type that a pseudowire's frame would have here, 0 where it cannot be one. */
static uint16_t pseudowire_type(const ts_packet *packet, uint32_t control_bytes) {
    if (packet->captured < control_bytes + 15) return 0;
    const uint8_t *frame = packet->at + control_bytes;
    uint16_t type = ts_be16(frame + 12);
    uint8_t version = frame[14] >> 4;
    if (type == TYPE_IPV4) return version == 4 ? type : 0;
    if (type == TYPE_IPV6) return version == 6 ? type : 0;
    return is_vlan(type) || type == TYPE_MPLS || type == TYPE_PPPOE_SESSION ? type : 0;
}

/* What follows an MPLS stack is told by its first nibble alone: an IP version, or the zero of a
 * pseudowire's control word (RFC 4385). A pseudowire without one may look like either. */
void ts_decode_mpls(ts_packet *packet) {
    int bottom = 0;
    if (!ts_enter(packet, TS_MPLS)) return;
    while (!bottom) {
        if (!ts_has(packet, 4)) return;
        bottom = packet->at[2] & 1;
        ts_skip(packet, 4);
    }
    if (!packet->captured) return;
    uint8_t version = packet->at[0] >> 4;
    if (ts_looks_like_ip(packet)) {
        ts_decode_ip(packet);
    } else if (version == 0 && pseudowire_type(packet, 4)) {
        ts_skip(packet, 4);
        ts_decode_ethernet(packet);
    } else if (pseudowire_type(packet, 0)) {
        ts_decode_ethernet(packet);
    } else if (version == 4 || version == 6) {
        ts_decode_ip(packet);
    }
}

static void decode_pppoe(ts_packet *packet) {
    if (!ts_enter(packet, TS_PPPOE) || !ts_has(packet, 8)) return;
    uint16_t length = ts_be16(packet->at + 4);
    ts_skip(packet, 6);
    ts_limit(packet, length);
    ts_decode_ppp(packet);
}

/* An IEEE 802.3 length instead of a type: IP may still follow behind LLC and SNAP. */
static int snap_type(ts_packet *packet, uint16_t length, uint16_t *type) {
    static const uint8_t SNAP[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    ts_limit(packet, length);
    if (packet->captured < 8 || memcmp(packet->at, SNAP, sizeof SNAP)) return 0;
    *type = ts_be16(packet->at + 6);
    ts_skip(packet, 8);
    return 1;
}

/* IEEE 802.1ah: four bytes that name the service, then the customer's whole frame. */
static void decode_backbone(ts_packet *packet) {
    if (!ts_enter(packet, TS_VLAN) || !ts_has(packet, 4)) return;
    ts_skip(packet, 4);
    ts_decode_ethernet(packet);
}

void ts_decode_type(ts_packet *packet, uint16_t type) {
    while (is_vlan(type)) {
        if (!ts_has(packet, 4)) return;
        type = ts_be16(packet->at + 2);
        ts_skip(packet, 4);
        packet->encapsulation |= TS_VLAN;
    }
    if (type < FIRST_TYPE && !snap_type(packet, type, &type)) return;
    if (type == TYPE_IPV4 || type == TYPE_IPV6) ts_decode_ip(packet);
    if (type == TYPE_MPLS || type == TYPE_MPLS_MULTICAST) ts_decode_mpls(packet);
    if (type == TYPE_PPPOE_SESSION) decode_pppoe(packet);
    if (type == TYPE_ETHERNET && ts_enter(packet, 0)) ts_decode_ethernet(packet);
    if (type == TYPE_PROVIDER_BACKBONE) decode_backbone(packet);
}

static void decode_typed(ts_packet *packet, uint32_t header_bytes, uint32_t type_at) {
    if (!ts_has(packet, header_bytes)) return;
    uint16_t type = ts_be16(packet->at + type_at);
    ts_skip(packet, header_bytes);
    ts_decode_type(packet, type);
}

void ts_decode_ethernet(ts_packet *packet) { decode_typed(packet, 14, 12); }

/* The address family is in the byte order of the machine that captured, and BSDs number IPv6
 * differently. */
static void decode_loopback(ts_packet *packet) {
    if (!ts_has(packet, 4)) return;
    uint32_t family = ts_be32(packet->at);
    if (family > 0xffff) family = __builtin_bswap32(family);
    ts_skip(packet, 4);
    if (family == 2 || family == 10 || family == 24 || family == 28 || family == 30)
        ts_decode_ip(packet);
}

void ts_decode_link(ts_packet *packet, uint16_t link_type) {
    switch (link_type) {
    case LINK_ETHERNET: ts_decode_ethernet(packet); break;
    case LINK_COOKED: decode_typed(packet, 16, 14); break;
    case LINK_COOKED_V2: decode_typed(packet, 20, 0); break;
    case LINK_NULL:
    case LINK_LOOP: decode_loopback(packet); break;
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6: ts_decode_ip(packet); break;
    default: ts_decode_framing(packet, link_type); break;
    }
}
