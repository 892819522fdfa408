/* TCP segments joined to a stream per direction, and the messages in it.  A message that ends in a
 * later segment waits in a buffer; what is beyond the buffer, and SIP's bodies, are skipped by
 * their length, also across segments and holes. */
#include <stdlib.h>

#include "batch.h"
#include "sip.h"

/* Farther than a window in use: another connection, its SYN not seen. */
enum { MAX_JUMP_BYTES = 1 << 24 };
/* TCP repeats a segment for up to 924.6 s (Linux's 15 attempts), with 120 s between the last. */
static const int64_t STREAM_IDLE_NS = 1000LL * 1000000000;

typedef struct {
    table_entry entry;
    int64_t skip_bytes;
    uint8_t *head; /* the bytes so far of a message, or a SIP head, that is not whole yet */
    const stream_protocol *spoken; /* NULL: not known yet, or SIP */
    void *state;                   /* the protocol's own */
    uint32_t next_seq, head_bytes;
    uint32_t hole_seq, hole_bytes; /* the last bytes that were passed over, unseen */
    uint16_t ports[2];
    uint8_t is_sip;
} stream;

static void drop_head(stream *s) {
    free(s->head);
    s->head = NULL;
    s->head_bytes = 0;
}

static void drop_protocol(stream *s) {
    if (s->state && s->spoken && s->spoken->forget) s->spoken->forget(s->state);
    s->state = NULL;
    s->spoken = NULL;
}

static void forget_stream(void *entry) {
    drop_head(entry);
    drop_protocol(entry);
}

int tcp_init(table *streams) {
    return table_init(streams, sizeof(stream), MAX_STREAMS, STREAM_IDLE_NS, forget_stream);
}

static stream *stream_of(table *streams, const packet_columns *in, int64_t i, int *is_new) {
    uint64_t ports = ((uint64_t)in->src_port[i] << 16) | in->dst_port[i];
    uint64_t key = ts_mix(in->src_key[i] ^ ts_mix(in->dst_key[i] ^ ts_mix(ports + 1)));
    stream *s = table_get(streams, key, in->time_ns[i], is_new);
    if (in->time_ns[i] > s->entry.last_ns) s->entry.last_ns = in->time_ns[i];
    s->ports[0] = in->src_port[i];
    s->ports[1] = in->dst_port[i];
    return s;
}

/* Lost the thread: the next line of these bytes that starts a SIP message, or the end. */
static size_t next_start(const uint8_t *p, size_t n) {
    const uint8_t *at = p, *end = p + n;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at == end) break;
        if (sip_starts(at, (size_t)(end - at)) == 1) return (size_t)(at - p);
    }
    return n;
}

/* Keep the start of a message until the rest comes. */
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
    ts_message m;
    if (!sip_read_head(p, n, 1, &m)) return;
    ts_emit(out, &m);
    s->is_sip = 1;
    s->skip_bytes = m.body_bytes > 0 ? m.body_bytes : 0;
}

/* Finish the waiting SIP head with the first of these bytes; returns how many it took. */
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

/* The next step of a SIP stream, or of one that is not known to be anything else. */
static size_t read_sip(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    if (s->head_bytes) return finish_head(s, p, n, out);
    if (*p == '\r' || *p == '\n') return 1; /* between messages: RFC 5626 section 4.4.1 */
    int starts = sip_starts(p, n);
    size_t head = starts == 1 ? sip_head_bytes(p, n) : 0;
    if (head) {
        take_head(s, p, head, out);
        return head;
    }
    if (!starts) return next_start(p, n);
    keep_head(s, p, n);
    return n;
}

static void take_message(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    ts_message m;
    ts_message_clear(&m);
    if (s->spoken->read ? s->spoken->read(p, n, &m) : s->spoken->read_on(p, n, &s->state, &m))
        ts_emit(out, &m);
}

/* Read the message of this length from the n bytes that are there; the rest of it is skipped. */
static size_t take_framed(stream *s, size_t length, const uint8_t *p, size_t n, ts_batch *out) {
    size_t taken = length < n ? length : n;
    take_message(s, p, taken, out);
    s->skip_bytes = (int64_t)(length - taken);
    return taken;
}

/* Lost the thread: it is looked for again, at the next segment at the latest, since most messages
 * start one.  What a stream's messages have told so far is not given up for that. */
static size_t lose_thread(stream *s, size_t n) {
    if (s->state) {
        if (s->spoken->hole) s->spoken->hole(&s->state);
        return n;
    }
    drop_protocol(s);
    return 0;
}

