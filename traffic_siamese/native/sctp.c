/* SCTP (RFC 9260): the chunks bundled in a packet, the fragments of user messages, and what its
 * control chunks and transmission sequence numbers tell.  An INIT counts as TCP's SYN, an ABORT as
 * its RST and each chunk behind those that were due next as its retransmission, and each repeated
 * chunk of the set-up as its repeated SYN: the same fault then shows the same on both. */
#include <stdlib.h>

#include "batch.h"

enum {
    CHUNK_DATA = 0,
    CHUNK_INIT = 1,
    CHUNK_INIT_ACK = 2,
    CHUNK_ABORT = 6,
    CHUNK_SHUTDOWN = 7,
    CHUNK_COOKIE_ECHO = 10,
    CHUNK_COOKIE_ACK = 11,
    LAST_FRAGMENT = 1, /* flag E of section 3.3.1 */
    FIRST_FRAGMENT = 2,
    CHUNK_HEADER_BYTES = 4,
    DATA_HEADER_BYTES = 16,
    TAG_BEFORE_CHUNKS = 8,    /* bytes from the verification tag to the first chunk */
    MAX_JUMP_CHUNKS = 1 << 16, /* farther: another association, its INIT not seen */
    SEEN_WORDS = 8
};
/* Association.Max.Retrans (10) times RTO.Max (60 s): RFC 9260 section 16. */
static const int64_t ASSOCIATION_IDLE_NS = 600LL * 1000000000;

typedef struct {
    table_entry entry;
    uint64_t seen[SEEN_WORDS]; /* bit k: the chunk k before the top one came */
    uint8_t *head;             /* the fragments so far of a user message */
    uint32_t head_bytes, ppid;
    uint32_t top_tsn, next_fragment_tsn;
    uint16_t set_up;           /* bit k: a chunk of type k, of those that set up, came */
    uint8_t has_data;
} association;

typedef struct {
    const uint8_t *p;
    size_t n;        /* captured */
    uint8_t flags;
} chunk;

static void drop_head(association *a) {
    free(a->head);
    a->head = NULL;
    a->head_bytes = 0;
}

static void forget_association(void *entry) { drop_head(entry); }

int sctp_init(table *associations) {
    return table_init(associations, sizeof(association), MAX_STREAMS, ASSOCIATION_IDLE_NS,
                      forget_association);
}

/* One direction of an association: its verification tag tells, on whichever paths it runs
 * (section 8.5). */
static association *association_of(table *associations, const packet_columns *in, int64_t i,
                                   uint32_t tag) {
    int is_new;
    uint64_t ports = (uint64_t)in->src_port[i] << 16 | in->dst_port[i];
    uint64_t key = ts_mix((uint64_t)tag << 32 ^ ts_mix(ports + 1));
    association *a = table_get(associations, key, in->time_ns[i], &is_new);
    if (in->time_ns[i] > a->entry.last_ns) a->entry.last_ns = in->time_ns[i];
    return a;
}

static void restart(association *a, uint32_t tsn) {
    drop_head(a);
    a->has_data = 1;
    memset(a->seen, 0, sizeof a->seen);
    a->seen[0] = 1;
    a->top_tsn = tsn;
}

/* The top moves up: what was seen moves away from it. */
static void move_up(association *a, uint32_t by) {
    uint32_t words = by / 64, bits = by % 64;
    for (int w = SEEN_WORDS - 1; w >= 0; w--) {
        int from = w - (int)words;
        uint64_t high = from >= 0 && words < SEEN_WORDS ? a->seen[from] : 0;
        uint64_t low = from >= 1 && words < SEEN_WORDS ? a->seen[from - 1] : 0;
        a->seen[w] = bits ? high << bits | low >> (64 - bits) : high;
    }
    a->seen[0] |= 1;
    a->top_tsn += by;
}

/* Take note of a chunk.  Returns whether it is seen for the first time; *is_behind: it came after
 * a later one. */
static int note_chunk(association *a, uint32_t tsn, int *is_behind) {
    int32_t ahead = (int32_t)(tsn - a->top_tsn);
    *is_behind = 0;
    if (ahead > MAX_JUMP_CHUNKS || ahead < -MAX_JUMP_CHUNKS) {
        restart(a, tsn);
        return 1;
    }
    if (ahead > 0) {
        move_up(a, (uint32_t)ahead);
        return 1;
    }
    uint32_t back = (uint32_t)-ahead;
    *is_behind = 1;
    if (back >= SEEN_WORDS * 64) return 0;
    uint64_t bit = 1ULL << back % 64;
    int is_first = !(a->seen[back / 64] & bit);
    a->seen[back / 64] |= bit;
    return is_first;
}

