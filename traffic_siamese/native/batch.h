/* Gathering packets and the messages that end in them: the columns that come in, the rows that go
 * out, and how protocols are looked for on each transport. */
#ifndef TRAFFIC_SIAMESE_BATCH_H
#define TRAFFIC_SIAMESE_BATCH_H

#include "counting.h"
#include "table.h"

enum { IP_TCP = 6, IP_UDP = 17, IP_SCTP = 132, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { MAX_HEAD_BYTES = 16384, MAX_STREAMS = 1 << 16 };

/* Decoded packets; mirrored in features/batches.py. */
typedef struct {
    const int64_t *time_ns;
    const uint32_t *wire_bytes;
    const uint8_t *ip_version, *ip_protocol, *flags, *tcp_flags, *icmp_type;
    const uint64_t *src_key, *dst_key;
    const uint16_t *src_port, *dst_port;
    const uint32_t *tcp_seq;
    const int64_t *payload_offset;
    const uint32_t *payload_bytes, *payload_wire_bytes;
    const uint32_t *fragment_id;
} packet_columns;

/* What is gathered; mirrored in features/batches.py. */
typedef struct {
    ts_packet_row *packets;
    ts_message_row *messages;
    int64_t packet_room, message_room, n_packets, n_messages;
} ts_batch;

/* A protocol whose messages follow each other in a TCP stream.  One of the two readers is set:
 * `read_on` is for those that remember something from message to message of one direction, in
 * *state, NULL at first, which `forget` frees.  `hole` tells that bytes in between were not seen. */
typedef struct {
    size_t (*frame)(const uint8_t *p, size_t n);
    int (*read)(const uint8_t *p, size_t n, ts_message *out);
    int (*read_on)(const uint8_t *p, size_t n, void **state, ts_message *out);
    void (*hole)(void **state);
    void (*forget)(void *state);
    uint16_t port; /* looked for on this port only, or 0: wherever it is framed so */
} stream_protocol;

extern const stream_protocol STREAM_PROTOCOLS[];
extern const size_t N_STREAM_PROTOCOLS;

/* The last packet gathered: the one that is being read. */
static inline ts_packet_row *packet_now(ts_batch *out) { return out->packets + out->n_packets - 1; }

/* Append a message that the last packet completed. */
void ts_emit(ts_batch *out, const ts_message *m);

/* Read one user message of SCTP, whole or what was captured of it. */
void ts_read_sctp_message(const uint8_t *p, size_t n, uint32_t ppid, ts_batch *out);

/* Read a TCP segment or an SCTP packet, i being its place in the columns. */
int tcp_init(table *streams);
void tcp_read_segment(table *streams, const packet_columns *in, int64_t i, const uint8_t *data,
                      ts_batch *out);
int sctp_init(table *associations);
void sctp_read_packet(table *associations, const packet_columns *in, int64_t i,
                      const uint8_t *data, ts_batch *out);

#endif
