/* UDP, TCP, SCTP, ICMP: ports, flags, and where the payload lies. */
#include "decode.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132 };

/* What is left is payload. */
static void take_payload(ts_packet *packet) {
    packet->payload = packet->at;
    packet->payload_bytes = packet->captured;
    packet->payload_wire_bytes = packet->wire;
}

/* Ports are read even where the rest of their header was cut off. */
static int read_ports(ts_packet *packet, uint32_t header_bytes) {
    if (packet->captured >= 4) {
        packet->src_port = ts_be16(packet->at);
        packet->dst_port = ts_be16(packet->at + 2);
    }
    if (packet->captured >= header_bytes) return 1;
    ts_malformed(packet);
    return 0;
}

/* The first fragment states the length of the whole datagram, and 0 leaves it to IP. */
static void decode_udp(ts_packet *packet) {
    if (!read_ports(packet, 8)) return;
    uint32_t length = ts_be16(packet->at + 4);
    if (length && length < 8)
        ts_malformed(packet);
    else if (length)
        ts_limit(packet, length);
    ts_skip(packet, 8);
    take_payload(packet);
    ts_decode_udp_tunnel(packet);
}

static void decode_tcp(ts_packet *packet) {
    const uint8_t *p = packet->at;
    if (packet->captured >= 8) packet->tcp_seq = ts_be32(p + 4);
    if (packet->captured >= 12) packet->tcp_ack = ts_be32(p + 8);
    if (packet->captured >= 14) packet->tcp_flags = p[13];
    if (!read_ports(packet, 20)) return;
    uint32_t header = (p[12] >> 4) * 4u;
    if (header < 20 || packet->captured < header) {
        ts_malformed(packet);
        return;
    }
    ts_skip(packet, header);
    take_payload(packet);
}

static void decode_sctp(ts_packet *packet) {
    if (!read_ports(packet, 12)) return;
    ts_skip(packet, 12);
    take_payload(packet);
}

/* An error message carries the packet that it answers behind eight bytes, in both versions. */
static void decode_icmp(ts_packet *packet) {
    if (packet->captured >= 2) {
        packet->icmp_type = packet->at[0];
        packet->icmp_code = packet->at[1];
    }
    if (packet->captured < 8) {
        ts_malformed(packet);
        return;
    }
    ts_skip(packet, 8);
    take_payload(packet);
}

void ts_decode_transport(ts_packet *packet) {
    switch (packet->ip_protocol) {
    case UDP: decode_udp(packet); break;
    case TCP: decode_tcp(packet); break;
    case SCTP: decode_sctp(packet); break;
    case ICMP:
    case ICMPV6: decode_icmp(packet); break;
    default: break;
    }
}