/* Append a fragment; what is beyond the limit is left out, a message's head is enough. */
static void keep_fragment(association *a, const uint8_t *p, size_t n) {
    size_t room = MAX_HEAD_BYTES - a->head_bytes, add = n < room ? n : room;
    uint8_t *wider = add ? realloc(a->head, a->head_bytes + add) : NULL;
    if (!wider) return;
    a->head = wider;
    memcpy(a->head + a->head_bytes, p, add);
    a->head_bytes += (uint32_t)add;
}

/* Read the fragments so far as they are. */
static void read_fragments(association *a, ts_batch *out) {
    if (a->head_bytes) ts_read_sctp_message(a->head, a->head_bytes, a->ppid, out);
    drop_head(a);
}

/* Fragments of a message have consecutive numbers (section 6.9); where one is missing, what stands
 * before it is read. */
static void take_fragment(association *a, const chunk *data, uint32_t tsn, ts_batch *out) {
    const uint8_t *p = data->p + DATA_HEADER_BYTES;
    size_t n = data->n - DATA_HEADER_BYTES;
    if (data->flags & FIRST_FRAGMENT) {
        read_fragments(a, out);
        a->ppid = ts_be32(data->p + 12);
    } else if (!a->head_bytes) {
        return;
    } else if (tsn != a->next_fragment_tsn) {
        if ((int32_t)(tsn - a->next_fragment_tsn) > 0) read_fragments(a, out);
        return;
    }
    keep_fragment(a, p, n);
    a->next_fragment_tsn = tsn + 1;
    if (data->flags & LAST_FRAGMENT) read_fragments(a, out);
}

static void count_repeat(ts_batch *out) {
    ts_packet_row *packet = packet_now(out);
    if (packet->retransmitted < UINT8_MAX) packet->retransmitted++;
}

static void take_data(association *a, const chunk *data, ts_batch *out) {
    uint32_t tsn = ts_be32(data->p + 4);
    int is_first = 1, is_behind = 0, is_whole = FIRST_FRAGMENT | LAST_FRAGMENT;
    if (a->has_data) is_first = note_chunk(a, tsn, &is_behind);
    else restart(a, tsn);
    if (!is_first || is_behind) count_repeat(out);
    if (!is_first) return;
    if ((data->flags & is_whole) != is_whole) take_fragment(a, data, tsn, out);
    else if (data->n > DATA_HEADER_BYTES)
        ts_read_sctp_message(data->p + DATA_HEADER_BYTES, data->n - DATA_HEADER_BYTES,
                             ts_be32(data->p + 12), out);
}

/* A second chunk of this type under the same tag is a repeated one; the answers to a repeated INIT
 * bear the same tag, and may differ in all else (section 5.1.3). */
static void take_set_up(association *a, uint8_t type, ts_batch *out) {
    uint16_t bit = (uint16_t)(1u << type);
    if (a->set_up & bit) count_repeat(out);
    a->set_up |= bit;
}

/* Of an INIT the tag is the one that it brings: that of the packet is 0. */
static void take_init(table *associations, const packet_columns *in, int64_t i, const chunk *init,
                      ts_batch *out) {
    packet_now(out)->tcp_flags |= TCP_SYN;
    if (init->n < 8) return;
    take_set_up(association_of(associations, in, i, ~ts_be32(init->p + 4)), CHUNK_INIT, out);
}

void sctp_read_packet(table *associations, const packet_columns *in, int64_t i,
                      const uint8_t *data, ts_batch *out) {
    const uint8_t *p = data + in->payload_offset[i];
    size_t n = in->payload_bytes[i];
    uint32_t tag = n ? ts_be32(p - TAG_BEFORE_CHUNKS) : 0;
    while (n >= CHUNK_HEADER_BYTES) {
        size_t length = ts_be16(p + 2), step = (length + 3) & ~(size_t)3;
        chunk one = {p, length < n ? length : n, p[1]};
        if (length < CHUNK_HEADER_BYTES) return;
        switch (p[0]) {
            case CHUNK_INIT: take_init(associations, in, i, &one, out); break;
            case CHUNK_INIT_ACK: packet_now(out)->tcp_flags |= TCP_SYN | TCP_ACK; /* fall through */
            case CHUNK_COOKIE_ECHO: case CHUNK_COOKIE_ACK:
                take_set_up(association_of(associations, in, i, tag), p[0], out);
                break;
            case CHUNK_ABORT: packet_now(out)->tcp_flags |= TCP_RST; break;
            case CHUNK_SHUTDOWN: packet_now(out)->tcp_flags |= TCP_FIN; break;
            case CHUNK_DATA:
                if (one.n < DATA_HEADER_BYTES) return;
                take_data(association_of(associations, in, i, tag), &one, out);
        }
        if (step >= n) return;
        p += step;
        n -= step;
    }
}
