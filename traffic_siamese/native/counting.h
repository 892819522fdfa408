/* What is counted, and into what: rows of packets and messages, counters, words to count later.
 * Every struct is mirrored field by field in features/batches.py and features/counting.py. */
#ifndef TRAFFIC_SIAMESE_COUNTING_H
#define TRAFFIC_SIAMESE_COUNTING_H

#include "message.h"

/* What is counted here; where each counter lies is told by ts_counters.place.  The order is that
 * of COUNTED in features/counting.py, and a test holds both to it. */
enum counted {
    COUNTED_PACKETS,
    COUNTED_BYTES,
    COUNTED_TCP_SYN,
    COUNTED_TCP_RST,
    COUNTED_TCP_RETRANSMISSIONS,
    COUNTED_ICMP_UNREACHABLE,
    COUNTED_FRAGMENTS,
    COUNTED_NEW_TRANSACTIONS,
    COUNTED_RETRANSMITTED_REQUESTS,
    COUNTED_RETRANSMITTED_ANSWERS,
    COUNTED_DUPLICATES,
    COUNTED_STARTED_SESSIONS,
    COUNTED_DONE_REGISTRATIONS,
    COUNTED_REQUESTS, /* and on: one for each kind */
    COUNTED_ANSWERS = COUNTED_REQUESTS + N_REQUEST_KINDS /* and on: one for each class */
};

typedef struct {
    int64_t time_ns;
    uint64_t src_key, dst_key;
    uint32_t wire_bytes;
    uint32_t row; /* of its bin */
    uint16_t src_port, dst_port;
    uint8_t ip_protocol, flags, tcp_flags, icmp_type;
    uint8_t retransmitted; /* TCP: behind the bytes that were due next; SCTP: how many chunks so */
    uint8_t direction;
} ts_packet_row;

typedef struct {
    uint64_t transaction_key, session_key, target_key, content_key;
    uint32_t packet; /* the row of the packet that completed it */
    uint16_t status;
    uint8_t request_kind, answer_class, answered_kind, protocol;
    uint8_t is_one_way, reuses_keys, is_repeated;
} ts_message_row;

/* By row: counters of both directions; tenths of the bin that held a packet, a bit each, of both
 * directions; and whether the row was described already and takes no more words. */
typedef struct {
    double *counts;
    uint16_t *tenths;
    const uint8_t *closed;
    const int32_t *place; /* by `enum counted` */
    int64_t n_counters;   /* per direction */
    int64_t bin_ns;
} ts_counters;

/* Words that Python sorts and counts: a row above, a value below.  The caller makes room. */
typedef struct {
    uint64_t *words;
    int64_t n, n_late; /* late: left out, their row was closed */
} ts_words;

static inline double *ts_cell(const ts_counters *to, const ts_packet_row *packet) {
    return to->counts + ((size_t)packet->row * 2 + packet->direction) * (size_t)to->n_counters;
}

static inline void ts_add_word(const ts_counters *to, ts_words *out, uint32_t row, uint64_t word) {
    if (to->closed[row]) out->n_late++;
    else out->words[out->n++] = word;
}

/* One of a key in a row: 40 bits of it, which hardly ever fall together within a bin. */
static inline void ts_add_key(const ts_counters *to, ts_words *out, uint32_t row, uint64_t key) {
    ts_add_word(to, out, row, ((uint64_t)row << 40) | (key & 0xffffffffffULL));
}

#endif
