/* Counting packets: one pass over a batch tells the direction of each and adds it to its bin. */
#include "counting.h"

enum {
    TO_SERVICE = 0,
    FROM_SERVICE = 1,
    ICMP = 1,
    TCP = 6,
    ICMPV6 = 58,
    SCTP = 132,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_ACK = 16,
    FRAGMENT = 1,
    ICMP_UNREACHABLE = 3,
    ICMPV6_UNREACHABLE = 1,
    HOST_SLOTS = 256, /* four times MAX_SERVICE_HOSTS of features/direction.py */
};

typedef struct {
    uint64_t key[HOST_SLOTS];
    uint8_t used[HOST_SLOTS];
} host_set;

/* The slot that holds this host, or the free one where it would be. */
static unsigned slot_of(const host_set *set, uint64_t key) {
    unsigned i = key % HOST_SLOTS;
    while (set->used[i] && set->key[i] != key) i = (i + 1) % HOST_SLOTS;
    return i;
}

static int holds(const host_set *set, uint64_t key) { return set->used[slot_of(set, key)]; }

static void fill(host_set *set, const uint64_t *keys, int64_t n) {
    memset(set->used, 0, sizeof set->used);
    for (int64_t i = 0; i < n && i < HOST_SLOTS / 2; i++) {
        unsigned slot = slot_of(set, keys[i]);
        set->key[slot] = keys[i];
        set->used[slot] = 1;
    }
}

/* Where both ends serve, or neither, the lower port is taken for the server's. */
static uint8_t direction_of(const ts_packet_row *packet, const host_set *service) {
    int to = holds(service, packet->dst_key), from = holds(service, packet->src_key);
    if (to != from) return to ? TO_SERVICE : FROM_SERVICE;
    return packet->dst_port <= packet->src_port ? TO_SERVICE : FROM_SERVICE;
}

static void mark_tenth(const ts_packet_row *packet, const ts_counters *to) {
    int64_t into = packet->time_ns % to->bin_ns;
    if (into < 0) into += to->bin_ns;
    to->tenths[(size_t)packet->row * 2 + packet->direction] |=
        (uint16_t)(1u << ((uint64_t)into * 10 / (uint64_t)to->bin_ns));
}

static int is_unreachable(const ts_packet_row *packet) {
    return (packet->ip_protocol == ICMP && packet->icmp_type == ICMP_UNREACHABLE) ||
           (packet->ip_protocol == ICMPV6 && packet->icmp_type == ICMPV6_UNREACHABLE);
}

/* Signalling is expected on these ports, mirrored in features/batches.py: a server that is dead is
 * seen by who knocks.  Only SIP's on any transport; media uses the others over UDP. */
static int is_signalling_port(uint16_t port, uint8_t ip_protocol) {
    switch (port) {
        case 5060: case 5061: return 1;                                      /* SIP, with TLS */
        case 3868: case 5658: return ip_protocol == TCP || ip_protocol == SCTP; /* Diameter */
        case 2905: case 36412: case 38412: return ip_protocol == SCTP;       /* M3UA, S1AP, NGAP */
        default: return 0;
    }
}

static int on_signalling_port(const ts_packet_row *packet) {
    return is_signalling_port(packet->src_port, packet->ip_protocol) ||
           is_signalling_port(packet->dst_port, packet->ip_protocol);
}

static void count_packet(const ts_packet_row *packet, const ts_counters *to) {
    double *cell = ts_cell(to, packet);
    const int32_t *place = to->place;
    cell[place[COUNTED_PACKETS]] += 1;
    cell[place[COUNTED_BYTES]] += packet->wire_bytes;
    cell[place[COUNTED_FRAGMENTS]] += (packet->flags & FRAGMENT) != 0;
    if (packet->ip_protocol == TCP || packet->ip_protocol == SCTP) {
        uint8_t flags = packet->tcp_flags;
        cell[place[COUNTED_TCP_SYN]] += (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
        cell[place[COUNTED_TCP_RST]] += (flags & TCP_RST) != 0;
        cell[place[COUNTED_TCP_RETRANSMISSIONS]] += packet->retransmitted;
    }
    cell[place[COUNTED_ICMP_UNREACHABLE]] += is_unreachable(packet);
}

/* Count packets, whose rows are set, and set their directions.  `service` are the hosts that
 * serve.  Appends a word for each packet's outside host, and for each sender to the service.
 * Returns how many packets come from or go to ports of signalling. */
TS_EXPORT int64_t ts_count_packets(ts_packet_row *packets, int64_t n, const uint64_t *service,
                                   int64_t n_service, const ts_counters *to, ts_words *hosts,
                                   ts_words *senders) {
    host_set serving;
    int64_t n_on_signalling_ports = 0;
    fill(&serving, service, n_service);
    for (int64_t i = 0; i < n; i++) {
        ts_packet_row *packet = packets + i;
        packet->direction = direction_of(packet, &serving);
        count_packet(packet, to);
        mark_tenth(packet, to);
        if (packet->direction == TO_SERVICE) {
            ts_add_key(to, hosts, packet->row, packet->src_key);
            ts_add_key(to, senders, packet->row, packet->src_key);
        } else {
            ts_add_key(to, hosts, packet->row, packet->dst_key);
        }
        n_on_signalling_ports += on_signalling_port(packet);
    }
    return n_on_signalling_ports;
}

TS_EXPORT uint64_t ts_packet_row_bytes(void) { return sizeof(ts_packet_row); }

TS_EXPORT uint64_t ts_message_row_bytes(void) { return sizeof(ts_message_row); }
