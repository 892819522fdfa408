/* From decoded packets to signalling messages: which protocol is looked for where, and the batch
 * that packets and messages are gathered into. */
#include <stdlib.h>

#include "batch.h"
#include "parts.h"
#include "sip.h"

enum { FRAGMENT = 1, LATER_FRAGMENT = 2, REASSEMBLED = 16, MIN_MESSAGE_BYTES = 4 };

typedef struct {
    uint16_t port;
    int (*read)(const uint8_t *p, size_t n, ts_message *out);
    size_t (*frame)(const uint8_t *p, size_t n); /* where a datagram may hold several messages */
} datagram_protocol;

/* UDP: by port, where the content alone is too weak to tell.  SIP is looked for on any. */
static const datagram_protocol DATAGRAM_PROTOCOLS[] = {
    {53, dns_read, NULL},
    {1645, radius_read, NULL}, /* before RFC 2865 */
    {1646, radius_read, NULL},
    {1812, radius_read, NULL},
    {1813, radius_read, NULL},
    {3799, radius_read, NULL},
    {2123, gtp_read, gtp_frame},
    {3386, gtp_read, gtp_frame},
    {8805, pfcp_read, pfcp_frame},
};
enum { N_DATAGRAM_PROTOCOLS = sizeof DATAGRAM_PROTOCOLS / sizeof *DATAGRAM_PROTOCOLS };

/* TCP: in the order in which they are tried; SIP comes after them. */
const stream_protocol STREAM_PROTOCOLS[] = {
    {.frame = diameter_frame, .read = diameter_read},
    {.frame = dns_tcp_frame, .read = dns_tcp_read, .port = 53},
    {.frame = http1_frame, .read_on = http1_read},
    {.frame = http2_frame, .read_on = http2_read, .hole = http2_hole, .forget = http2_forget},
};
const size_t N_STREAM_PROTOCOLS = sizeof STREAM_PROTOCOLS / sizeof *STREAM_PROTOCOLS;

typedef struct {
    uint32_t ppid;
    uint16_t port; /* goes by the port where the payload protocol identifier is 0, or 0: by none */
    int (*read)(const uint8_t *p, size_t n, ts_message *out);
    int (*read_also)(const uint8_t *p, size_t n, ts_message *out); /* what else it says, or NULL */
} sctp_protocol;

/* SCTP: by payload protocol identifier (IANA's registry), some stacks leave it 0. */
static const sctp_protocol SCTP_PROTOCOLS[] = {
    {3, 2905, m3ua_read, NULL},
    {18, 36412, s1ap_read, s1ap_read_answer},
    {46, 3868, diameter_read, NULL}, /* RFC 6733 section 2.1; 47 is encrypted */
    {60, 38412, ngap_read, ngap_read_answer},
};
enum { N_SCTP_PROTOCOLS = sizeof SCTP_PROTOCOLS / sizeof *SCTP_PROTOCOLS };

typedef struct {
    table streams, associations;
    parts parts;
} reading;

TS_EXPORT void ts_messages_free(void *state) {
    reading *r = state;
    if (!r) return;
    table_free(&r->streams);
    table_free(&r->associations);
    free(r);
}

TS_EXPORT void *ts_messages_new(void) {
    reading *r = calloc(1, sizeof *r);
    if (r && tcp_init(&r->streams) && sctp_init(&r->associations)) return r;
    ts_messages_free(r);
    return NULL;
}

/* A key that is unique only between the hosts, or in their connection, made unique anywhere. */
static uint64_t spread_key(const ts_packet_row *packet, const ts_message *m) {
    int asks = m->request_kind != NO_REQUEST;
    uint64_t asker = asks ? packet->src_key : packet->dst_key;
    uint64_t answerer = asks ? packet->dst_key : packet->src_key;
    uint64_t ports = asks ? (uint64_t)packet->src_port << 16 | packet->dst_port
                          : (uint64_t)packet->dst_port << 16 | packet->src_port;
    if (m->transaction_scope == UNIQUE_ANYWHERE) return m->transaction_key;
    if (m->transaction_scope == UNIQUE_BETWEEN_HOSTS) ports = 0;
    return ts_mix(m->transaction_key ^ ts_mix(asker ^ ts_mix(answerer ^ ts_mix(ports + 1))));
}

static uint64_t session_key_of(const ts_packet_row *packet, const ts_message *m) {
    if (!m->session_of_answerer || !m->session_key) return m->session_key;
    uint64_t answerer = m->request_kind != NO_REQUEST ? packet->dst_key : packet->src_key;
    return ts_mix(m->session_key ^ ts_mix(answerer));
}

void ts_emit(ts_batch *out, const ts_message *m) {
    const ts_packet_row *packet = packet_now(out);
    if (out->n_messages >= out->message_room) return;
    out->messages[out->n_messages++] = (ts_message_row){
        .transaction_key = spread_key(packet, m),
        .session_key = session_key_of(packet, m),
        .target_key = m->target_key,
        .content_key = m->content_key,
        .packet = (uint32_t)(out->n_packets - 1),
        .status = m->status,
        .request_kind = m->request_kind,
        .answer_class = m->answer_class,
        .answered_kind = m->answered_kind,
        .protocol = m->protocol,
        .is_one_way = m->is_one_way,
        .is_repeated = m->is_repeated,
        .reuses_keys = m->transaction_scope != UNIQUE_ANYWHERE,
    };
}

