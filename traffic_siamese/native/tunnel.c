/* Packets inside packets: what GRE and UDP carry. The innermost IP packet is the one that counts,
 * so that the signalling of a mobile user or of a mirrored link is seen as it was sent.
 *
 * References: RFC 2784, RFC 2890, RFC 2637 (GRE, PPTP), draft-foschiano-erspan, 3GPP TS 29.281
 * (GTP-U), RFC 7348 (VXLAN), RFC 8926 (Geneve), RFC 4380 (Teredo), RFC 7510 (MPLS in UDP). */
#include "decode.h"

enum {
    TYPE_ERSPAN = 0x88be,
    TYPE_ERSPAN_3 = 0x22eb,
    TYPE_PPP = 0x880b,
    TYPE_WCCP = 0x883e,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGEMENT = 0x0080,
    GRE_VERSION = 0x0007,
    PORT_GTP_U = 2152,
    PORT_TEREDO = 3544,
    PORT_VXLAN = 4789,
    PORT_VXLAN_LINUX = 8472,
    PORT_GENEVE = 6081,
    PORT_MPLS = 6635,
    GTP_USER_DATA = 255,
    GTP_EXTENSION = 4,
};

/* The optional fields of both versions, which stand behind the first four bytes. */
static uint32_t gre_bytes(uint16_t flags) {
    uint32_t bytes = 4;
    if (flags & (GRE_CHECKSUM | GRE_ROUTING)) bytes += 4;
    if (flags & GRE_KEY) bytes += 4;
    if (flags & GRE_SEQUENCE) bytes += 4;
    if ((flags & GRE_VERSION) == 1 && flags & GRE_ACKNOWLEDGEMENT) bytes += 4;
    return bytes;
}

/* A mirrored frame: type I has no header of its own, II has 8 bytes, III 12 or 20. */
static void decode_erspan(ts_packet *packet, uint16_t type, int is_numbered) {
    uint32_t bytes = is_numbered ? 8 : 0;
    if (type == TYPE_ERSPAN_3) {
        if (!ts_has(packet, 12)) return;
        bytes = packet->at[11] & 1 ? 20 : 12;
    }
    if (!ts_has(packet, bytes)) return;
    ts_skip(packet, bytes);
    ts_decode_ethernet(packet);
}

/* WCCP redirects IP, in its second version behind four bytes. */
static void decode_wccp(ts_packet *packet) {
    if (!ts_looks_like_ip(packet) && packet->captured >= 4) ts_skip(packet, 4);
    if (ts_looks_like_ip(packet)) ts_decode_ip(packet);
}

void ts_decode_gre(ts_packet *packet) {
    if (!ts_enter(packet, TS_GRE) || !ts_has(packet, 4)) return;
    uint16_t flags = ts_be16(packet->at), type = ts_be16(packet->at + 2);
    uint32_t bytes = gre_bytes(flags);
    if (flags & GRE_ROUTING || (flags & GRE_VERSION) > 1 || !ts_has(packet, bytes)) return;
    ts_skip(packet, bytes);
    if (!packet->captured) return; /* a keep-alive */
    switch (type) {
    case TYPE_ERSPAN:
    case TYPE_ERSPAN_3: decode_erspan(packet, type, (flags & GRE_SEQUENCE) != 0); break;
    case TYPE_PPP: ts_decode_ppp(packet); break;
    case TYPE_WCCP: decode_wccp(packet); break;
    default: ts_decode_type(packet, type); break;
    }
}

/* Extension headers are counted in words of four bytes, and each names the next. */
static int skip_gtp_extensions(ts_packet *packet, uint8_t next) {
    while (next) {
        uint32_t bytes = packet->captured ? packet->at[0] * 4u : 0;
        if (!bytes || bytes > packet->captured) return 0;
        next = packet->at[bytes - 1];
        ts_skip(packet, bytes);
    }
    return 1;
}

static void decode_gtp_u(ts_packet *packet) {
    if (packet->captured < 8 || packet->at[0] >> 4 != 3 || packet->at[1] != GTP_USER_DATA) return;
    uint8_t options = packet->at[0] & 7, next = 0;
    uint16_t length = ts_be16(packet->at + 2);
    ts_skip(packet, 8);
    ts_limit(packet, length);
    if (options) {
        if (packet->captured < 4) return;
        if (options & GTP_EXTENSION) next = packet->at[3];
        ts_skip(packet, 4);
    }
    if (!skip_gtp_extensions(packet, next) || !ts_looks_like_ip(packet)) return;
    if (ts_enter(packet, TS_GTP_U)) ts_decode_ip(packet);
}

static void decode_vxlan(ts_packet *packet) {
    if (packet->captured < 8 || !(packet->at[0] & 0x08) || packet->at[7]) return;
    ts_skip(packet, 8);
    if (ts_enter(packet, TS_VXLAN)) ts_decode_ethernet(packet);
}

static void decode_geneve(ts_packet *packet) {
    if (packet->captured < 8 || packet->at[0] >> 6) return;
    uint32_t bytes = 8 + (packet->at[0] & 0x3f) * 4u;
    uint16_t type = ts_be16(packet->at + 2);
    if (packet->captured < bytes) return;
    ts_skip(packet, bytes);
    if (ts_enter(packet, TS_GENEVE)) ts_decode_type(packet, type);
}

/* IPv6, which an authentication and an origin indication may stand before. */
static void decode_teredo(ts_packet *packet) {
    if (packet->captured >= 4 && ts_be16(packet->at) == 1) {
        uint32_t bytes = 13u + packet->at[2] + packet->at[3];
        if (packet->captured < bytes) return;
        ts_skip(packet, bytes);
    }
    if (packet->captured >= 8 && ts_be16(packet->at) == 0) ts_skip(packet, 8);
    if (!ts_looks_like_ip(packet) || packet->at[0] >> 4 != 6) return;
    if (ts_enter(packet, TS_TEREDO)) ts_decode_ip(packet);
}

static int decode_port(ts_packet *packet, uint16_t port) {
    switch (port) {
    case PORT_GTP_U: decode_gtp_u(packet); return 1;
    case PORT_TEREDO: decode_teredo(packet); return 1;
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX: decode_vxlan(packet); return 1;
    case PORT_GENEVE: decode_geneve(packet); return 1;
    case PORT_MPLS: ts_decode_mpls(packet); return 1;
    default: return 0;
    }
}

/* A port alone proves no tunnel: what is found counts only where it led to an IP header. */
void ts_decode_udp_tunnel(ts_packet *packet) {
    ts_packet inside = *packet;
    if (!decode_port(&inside, packet->dst_port)) decode_port(&inside, packet->src_port);
    if (inside.n_ip > packet->n_ip) *packet = inside;
}