/* Finish the waiting message with the first of these bytes; returns how many it took. */
static size_t finish_framed(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    size_t had = s->head_bytes, room = MAX_HEAD_BYTES - had, add = n < room ? n : room, taken;
    keep_head(s, p, add);
    if (!s->head) return n;
    size_t length = s->spoken->frame(s->head, s->head_bytes);
    int is_full = s->head_bytes >= MAX_HEAD_BYTES;
    if (length == TS_NOT_MINE || (!length && is_full)) {
        if (s->state) drop_head(s);
        else s->head_bytes = (uint32_t)had; /* too few to tell: they may be SIP's */
        return lose_thread(s, n);
    }
    if (!length || (length > s->head_bytes && !is_full)) return add;
    taken = take_framed(s, length, s->head, s->head_bytes, out);
    drop_head(s);
    return taken > had ? taken - had : 0;
}

/* The next step of a stream whose protocol frames its messages. */
static size_t read_framed(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    if (s->head_bytes) return finish_framed(s, p, n, out);
    size_t length = s->spoken->frame(p, n);
    if (length == TS_NOT_MINE) return lose_thread(s, n);
    if (length && (length <= n || n >= MAX_HEAD_BYTES)) return take_framed(s, length, p, n, out);
    keep_head(s, p, n);
    return n;
}

/* What is spoken here, as far as its first bytes tell. */
static const stream_protocol *protocol_of(const stream *s, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < N_STREAM_PROTOCOLS; i++) {
        const stream_protocol *protocol = STREAM_PROTOCOLS + i;
        uint16_t port = protocol->port;
        if (port && s->ports[0] != port && s->ports[1] != port) continue;
        if (protocol->frame(p, n) != TS_NOT_MINE) return protocol;
    }
    return NULL;
}

static void read_stream(stream *s, const uint8_t *p, size_t n, ts_batch *out) {
    while (n) {
        size_t step;
        if (s->skip_bytes) {
            step = (size_t)s->skip_bytes < n ? (size_t)s->skip_bytes : n;
            s->skip_bytes -= (int64_t)step;
        } else {
            if (!s->spoken && !s->is_sip && !s->head_bytes) s->spoken = protocol_of(s, p, n);
            step = s->spoken ? read_framed(s, p, n, out) : read_sip(s, p, n, out);
        }
        p += step;
        n -= step;
    }
}

/* The waiting head as it is, since bytes behind it were not captured; what is known of its length
 * tells how much of them belongs to it. */
static void read_cut(stream *s, int64_t hole_bytes, ts_batch *out) {
    ts_message m;
    if (!s->spoken) {
        if (sip_read_head(s->head, s->head_bytes, 1, &m)) ts_emit(out, &m);
        return;
    }
    size_t length = s->spoken->frame(s->head, s->head_bytes);
    if (!length || length == TS_NOT_MINE) return;
    take_framed(s, length, s->head, s->head_bytes, out);
    s->skip_bytes = s->skip_bytes > hole_bytes ? s->skip_bytes - hole_bytes : 0;
}

/* Bytes that were sent and not captured: fine inside a body, else the head is read as it is. */
static void read_hole(stream *s, int64_t n, ts_batch *out) {
    if (s->skip_bytes >= n) {
        s->skip_bytes -= n;
        return;
    }
    s->skip_bytes = 0;
    if (s->head_bytes) read_cut(s, n, out);
    if (s->spoken && s->spoken->hole) s->spoken->hole(&s->state);
    drop_head(s);
}

/* Bytes behind the others that fill the last hole: the messages that stand in them whole. */
static void fill_hole(stream *s, const packet_columns *in, int64_t i, const uint8_t *p,
                      ts_batch *out) {
    uint32_t into = in->tcp_seq[i] - s->hole_seq, wire = in->payload_wire_bytes[i];
    stream alone = {.ports = {s->ports[0], s->ports[1]}};
    if (into >= s->hole_bytes || wire > s->hole_bytes - into) return;
    if (!s->spoken || s->spoken->read) read_stream(&alone, p, in->payload_bytes[i], out);
    alone.skip_bytes = 0;
    read_hole(&alone, 1, out);
    forget_stream(&alone);
    s->hole_seq += into ? 0 : wire;
    s->hole_bytes = into ? into : s->hole_bytes - wire;
}

static void start_stream(stream *s, uint32_t seq) {
    drop_head(s);
    drop_protocol(s);
    s->is_sip = 0;
    s->skip_bytes = 0;
    s->hole_bytes = 0;
    s->next_seq = seq;
}

void tcp_read_segment(table *streams, const packet_columns *in, int64_t i, const uint8_t *data,
                      ts_batch *out) {
    uint32_t seq = in->tcp_seq[i], wire = in->payload_wire_bytes[i], n = in->payload_bytes[i];
    int is_new, syn = (in->tcp_flags[i] & TCP_SYN) != 0;
    const uint8_t *p = data + in->payload_offset[i];
    if (!wire && !syn) return;
    stream *s = stream_of(streams, in, i, &is_new);
    if (syn) {
        packet_now(out)->retransmitted = !is_new && s->next_seq == seq + 1;
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
            packet_now(out)->retransmitted = wire > 1;
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
