/* Classic pcap: one file header, then records of a 16-byte header and the captured bytes.
 *
 * Both byte orders, microseconds and nanoseconds, and Kuznetzov's variant with 24-byte record
 * headers. Reference: draft-ietf-opsawg-pcap.
 */
#include "records.h"

enum { FILE_HEADER_BYTES = 24 };

typedef struct {
    uint32_t magic;
    uint32_t ns_per_tick;
    uint32_t record_header_bytes;
} flavour;

static const flavour FLAVOURS[] = {
    {0xa1b2c3d4u, 1000, 16},
    {0xa1b23c4du, 1, 16},
    {0xa1b2cd34u, 1000, 24},
};

static int find_flavour(ts_records *walk, const uint8_t *data) {
    for (int swapped = 0; swapped < 2; swapped++)
        for (size_t i = 0; i < sizeof FLAVOURS / sizeof *FLAVOURS; i++)
            if (ts_load32(data, swapped) == FLAVOURS[i].magic) {
                walk->swapped = swapped;
                walk->ns_per_tick = FLAVOURS[i].ns_per_tick;
                walk->record_header_bytes = FLAVOURS[i].record_header_bytes;
                return 1;
            }
    return 0;
}

/* Files of version 2.2 and older store the wire length first; those of 2.3 may. */
static uint32_t lengths_order(uint16_t major, uint16_t minor) {
    if (major != 2 || minor > 3) return 0;
    return minor == 3 ? 2 : 1;
}

int ts_pcap_open(ts_records *walk, const uint8_t *data, uint64_t end) {
    uint64_t at = walk->consumed;
    if (!find_flavour(walk, data + at)) return ts_walk_error(walk, TS_WALK_BAD_MAGIC, 0, 0);
    if (end - at < FILE_HEADER_BYTES) return ts_walk_more(walk, FILE_HEADER_BYTES);
    walk->lengths_order = lengths_order(ts_load16(data + at + 4, walk->swapped),
                                        ts_load16(data + at + 6, walk->swapped));
    uint32_t limit = ts_load32(data + at + 16, walk->swapped);
    if (limit < TS_MAX_PACKET_BYTES) limit = TS_MAX_PACKET_BYTES;
    walk->max_captured = limit > TS_MAX_BLOCK_BYTES ? TS_MAX_BLOCK_BYTES : limit;
    walk->link_type = (uint16_t)(ts_load32(data + at + 20, walk->swapped) & 0xffff);
    walk->format = TS_FORMAT_PCAP;
    walk->consumed += FILE_HEADER_BYTES;
    walk->position += FILE_HEADER_BYTES;
    return 1;
}

static void read_lengths(const ts_records *walk, const uint8_t *p, uint32_t *captured,
                         uint32_t *wire) {
    *captured = ts_load32(p + 8, walk->swapped);
    *wire = ts_load32(p + 12, walk->swapped);
    if (walk->lengths_order == 1 || (walk->lengths_order == 2 && *captured > *wire)) {
        uint32_t swap = *captured;
        *captured = *wire;
        *wire = swap;
    }
}

/* A record header of zeros alone is no packet: it is what a preallocated file holds after a crash. */
static int all_zero(const uint8_t *p, uint32_t n) {
    uint8_t any = 0;
    for (uint32_t i = 0; i < n; i++) any |= p[i];
    return !any;
}

static uint64_t step(ts_records *walk, const uint8_t *data, uint64_t at, uint64_t end,
                     ts_record_columns *out) {
    uint32_t header = walk->record_header_bytes, captured, wire;
    if (end - at < header) return (uint64_t)ts_walk_more(walk, header);
    const uint8_t *p = data + at;
    read_lengths(walk, p, &captured, &wire);
    if (captured > walk->max_captured)
        return (uint64_t)ts_walk_error(walk, TS_WALK_BAD_RECORD_LENGTH, captured,
                                       walk->max_captured);
    if (!captured && all_zero(p, header))
        return (uint64_t)ts_walk_error(walk, TS_WALK_ZERO_RECORD, 0, 0);
    if (end - at - header < captured) return (uint64_t)ts_walk_more(walk, header + captured);
    int64_t seconds = ts_load32(p, walk->swapped), ticks = ts_load32(p + 4, walk->swapped);
    ts_append_packet(walk, out, seconds * 1000000000 + ticks * walk->ns_per_tick, at + header,
                     captured, wire, walk->link_type);
    return (uint64_t)header + captured;
}

void ts_pcap_walk(ts_records *walk, const uint8_t *data, uint64_t end, ts_record_columns *out) {
    uint64_t at = walk->consumed, taken = 1;
    while (taken && out->n < out->room) {
        taken = step(walk, data, at, end, out);
        at += taken;
    }
    walk->position += at - walk->consumed;
    walk->consumed = at;
    if (taken) walk->status = TS_WALK_FULL;
}
