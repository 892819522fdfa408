/* From the bytes of a capture file to one row per packet, a buffer at a time.
 *
 * The state holds all that survives between buffers, so a file of any length is walked in
 * constant memory, and a record that straddles two buffers is met again whole.
 */
#include "records.h"

#include <stdlib.h>

static int open_format(ts_records *walk, const uint8_t *data, uint64_t end) {
    if (end - walk->consumed < 4) return ts_walk_more(walk, 4);
    if (ts_load32(data + walk->consumed, 0) != 0x0a0d0d0au) return ts_pcap_open(walk, data, end);
    walk->format = TS_FORMAT_PCAPNG;
    return 1;
}

static void walk_pcapng(ts_records *walk, const uint8_t *data, uint64_t end,
                        ts_record_columns *out) {
    uint64_t taken = 1;
    while (taken && out->n < out->room) {
        taken = ts_pcapng_step(walk, data, walk->consumed, end, out);
        walk->consumed += taken;
        walk->position += taken;
    }
    if (taken) walk->status = TS_WALK_FULL;
}

/* Walk data[walk->consumed..end). Returns the packets appended; walk->status says why it stopped. */
TS_EXPORT uint64_t ts_records_walk(ts_records *walk, const uint8_t *data, uint64_t end,
                                   ts_record_columns *out) {
    out->n = 0;
    walk->status = TS_WALK_MORE;
    if (walk->format == TS_FORMAT_UNKNOWN && !open_format(walk, data, end)) return 0;
    if (walk->format == TS_FORMAT_PCAP)
        ts_pcap_walk(walk, data, end, out);
    else
        walk_pcapng(walk, data, end, out);
    return out->n;
}

TS_EXPORT uint64_t ts_records_state_bytes(void) { return sizeof(ts_records); }

TS_EXPORT void ts_records_free(ts_records *walk) {
    free(walk->interfaces);
    walk->interfaces = NULL;
    walk->n_interfaces = walk->interface_room = 0;
}