static int read_sip(const uint8_t *p, size_t n, ts_batch *out) {
    ts_message m;
    while (n && (*p == '\r' || *p == '\n')) p++, n--;
    if (sip_starts(p, n) != 1 || !sip_read_head(p, n, 0, &m)) return 0;
    ts_emit(out, &m);
    return 1;
}

static const datagram_protocol *on_port(uint16_t port) {
    for (int i = 0; i < N_DATAGRAM_PROTOCOLS; i++)
        if (DATAGRAM_PROTOCOLS[i].port == port) return DATAGRAM_PROTOCOLS + i;
    return NULL;
}

/* The messages that follow each other in a datagram; returns whether there was any. */
static int read_bundle(const datagram_protocol *protocol, const uint8_t *p, size_t n,
                       ts_batch *out) {
    int n_read = 0;
    while (n) {
        size_t size = protocol->frame ? protocol->frame(p, n) : n;
        ts_message m;
        if (size == 0 || size > n) size = n;
        ts_message_clear(&m);
        if (!protocol->read(p, size, &m)) break;
        ts_emit(out, &m);
        n_read++;
        p += size;
        n -= size;
    }
    return n_read > 0;
}

static void read_datagram(const uint8_t *p, size_t n, ts_batch *out) {
    const ts_packet_row *packet = packet_now(out);
    if (!n || read_sip(p, n, out)) return;
    const datagram_protocol *to = on_port(packet->dst_port), *from = on_port(packet->src_port);
    if (to && read_bundle(to, p, n, out)) return;
    if (from && from != to) read_bundle(from, p, n, out);
}

/* A first fragment, or a datagram put together. */
static void read_fragment(parts *known, const packet_columns *in, int64_t i, const uint8_t *data,
                          ts_batch *out) {
    int64_t first = out->n_messages;
    read_datagram(data + in->payload_offset[i], in->payload_bytes[i], out);
    if (in->flags[i] & REASSEMBLED) parts_replace(known, in, i, first, out);
    else parts_keep(known, in, i, first, out);
}

/* Some stacks write the identifier in their own byte order. */
static int is_meant(const sctp_protocol *protocol, uint32_t ppid, const ts_packet_row *packet) {
    if (ppid) return ppid == protocol->ppid || ppid == protocol->ppid << 24;
    return protocol->port && (packet->dst_port == protocol->port ||
                              packet->src_port == protocol->port);
}

void ts_read_sctp_message(const uint8_t *p, size_t n, uint32_t ppid, ts_batch *out) {
    const ts_packet_row *packet = packet_now(out);
    for (int i = 0; i < N_SCTP_PROTOCOLS; i++) {
        ts_message m;
        if (!is_meant(SCTP_PROTOCOLS + i, ppid, packet)) continue;
        ts_message_clear(&m);
        if (!SCTP_PROTOCOLS[i].read(p, n, &m)) continue;
        ts_emit(out, &m);
        ts_message_clear(&m);
        if (SCTP_PROTOCOLS[i].read_also && SCTP_PROTOCOLS[i].read_also(p, n, &m)) ts_emit(out, &m);
        return;
    }
    if (!ppid) read_sip(p, n, out); /* RFC 4168 */
}

static void append_packet(const packet_columns *in, int64_t i, ts_batch *out) {
    out->packets[out->n_packets++] = (ts_packet_row){
        .time_ns = in->time_ns[i],
        .src_key = in->src_key[i],
        .dst_key = in->dst_key[i],
        .wire_bytes = in->wire_bytes[i],
        .src_port = in->src_port[i],
        .dst_port = in->dst_port[i],
        .ip_protocol = in->ip_protocol[i],
        .flags = in->flags[i],
        .tcp_flags = in->tcp_flags[i],
        .icmp_type = in->icmp_type[i],
    };
}

/* Append the IP packets among first..n_packets-1 and the messages that end in them.  Stops early
 * where the batch is full, or might be; returns the packet to go on with. */
TS_EXPORT int64_t ts_batch_fill(void *state, const uint8_t *data, int64_t first, int64_t n_packets,
                                const packet_columns *in, ts_batch *out) {
    reading *r = state;
    int64_t i = first;
    if (!out->n_packets) r->parts.batch++;
    for (; i < n_packets && out->n_packets < out->packet_room; i++) {
        /* No message is shorter than four bytes; one more may wait in the stream. */
        if (out->n_messages + 2 + in->payload_bytes[i] / MIN_MESSAGE_BYTES > out->message_room)
            break;
        if (!in->ip_version[i]) continue;
        append_packet(in, i, out);
        uint8_t flags = in->flags[i];
        if (flags & LATER_FRAGMENT && !(flags & REASSEMBLED)) continue;
        switch (in->ip_protocol[i]) {
            case IP_UDP:
                if (flags & FRAGMENT) read_fragment(&r->parts, in, i, data, out);
                else read_datagram(data + in->payload_offset[i], in->payload_bytes[i], out);
                break;
            case IP_TCP: tcp_read_segment(&r->streams, in, i, data, out); break;
            case IP_SCTP:
                if (!(flags & FRAGMENT) || flags & REASSEMBLED)
                    sctp_read_packet(&r->associations, in, i, data, out);
                break;
        }
    }
    return i;
}
