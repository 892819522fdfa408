/* pcapng: typed blocks in sections, each section with a byte order and interfaces of its own.
 *
 * Reference: draft-ietf-opsawg-pcapng.
 */
#include "records.h"

#include <stdlib.h>

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_ENHANCED_PACKET = 6,
    OPTION_RESOLUTION = 9,
    OPTION_OFFSET = 14,
    MIN_BLOCK_BYTES = 12,
};
static const uint32_t BLOCK_SECTION = 0x0a0d0d0au, BYTE_ORDER_MAGIC = 0x1a2b3c4du;

/* One block: its whole extent is in the buffer, `body` and `body_bytes` leave the frame out. */
typedef struct {
    const uint8_t *body;
    uint64_t body_offset;
    uint32_t body_bytes;
} block;

static int64_t saturating_add(int64_t a, int64_t b) {
    if (b > 0 && a > INT64_MAX - b) return INT64_MAX;
    if (b < 0 && a < INT64_MIN - b) return INT64_MIN;
    return a + b;
}

static int64_t saturate(unsigned __int128 value) {
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static uint64_t power_of_ten(unsigned exponent) {
    uint64_t value = 1;
    while (exponent--) value *= 10;
    return value;
}

/* Ticks of an interface's clock to nanoseconds since the epoch, saturating at the int64 range. */
static int64_t to_ns(const ts_interface *interface, uint64_t ticks) {
    unsigned exponent = interface->resolution & 0x7f;
    int64_t ns;
    if (interface->resolution & 0x80)
        ns = saturate(((unsigned __int128)ticks * 1000000000u) >> exponent);
    else if (exponent <= 9)
        ns = saturate((unsigned __int128)ticks * power_of_ten(9 - exponent));
    else
        ns = exponent > 28 ? 0 : saturate(ticks / power_of_ten(exponent - 9));
    if (!interface->offset_s) return ns;
    int64_t limit = INT64_MAX / 1000000000, offset = interface->offset_s;
    if (offset > limit) return INT64_MAX;
    if (offset < -limit) return INT64_MIN;
    return saturating_add(ns, offset * 1000000000);
}

static void read_option(ts_interface *interface, int swapped, uint16_t code, const uint8_t *value,
                        uint16_t length) {
    if (code == OPTION_RESOLUTION && length >= 1) interface->resolution = value[0];
    if (code == OPTION_OFFSET && length >= 8)
        interface->offset_s = (int64_t)ts_load64(value, swapped);
}

static void read_options(ts_interface *interface, int swapped, const uint8_t *p, uint32_t left) {
    while (left >= 4) {
        uint16_t code = ts_load16(p, swapped), length = ts_load16(p + 2, swapped);
        uint32_t padded = ((uint32_t)length + 3) & ~3u;
        if (!code || padded > left - 4) return;
        read_option(interface, swapped, code, p + 4, length);
        p += 4 + padded;
        left -= 4 + padded;
    }
}

static int reserve_interface(ts_records *walk) {
    if (walk->n_interfaces < walk->interface_room) return 1;
    if (walk->n_interfaces >= TS_MAX_INTERFACES)
        return ts_walk_error(walk, TS_WALK_TOO_MANY_INTERFACES, walk->n_interfaces,
                             TS_MAX_INTERFACES);
    uint32_t room = walk->interface_room ? walk->interface_room * 2 : 16;
    ts_interface *grown = realloc(walk->interfaces, room * sizeof *grown);
    if (!grown) return ts_walk_error(walk, TS_WALK_NO_MEMORY, room * sizeof *grown, 0);
    walk->interfaces = grown;
    walk->interface_room = room;
    return 1;
}

static int short_block(ts_records *walk, const block *b, uint32_t minimum) {
    return ts_walk_error(walk, TS_WALK_BAD_BLOCK_LENGTH, b->body_bytes + MIN_BLOCK_BYTES,
                         minimum + MIN_BLOCK_BYTES);
}

static int add_interface(ts_records *walk, const block *b) {
    if (b->body_bytes < 8) return short_block(walk, b, 8);
    if (!reserve_interface(walk)) return 0;
    ts_interface *interface = &walk->interfaces[walk->n_interfaces++];
    interface->link_type = ts_load16(b->body, walk->swapped);
    interface->snaplen = ts_load32(b->body + 4, walk->swapped);
    interface->resolution = 6;
    interface->offset_s = 0;
    read_options(interface, walk->swapped, b->body + 8, b->body_bytes - 8);
    return 1;
}

static const ts_interface *find_interface(ts_records *walk, uint32_t number) {
    if (number < walk->n_interfaces) return &walk->interfaces[number];
    ts_walk_error(walk, TS_WALK_NO_INTERFACE, number, walk->n_interfaces);
    return NULL;
}

/* Enhanced packets and the obsolete packet block differ only in how the interface is written. */
static int add_packet(ts_records *walk, const block *b, ts_record_columns *out, int obsolete) {
    if (b->body_bytes < 20) return short_block(walk, b, 20);
    int swapped = walk->swapped;
    const uint8_t *p = b->body;
    uint32_t number = obsolete ? ts_load16(p, swapped) : ts_load32(p, swapped);
    const ts_interface *interface = find_interface(walk, number);
    if (!interface) return 0;
    uint32_t captured = ts_load32(p + 12, swapped), wire = ts_load32(p + 16, swapped);
    if (captured > b->body_bytes - 20)
        return ts_walk_error(walk, TS_WALK_BAD_PACKET_LENGTH, captured, b->body_bytes - 20);
    uint64_t ticks = ((uint64_t)ts_load32(p + 4, swapped) << 32) | ts_load32(p + 8, swapped);
    ts_append_packet(walk, out, to_ns(interface, ticks), b->body_offset + 20, captured, wire,
                     interface->link_type);
    return 1;
}

/* A simple packet has no time of its own: it takes that of the packet before it. */
static int add_simple_packet(ts_records *walk, const block *b, ts_record_columns *out) {
    if (b->body_bytes < 4) return short_block(walk, b, 4);
    const ts_interface *interface = find_interface(walk, 0);
    if (!interface) return 0;
    uint32_t wire = ts_load32(b->body, walk->swapped), captured = wire;
    if (interface->snaplen && captured > interface->snaplen) captured = interface->snaplen;
    if (captured > b->body_bytes - 4)
        return ts_walk_error(walk, TS_WALK_BAD_PACKET_LENGTH, captured, b->body_bytes - 4);
    walk->n_untimed++;
    ts_append_packet(walk, out, walk->previous_ns, b->body_offset + 4, captured, wire,
                     interface->link_type);
    return 1;
}

/* A section header sets the byte order in which its own length must be read. */
static int section_order(ts_records *walk, const uint8_t *p) {
    for (int swapped = 0; swapped < 2; swapped++)
        if (ts_load32(p + 8, swapped) == BYTE_ORDER_MAGIC) {
            walk->swapped = swapped;
            return 1;
        }
    return ts_walk_error(walk, TS_WALK_BAD_BYTE_ORDER, ts_be32(p + 8), BYTE_ORDER_MAGIC);
}

static int open_section(ts_records *walk, const block *b) {
    uint16_t version = ts_load16(b->body + 4, walk->swapped);
    if (version != 1) return ts_walk_error(walk, TS_WALK_BAD_VERSION, version, 1);
    walk->n_interfaces = 0;
    return 1;
}

static int read_block(ts_records *walk, uint32_t type, const block *b, ts_record_columns *out) {
    switch (type) {
    case BLOCK_INTERFACE: return add_interface(walk, b);
    case BLOCK_ENHANCED_PACKET: return add_packet(walk, b, out, 0);
    case BLOCK_PACKET: return add_packet(walk, b, out, 1);
    case BLOCK_SIMPLE_PACKET: return add_simple_packet(walk, b, out);
    default: return 1;
    }
}

uint64_t ts_pcapng_step(ts_records *walk, const uint8_t *data, uint64_t at, uint64_t end,
                        ts_record_columns *out) {
    const uint8_t *p = data + at;
    if (end - at < MIN_BLOCK_BYTES) return (uint64_t)ts_walk_more(walk, MIN_BLOCK_BYTES);
    uint32_t section = ts_load32(p, 0) == BLOCK_SECTION;
    if (section && !section_order(walk, p)) return 0;
    uint32_t type = ts_load32(p, walk->swapped), length = ts_load32(p + 4, walk->swapped);
    uint32_t minimum = section ? 28 : MIN_BLOCK_BYTES;
    if (length < minimum || length % 4 || length > TS_MAX_BLOCK_BYTES)
        return (uint64_t)ts_walk_error(walk, TS_WALK_BAD_BLOCK_LENGTH, length, minimum);
    if (end - at < length) return (uint64_t)ts_walk_more(walk, length);
    uint32_t trailer = ts_load32(p + length - 4, walk->swapped);
    if (trailer != length)
        return (uint64_t)ts_walk_error(walk, TS_WALK_BAD_TRAILER, trailer, length);
    block b = {p + 8, at + 8, length - MIN_BLOCK_BYTES};
    return (section ? open_section(walk, &b) : read_block(walk, type, &b, out)) ? length : 0;
}
