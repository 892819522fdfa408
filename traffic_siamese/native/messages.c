/* From decoded packets to signalling messages: datagrams are read as they are, TCP segments are
 * joined to a stream per direction first.  A head that ends in a later segment waits in a buffer;
 * bodies are skipped by their length, also across segments and holes. */
#include <stdlib.h>

#include "counting.h"
#include "table.h"

enum {
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_SYN = 2,
    LATER_FRAGMENT = 2,
    MAX_HEAD_BYTES = 16384,
    MAX_STREAMS = 1 << 16,
    MAX_JUMP_BYTES = 1 << 24, /* farther than a window in use: another connection, its SYN not seen */
};
/* TCP repeats a segment for up to 924.6 s (Linux's 15 attempts), with 120 s between the last. */
static const int64_t STREAM_IDLE_NS = 1000LL * 1000000000;

typedef struct {
    table_entry entry;
    int64_t skip_bytes;
    uint8_t *head; /* the bytes so far of a head that is not whole yet */
    uint32_t next_seq, head_bytes;
    uint32_t hole_seq, hole_bytes; /* the last bytes that were passed over, unseen */
} stream;

typedef struct {
    const int64_t *time_ns;
    const uint32_t *wire_bytes;
    const uint8_t *ip_version, *ip_protocol, *flags, *tcp_flags, *icmp_type;
    const uint64_t *src_key, *dst_key;
    const uint16_t *src_port, *dst_port;
    const uint32_t *tcp_seq;
    const int64_t *payload_offset;
    const uint32_t *payload_bytes, *payload_wire_bytes;
} packet_columns;

/* What is gathered; mirrored in features/batches.py. */
typedef struct {
    ts_packet_row *packets;
    ts_message_row *messages;
    int64_t packet_room, message_room, n_packets, n_messages;
} ts_batch;

static void forget_stream(void *entry) { free(((stream *)entry)->head); }

TS_EXPORT void *ts_messages_new(void) {
    table *streams = malloc(sizeof *streams);
    if (streams && table_init(streams, sizeof(stream), MAX_STREAMS, STREAM_IDLE_NS, forget_stream))
        return streams;
    free(streams);
    return NULL;
}

TS_EXPORT void ts_messages_free(void *state) {
    if (state) table_free(state);
    free(state);
}

static stream *stream_of(table *streams, const packet_columns *in, int64_t i, int *is_new) {
    uint64_t ports = ((uint64_t)in->src_port[i] << 16) | in->dst_port[i];
    uint64_t key = ts_mix(in->src_key[i] ^ ts_mix(in->dst_key[i] ^ ts_mix(ports + 1)));
    stream *s = table_get(streams, key, in->time_ns[i], is_new);
    if (in->time_ns[i] > s->entry.last_ns) s->entry.last_ns = in->time_ns[i];
    return s;
}

static void drop_head(stream *s) {
    free(s->head);
    s->head = NULL;
    s->head_bytes = 0;
}

/* Append a message that the last packet completed. */
static void emit(ts_batch *out, const sip_message *m) {
    if (out->n_messages >= out->message_room) return;
    out->messages[out->n_messages++] = (ts_message_row){
        .transaction_key = m->transaction_key,
        .session_key = m->session_key,
        .target_key = m->target_key,
        .content_key = m->content_key,
        .packet = (uint32_t)(out->n_packets - 1),
        .status = m->status,
        .request_kind = m->request_kind,
        .answer_class = m->answer_class,
        .answered_kind = m->answered_kind,
    };
}

static void read_datagram(const uint8_t *p, size_t n, ts_batch *out) {
    sip_message m;
    while (n && (*p == '\r' || *p == '\n')) p++, n--;
    if (sip_starts(p, n) == 1 && sip_read_head(p, n, 0, &m)) emit(out, &m);
}

/* Lost the thread: the next line of these bytes that starts a message, or the end. */
static size_t next_start(const uint8_t *p, size_t n) {
    const uint8_t *at = p, *end = p + n;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at == end) break;
        if (sip_starts(at, (size_t)(end - at)) == 1) return (size_t)(at - p);
    }
    return n;
}

/* Keep the start of a head until the rest comes. */
static void keep_head(stream *s, const uint8_t *p, size_t n) {
    if (s->head_bytes + n > MAX_HEAD_BYTES) {
        drop_head(s);
        return;
    }
    uint8_t *wider = realloc(s->head, s->head_bytes + n);
    if (!wider) {
        drop_head(s);
        return;
    }
    s->head = wider;
    memcpy(s->head + s->head_bytes, p, n);
    s->head_bytes += (uint32_t)n;
}

static void take_head(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    sip_message m;
    if (!sip_read_head(p, n, 1, &m)) return;
    emit(out, &m);
    s->skip_bytes = m.body_bytes > 0 ? m.body_bytes : 0;
}

