/* Link layers met less often: PPP and HDLC on serial lines, Linux NFLOG, Apple PKTAP, OpenBSD
 * PFLOG, and wireless LANs. References: tcpdump.org/linktypes.html, RFC 1661 and RFC 1662 (PPP). */
#include "decode.h"

enum {
    LINK_PPP = 9,
    LINK_PPP_HDLC = 50,
    LINK_PPPOE = 51,
    LINK_CISCO_HDLC = 104,
    LINK_WIRELESS = 105,
    LINK_PFLOG = 117,
    LINK_RADIOTAP = 127,
    LINK_PPP_PPPD = 166,
    LINK_PPP_DIRECTION = 204,
    LINK_NFLOG = 239,
    LINK_PKTAP = 258,
};

enum {
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,
    PPP_MPLS_MULTICAST = 0x0283,
    TYPE_PPPOE_SESSION = 0x8864,
    NFLOG_PAYLOAD = 9,
    FRAME_DATA = 0x08,
    FRAME_TYPE_BITS = 0x0c,
    FRAME_QOS = 0x80,
    FRAME_EMPTY = 0x40,
    FRAME_BOTH_WAYS = 0x03,
    FRAME_PROTECTED = 0x40,
    FRAME_ORDERED = 0x80,
};

/* A protocol number of one byte is odd (RFC 1661 section 6.5). */
void ts_decode_ppp(ts_packet *packet) {
    if (packet->captured >= 2 && packet->at[0] == 0xff && packet->at[1] == 0x03) ts_skip(packet, 2);
    if (!ts_has(packet, 1)) return;
    uint32_t bytes = packet->at[0] & 1 ? 1 : 2;
    if (!ts_has(packet, bytes)) return;
    uint16_t protocol = bytes == 1 ? packet->at[0] : ts_be16(packet->at);
    ts_skip(packet, bytes);
    if (protocol == PPP_IPV4 || protocol == PPP_IPV6) ts_decode_ip(packet);
    if (protocol == PPP_MPLS || protocol == PPP_MPLS_MULTICAST) ts_decode_mpls(packet);
}

/* Address and control, of which Cisco's framing has values of its own, then an Ethernet type. */
static void decode_hdlc(ts_packet *packet, int is_cisco) {
    if (!ts_has(packet, 4)) return;
    if (!is_cisco && packet->at[0] != 0x0f && packet->at[0] != 0x8f) {
        ts_decode_ppp(packet);
        return;
    }
    uint16_t type = ts_be16(packet->at + 2);
    ts_skip(packet, 4);
    ts_decode_type(packet, type);
}

static void decode_ppp_after(ts_packet *packet, uint32_t bytes) {
    if (!ts_has(packet, bytes)) return;
    ts_skip(packet, bytes);
    ts_decode_ppp(packet);
}

static uint16_t load16(const uint8_t *p, int is_big) {
    return is_big ? ts_be16(p) : (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t load_little32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Attributes in the byte order of the machine that captured: that in which the first one fits. */
static void decode_nflog(ts_packet *packet) {
    if (!ts_has(packet, 8)) return;
    ts_skip(packet, 4);
    uint16_t first = load16(packet->at, 0);
    int is_big = first < 4 || first > packet->wire;
    while (packet->captured >= 4) {
        uint32_t length = load16(packet->at, is_big), padded = (length + 3) & ~3u;
        uint16_t kind = load16(packet->at + 2, is_big) & 0x7fff;
        if (length < 4 || length > packet->wire) break;
        if (kind == NFLOG_PAYLOAD) {
            ts_limit(packet, length);
            ts_skip(packet, 4);
            if (packet->captured) ts_decode_ip(packet);
            return;
        }
        if (padded > packet->captured) break;
        ts_skip(packet, padded);
    }
    ts_malformed(packet);
}

/* Its own length, what follows, and the link type of the frame behind it, in little-endian. */
static void decode_pktap(ts_packet *packet) {
    if (!ts_has(packet, 12)) return;
    uint32_t length = load_little32(packet->at), link_type = load_little32(packet->at + 8);
    if (length < 12 || !ts_has(packet, length)) {
        ts_malformed(packet);
        return;
    }
    ts_skip(packet, length);
    if (link_type > UINT16_MAX || !ts_enter(packet, 0)) return;
    ts_decode_link(packet, (uint16_t)link_type);
}

static void decode_pflog(ts_packet *packet) {
    uint32_t length = packet->captured ? (packet->at[0] + 3u) & ~3u : 4;
    if (!ts_has(packet, length)) return;
    ts_skip(packet, length);
    if (ts_looks_like_ip(packet)) ts_decode_ip(packet);
}

/* Data frames of IEEE 802.11 that are not encrypted carry LLC and SNAP. */
static void decode_wireless(ts_packet *packet) {
    static const uint8_t SNAP[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (!ts_has(packet, 2)) return;
    uint8_t kind = packet->at[0], how = packet->at[1];
    if ((kind & FRAME_TYPE_BITS) != FRAME_DATA || kind & FRAME_EMPTY || how & FRAME_PROTECTED) return;
    uint32_t header = 24;
    if ((how & FRAME_BOTH_WAYS) == FRAME_BOTH_WAYS) header += 6;
    if (kind & FRAME_QOS) header += how & FRAME_ORDERED ? 6 : 2;
    if (!ts_has(packet, header)) return;
    ts_skip(packet, header);
    if (packet->captured < 8 || memcmp(packet->at, SNAP, sizeof SNAP)) return;
    uint16_t type = ts_be16(packet->at + 6);
    ts_skip(packet, 8);
    ts_decode_type(packet, type);
}

static void decode_radiotap(ts_packet *packet) {
    if (!ts_has(packet, 8)) return;
    uint16_t length = load16(packet->at + 2, 0);
    if (length < 8 || !ts_has(packet, length)) {
        ts_malformed(packet);
        return;
    }
    ts_skip(packet, length);
    decode_wireless(packet);
}

void ts_decode_framing(ts_packet *packet, uint16_t link_type) {
    switch (link_type) {
    case LINK_PPP:
    case LINK_PPP_HDLC: decode_hdlc(packet, 0); break;
    case LINK_PPPOE: ts_decode_type(packet, TYPE_PPPOE_SESSION); break;
    case LINK_CISCO_HDLC: decode_hdlc(packet, 1); break;
    case LINK_WIRELESS: decode_wireless(packet); break;
    case LINK_PFLOG: decode_pflog(packet); break;
    case LINK_RADIOTAP: decode_radiotap(packet); break;
    case LINK_PPP_PPPD:
    case LINK_PPP_DIRECTION: decode_ppp_after(packet, 1); break;
    case LINK_NFLOG: decode_nflog(packet); break;
    case LINK_PKTAP: decode_pktap(packet); break;
    default: break;
    }
}
