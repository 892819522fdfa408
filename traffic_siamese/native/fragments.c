/* Putting fragments together, in bounded memory: at most 1.5 MiB and 1024 datagrams wait, none of
 * them longer than 30 s of capture time.
 *
 * Bytes that came first stay where fragments of IPv4 overlap; a datagram of IPv6 with an overlap is
 * dropped (RFC 5722), a fragment seen twice is not an overlap. References: RFC 791 section 3.2,
 * RFC 815, RFC 8200 section 4.5. */
#include <stdlib.h>

#include "decode.h"
#include "table.h"

enum {
    UNIT_BYTES = 8,
    MAX_BYTES = 65536, /* of a datagram */
    MAX_UNITS = MAX_BYTES / UNIT_BYTES,
    WAYS = 4,
    N_SETS = 256,
    MAX_WAITING_BYTES = 3 << 19,
    GROWTH_BYTES = 2048,
};
static const int64_t LIFE_NS = 30LL * 1000000000;

typedef struct {
    uint64_t key;
    int64_t first_ns;
    uint8_t *bytes;
    uint32_t capacity, total, n_units; /* total: 0 until the last fragment is seen */
    uint8_t protocol, is_used, is_spoilt;
    uint8_t have[MAX_UNITS / 8];
} datagram;

struct ts_fragments {
    datagram waiting[N_SETS * WAYS];
    uint64_t n_bytes;
    uint32_t hand; /* where room is made next */
};

TS_EXPORT ts_fragments *ts_fragments_new(void) { return calloc(1, sizeof(ts_fragments)); }

static void forget(ts_fragments *all, datagram *d) {
    free(d->bytes);
    all->n_bytes -= d->capacity;
    d->bytes = NULL;
    d->capacity = d->is_used = 0;
}

TS_EXPORT void ts_fragments_free(ts_fragments *all) {
    if (!all) return;
    for (int i = 0; i < N_SETS * WAYS; i++) forget(all, &all->waiting[i]);
    free(all);
}

/* How much room completed datagrams take at most beside the bytes of a buffer of packets. */
TS_EXPORT uint64_t ts_fragments_max_bytes(void) { return MAX_WAITING_BYTES; }

static void start(ts_fragments *all, datagram *d, uint64_t key, int64_t now_ns) {
    forget(all, d);
    memset(d, 0, sizeof *d);
    d->key = key;
    d->first_ns = now_ns;
    d->is_used = 1;
}

/* The datagram of this key, or a new one in the place of the oldest of its set. */
static datagram *find(ts_fragments *all, uint64_t key, int64_t now_ns) {
    datagram *set = &all->waiting[key % N_SETS * WAYS], *oldest = set;
    for (datagram *d = set; d < set + WAYS; d++) {
        if (d->is_used && d->key == key) {
            if (ts_apart_ns(now_ns, d->first_ns) > LIFE_NS) start(all, d, key, now_ns);
            return d;
        }
        if (oldest->is_used && (!d->is_used || d->first_ns < oldest->first_ns)) oldest = d;
    }
    start(all, oldest, key, now_ns);
    return oldest;
}

/* Forget others, one after the other round the table, until so many bytes more may wait. */
static void make_room(ts_fragments *all, const datagram *mine, uint32_t bytes) {
    for (int i = 0; i < N_SETS * WAYS && all->n_bytes + bytes > MAX_WAITING_BYTES; i++) {
        datagram *d = &all->waiting[all->hand++ % (N_SETS * WAYS)];
        if (d != mine && d->is_used) forget(all, d);
    }
}

static int reserve(ts_fragments *all, datagram *d, uint32_t end) {
    if (end <= d->capacity) return 1;
    uint32_t capacity = (end + GROWTH_BYTES - 1) / GROWTH_BYTES * GROWTH_BYTES;
    make_room(all, d, capacity - d->capacity);
    uint8_t *wider = realloc(d->bytes, capacity);
    if (!wider) return 0;
    all->n_bytes += capacity - d->capacity;
    d->bytes = wider;
    d->capacity = capacity;
    return 1;
}

static int has(const datagram *d, uint32_t unit) { return d->have[unit / 8] >> unit % 8 & 1; }

static uint32_t units_in(uint32_t bytes) { return (bytes + UNIT_BYTES - 1) / UNIT_BYTES; }

/* Is this the first time, the same again, or a clash with other fragments? */
static int overlaps(const datagram *d, uint32_t first, uint32_t end) {
    uint32_t n = 0;
    for (uint32_t unit = first; unit < end; unit++) n += (uint32_t)has(d, unit);
    return n && n < end - first;
}

static void copy_units(datagram *d, const uint8_t *p, uint32_t offset, uint32_t bytes) {
    for (uint32_t done = 0; done < bytes; done += UNIT_BYTES) {
        uint32_t unit = (offset + done) / UNIT_BYTES, left = bytes - done;
        if (has(d, unit)) continue;
        memcpy(d->bytes + offset + done, p + done, left < UNIT_BYTES ? left : UNIT_BYTES);
        d->have[unit / 8] |= (uint8_t)(1 << unit % 8);
        d->n_units++;
    }
}

/* Check a fragment against what is known of the datagram's length; the last one tells it. */
static int fits(datagram *d, uint32_t end, int more) {
    if (end > MAX_BYTES || (d->total && end > d->total)) return 0;
    if (more) return 1;
    if (d->total && d->total != end) return 0;
    d->total = end;
    return 1;
}

static void add(ts_fragments *all, datagram *d, const ts_packet *packet, uint32_t offset, int more) {
    uint32_t bytes = packet->captured, end = offset + packet->wire;
    if (more || packet->captured < packet->wire) bytes -= bytes % UNIT_BYTES;
    if (d->is_spoilt || !fits(d, end, more) || !bytes || !reserve(all, d, offset + bytes)) return;
    if (!offset) d->protocol = packet->ip_protocol;
    if (packet->ip_version == 6 &&
        overlaps(d, offset / UNIT_BYTES, units_in(offset + bytes)))
        d->is_spoilt = 1;
    copy_units(d, packet->at, offset, bytes);
}

/* Is every unit there? The first fragment may be: it alone knows the upper protocol. */
static int is_whole(const datagram *d) {
    return !d->is_spoilt && d->total && d->n_units == units_in(d->total) && d->capacity >= d->total;
}

int ts_reassemble(ts_packet *packet, uint64_t key, uint32_t offset, int more) {
    ts_arena *arena = packet->arena;
    if (!arena || !arena->fragments) return 0;
    datagram *d = find(arena->fragments, key, packet->time_ns);
    add(arena->fragments, d, packet, offset, more);
    if (!is_whole(d)) return 0;
    int fits_arena = d->total <= arena->bytes;
    if (fits_arena) {
        memcpy(arena->room, d->bytes, d->total);
        packet->at = arena->room;
        packet->captured = packet->wire = d->total;
        packet->ip_protocol = d->protocol;
        arena->room += d->total;
        arena->bytes -= d->total;
    }
    forget(arena->fragments, d);
    return fits_arena;
}
