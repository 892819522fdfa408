/* From captured bytes to addresses, ports and payload: one row of columns per packet. */
#include "decode.h"

static void store(const ts_packet_columns *out, uint64_t i, const ts_packet *packet,
                  const uint8_t *data) {
    out->ip_version[i] = packet->ip_version;
    out->ip_protocol[i] = packet->ip_protocol;
    out->flags[i] = packet->flags;
    out->src_key[i] = packet->src_key;
    out->dst_key[i] = packet->dst_key;
    out->src_port[i] = packet->src_port;
    out->dst_port[i] = packet->dst_port;
    out->tcp_flags[i] = packet->tcp_flags;
    out->tcp_seq[i] = packet->tcp_seq;
    out->tcp_ack[i] = packet->tcp_ack;
    out->icmp_type[i] = packet->icmp_type;
    out->icmp_code[i] = packet->icmp_code;
    out->payload_offset[i] = packet->payload - data;
    out->payload_bytes[i] = packet->payload_bytes;
    out->payload_wire_bytes[i] = packet->payload_wire_bytes;
    out->fragment_id[i] = packet->fragment_id;
    out->encapsulation[i] = packet->encapsulation;
}

/* Datagrams that fragments complete are put into the arena, which lies behind the packets. */
TS_EXPORT void ts_decode_packets(const uint8_t *data, uint64_t n, const ts_packet_columns *columns,
                                 ts_arena *arena) {
    for (uint64_t i = 0; i < n; i++) {
        ts_packet packet = {.at = data + columns->offset[i],
                            .captured = columns->captured_bytes[i],
                            .wire = columns->wire_bytes[i],
                            .time_ns = columns->time_ns[i],
                            .arena = arena};
        packet.payload = packet.frame = packet.at;
        if (packet.captured < packet.wire) packet.flags = TS_TRUNCATED;
        if (packet.wire < packet.captured) packet.wire = packet.captured;
        ts_decode_link(&packet, columns->link_type[i]);
        if (packet.flags & TS_REASSEMBLED && packet.flags & TS_LATER_FRAGMENT)
            packet.tcp_flags = packet.icmp_type = packet.icmp_code = 0; /* told by the first one */
        store(columns, i, &packet, data);
    }
}