/* Finish the waiting head with the first of these bytes; returns how many it took. */
static size_t finish_head(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    size_t had = s->head_bytes, room = MAX_HEAD_BYTES - had, head;
    keep_head(s, p, n < room ? n : room);
    if (!s->head) return n;
    if (!sip_starts(s->head, s->head_bytes)) { /* it only looked like a start */
        drop_head(s);
        return 0;
    }
    head = sip_head_bytes(s->head, s->head_bytes);
    if (!head) {
        if (s->head_bytes >= MAX_HEAD_BYTES) drop_head(s);
        return n;
    }
    take_head(s, s->head, head, out);
    drop_head(s);
    return head > had ? head - had : 0;
}

static void read_stream(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    while (n) {
        size_t step;
        if (s->skip_bytes) {
            step = (size_t)s->skip_bytes < n ? (size_t)s->skip_bytes : n;
            s->skip_bytes -= (int64_t)step;
        } else if (s->head_bytes) {
            step = finish_head(s, p, n, out);
        } else if (*p == '\r' || *p == '\n') {
            step = 1; /* keep-alive between messages: RFC 5626 section 4.4.1 */
        } else {
            int starts = sip_starts(p, n);
            size_t head = starts == 1 ? sip_head_bytes(p, n) : 0;
            if (head) {
                take_head(s, p, head, out);
                step = head;
            } else if (starts) {
                keep_head(s, p, n);
                step = n;
            } else {
                step = next_start(p, n);
            }
        }
        p += step;
        n -= step;
    }
}

/* Bytes that were sent and not captured: fine inside a body, else the head is read as it is. */
static void read_hole(stream *s, int64_t n, ts_batch *out) {
    sip_message m;
    if (s->skip_bytes >= n) {
        s->skip_bytes -= n;
        return;
    }
    s->skip_bytes = 0;
    if (s->head_bytes && sip_read_head(s->head, s->head_bytes, 1, &m)) emit(out, &m);
    drop_head(s);
}

/* Bytes behind the others that fill the last hole: the messages that stand in them whole. */
static void fill_hole(stream *s, const packet_columns *in, int64_t i, const uint8_t *p,
                      ts_batch *out) {
    uint32_t into = in->tcp_seq[i] - s->hole_seq, wire = in->payload_wire_bytes[i];
    stream alone = {0};
    if (into >= s->hole_bytes || wire > s->hole_bytes - into) return;
    read_stream(&alone, p, in->payload_bytes[i], out);
    alone.skip_bytes = 0;
    read_hole(&alone, 1, out);
    s->hole_seq += into ? 0 : wire;
    s->hole_bytes = into ? into : s->hole_bytes - wire;
}

static void start_stream(stream *s, uint32_t seq) {
    drop_head(s);
    s->skip_bytes = 0;
    s->hole_bytes = 0;
    s->next_seq = seq;
}

static void read_segment(table *streams, const packet_columns *in, int64_t i, const uint8_t *data,
                         ts_batch *out) {
    uint32_t seq = in->tcp_seq[i], wire = in->payload_wire_bytes[i], n = in->payload_bytes[i];
    int is_new, syn = (in->tcp_flags[i] & TCP_SYN) != 0;
    const uint8_t *p = data + in->payload_offset[i];
    if (!wire && !syn) return;
    stream *s = stream_of(streams, in, i, &is_new);
    if (syn) {
        out->packets[out->n_packets - 1].retransmitted = !is_new && s->next_seq == seq + 1;
        start_stream(s, seq + 1);
        return;
    }
    int32_t ahead = is_new ? 0 : (int32_t)(seq - s->next_seq);
    if (is_new || ahead > MAX_JUMP_BYTES || ahead < -MAX_JUMP_BYTES) {
        start_stream(s, seq);
        ahead = 0;
    }
    if (ahead < 0) {
        uint32_t known = (uint32_t)-(int64_t)ahead;
        if (known >= wire) { /* a one-byte probe is a keep-alive: RFC 9293 section 3.8.4 */
            out->packets[out->n_packets - 1].retransmitted = wire > 1;
            fill_hole(s, in, i, p, out);
            return;
        }
        p += known < n ? known : n;
        n -= known < n ? known : n;
        wire -= known;
    } else if (ahead > 0) {
        read_hole(s, ahead, out);
        s->hole_seq = s->next_seq;
        s->hole_bytes = (uint32_t)ahead;
    }
    s->next_seq = seq + in->payload_wire_bytes[i];
    read_stream(s, p, n, out);
    if (wire > n) read_hole(s, wire - n, out);
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
TS_EXPORT int64_t ts_batch_fill(void *streams, const uint8_t *data, int64_t first,
                                int64_t n_packets, const packet_columns *in, ts_batch *out) {
    int64_t i = first;
    for (; i < n_packets && out->n_packets < out->packet_room; i++) {
        /* No message is shorter than four bytes; one more may wait in the stream. */
        if (out->n_messages + 2 + in->payload_bytes[i] / 4 > out->message_room) break;
        if (!in->ip_version[i]) continue;
        append_packet(in, i, out);
        if (in->flags[i] & LATER_FRAGMENT) continue;
        if (in->ip_protocol[i] == PROTOCOL_UDP)
            read_datagram(data + in->payload_offset[i], in->payload_bytes[i], out);
        else if (in->ip_protocol[i] == PROTOCOL_TCP)
            read_segment(streams, in, i, data, out);
    }
    return i;
}
