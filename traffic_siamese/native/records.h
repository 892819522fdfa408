/* The walk over a capture file's records: what survives from one buffer to the next. */
#ifndef TRAFFIC_SIAMESE_RECORDS_H
#define TRAFFIC_SIAMESE_RECORDS_H

#include "kernel.h"

enum { TS_FORMAT_UNKNOWN = 0, TS_FORMAT_PCAP = 1, TS_FORMAT_PCAPNG = 2 };

/* Why a walk stopped. The same numbers stand in captures/faults.py. */
enum {
    TS_WALK_MORE = 0,  /* the next record needs more bytes than the buffer holds */
    TS_WALK_FULL = 1,  /* the columns are full */
    TS_WALK_BAD_MAGIC = 2,
    TS_WALK_BAD_RECORD_LENGTH = 3,
    TS_WALK_BAD_BLOCK_LENGTH = 4,
    TS_WALK_BAD_TRAILER = 5,
    TS_WALK_BAD_BYTE_ORDER = 6,
    TS_WALK_NO_INTERFACE = 7,
    TS_WALK_BAD_PACKET_LENGTH = 8,
    TS_WALK_TOO_MANY_INTERFACES = 9,
    TS_WALK_NO_MEMORY = 10,
    TS_WALK_ZERO_RECORD = 11,
    TS_WALK_BAD_VERSION = 12,
};

#define TS_MAX_BLOCK_BYTES (64u << 20)
#define TS_MAX_PACKET_BYTES (256u << 10)
#define TS_MAX_INTERFACES 65536u

typedef struct {
    int64_t offset_s;
    uint32_t snaplen;
    uint16_t link_type;
    uint8_t resolution;
} ts_interface;

/* Mirrored field by field in captures/records.py. */
typedef struct {
    uint64_t position;    /* file offset of the next record */
    uint64_t consumed;    /* where in the buffer it starts */
    uint64_t needed;      /* bytes it needs, as far as its header is known */
    uint64_t found;       /* the offending value of an error */
    uint64_t expected;    /* and the value or limit it was held against */
    uint64_t n_packets;
    uint64_t n_late;      /* earlier than a packet before them */
    uint64_t n_untimed;   /* pcapng simple packets, which carry no time */
    int64_t first_ns;
    int64_t last_ns;
    int64_t previous_ns;
    ts_interface *interfaces;
    uint32_t n_interfaces;
    uint32_t interface_room;
    uint32_t ns_per_tick;
    uint32_t max_captured;
    uint32_t record_header_bytes;
    uint32_t lengths_order; /* 0: captured, wire; 1: swapped; 2: swapped where inconsistent */
    int32_t format;
    int32_t status;
    int32_t swapped;
    uint16_t link_type;
} ts_records;

typedef struct {
    int64_t *time_ns;
    int64_t *offset;
    uint32_t *captured_bytes;
    uint32_t *wire_bytes;
    uint16_t *link_type;
    uint64_t room;
    uint64_t n;
} ts_record_columns;

static inline uint16_t ts_load16(const uint8_t *p, int swapped) {
    uint16_t value = (uint16_t)(p[0] | (p[1] << 8));
    return swapped ? (uint16_t)((value << 8) | (value >> 8)) : value;
}

static inline uint32_t ts_load32(const uint8_t *p, int swapped) {
    uint32_t little = p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
    return swapped ? ts_be32(p) : little;
}

static inline uint64_t ts_load64(const uint8_t *p, int swapped) {
    uint64_t first = ts_load32(p, swapped), second = ts_load32(p + 4, swapped);
    return swapped ? (first << 32) | second : (second << 32) | first;
}

/* Append one packet; the caller has checked that there is room and that the bytes are there. */
static inline void ts_append_packet(ts_records *walk, ts_record_columns *out, int64_t time_ns,
                                    uint64_t offset, uint32_t captured, uint32_t wire,
                                    uint16_t link_type) {
    uint64_t i = out->n++;
    out->time_ns[i] = time_ns;
    out->offset[i] = (int64_t)offset;
    out->captured_bytes[i] = captured;
    out->wire_bytes[i] = wire;
    out->link_type[i] = link_type;
    if (!walk->n_packets++) walk->first_ns = walk->last_ns = time_ns;
    walk->n_late += time_ns < walk->last_ns;
    if (time_ns > walk->last_ns) walk->last_ns = time_ns;
    if (time_ns < walk->first_ns) walk->first_ns = time_ns;
    walk->previous_ns = time_ns;
}

static inline int ts_walk_error(ts_records *walk, int status, uint64_t found, uint64_t expected) {
    walk->status = status;
    walk->found = found;
    walk->expected = expected;
    return 0;
}

/* Not enough bytes: the record at the walk's position needs this many. */
static inline int ts_walk_more(ts_records *walk, uint64_t needed) {
    walk->status = TS_WALK_MORE;
    walk->needed = needed;
    return 0;
}

/* Read one block or record at data[at..end). Returns the bytes it took, 0 when it stopped. */
uint64_t ts_pcapng_step(ts_records *walk, const uint8_t *data, uint64_t at, uint64_t end,
                        ts_record_columns *out);
void ts_pcap_walk(ts_records *walk, const uint8_t *data, uint64_t end, ts_record_columns *out);
int ts_pcap_open(ts_records *walk, const uint8_t *data, uint64_t end);

#endif
