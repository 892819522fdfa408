/* Reading header blocks: RFC 7541.  The table holds the newest entries only, as many as fit here;
 * an older one, or one from before the reading began, is a header that is not known. */
#include <stdlib.h>

#include "hpack.h"

enum {
    ENTRY_BYTES = 32, /* what an entry counts beyond its text: section 4.1 */
    MAX_TABLE_BYTES = 4096, /* the default; of a table made larger the older part is not kept */
    N_SLOTS = MAX_TABLE_BYTES / ENTRY_BYTES,
    N_STATIC = 61,
    MAX_INTEGER = 1 << 28,
};

/* The static table of appendix A, from index 1 on. */
static const struct {
    const char *name, *value;
} STATIC[N_STATIC] = {
    {":authority", ""}, {":method", "GET"}, {":method", "POST"}, {":path", "/"},
    {":path", "/index.html"}, {":scheme", "http"}, {":scheme", "https"}, {":status", "200"},
    {":status", "204"}, {":status", "206"}, {":status", "304"}, {":status", "400"},
    {":status", "404"}, {":status", "500"}, {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"}, {"accept-language", ""}, {"accept-ranges", ""},
    {"accept", ""}, {"access-control-allow-origin", ""}, {"age", ""}, {"allow", ""},
    {"authorization", ""}, {"cache-control", ""}, {"content-disposition", ""},
    {"content-encoding", ""}, {"content-language", ""}, {"content-length", ""},
    {"content-location", ""}, {"content-range", ""}, {"content-type", ""}, {"cookie", ""},
    {"date", ""}, {"etag", ""}, {"expect", ""}, {"expires", ""}, {"from", ""}, {"host", ""},
    {"if-match", ""}, {"if-modified-since", ""}, {"if-none-match", ""}, {"if-range", ""},
    {"if-unmodified-since", ""}, {"last-modified", ""}, {"link", ""}, {"location", ""},
    {"max-forwards", ""}, {"proxy-authenticate", ""}, {"proxy-authorization", ""}, {"range", ""},
    {"referer", ""}, {"refresh", ""}, {"retry-after", ""}, {"server", ""}, {"set-cookie", ""},
    {"strict-transport-security", ""}, {"transfer-encoding", ""}, {"user-agent", ""}, {"vary", ""},
    {"via", ""}, {"www-authenticate", ""},
};

typedef struct {
    uint32_t size; /* of section 4.1, of the whole texts */
    uint16_t name_bytes, value_bytes;
    uint8_t name_known, value_known;
    uint8_t text[];
} entry;

struct hpack_table {
    entry *slots[N_SLOTS];
    uint32_t newest, n, bytes, max_bytes; /* slots[newest] is index 62 */
    int is_whole; /* nothing is in it that was not seen */
};

/* A text on its way out of a block, and the room to decode it in. */
typedef struct {
    hpack_text text;
    uint64_t whole_bytes; /* it may have been cut */
    uint8_t room[HPACK_MAX_TEXT_BYTES];
} decoded;

typedef struct {
    const uint8_t *p, *end;
} cursor;

TS_EXPORT hpack_table *hpack_new(int from_start) {
    hpack_table *table = calloc(1, sizeof *table);
    if (!table) return NULL;
    table->max_bytes = MAX_TABLE_BYTES;
    table->is_whole = from_start;
    return table;
}

static entry **slot_at(hpack_table *table, uint32_t age) {
    return table->slots + (table->newest + N_SLOTS - age) % N_SLOTS;
}

static void shrink_to(hpack_table *table, uint32_t bytes) {
    while (table->n && table->bytes > bytes) {
        entry **oldest = slot_at(table, --table->n);
        table->bytes -= (*oldest)->size;
        free(*oldest);
        *oldest = NULL;
    }
}

static void forget_all(hpack_table *table) {
    table->bytes = UINT32_MAX; /* more than any: each entry has its turn */
    shrink_to(table, 0);
    table->bytes = 0;
}

TS_EXPORT void hpack_free(hpack_table *table) {
    if (table) forget_all(table);
    free(table);
}

TS_EXPORT void hpack_lose(hpack_table *table) {
    forget_all(table);
    table->is_whole = 0;
    table->max_bytes = MAX_TABLE_BYTES; /* what the sender uses may have changed unseen */
}

/* Section 4.4: an entry larger than the table empties it. */
static void insert(hpack_table *table, const decoded *name, const decoded *value) {
    uint64_t size = ENTRY_BYTES + name->whole_bytes + value->whole_bytes;
    if (size > table->max_bytes) {
        if (table->max_bytes == MAX_TABLE_BYTES) table->is_whole = 0; /* the sender's may hold it */
        forget_all(table);
        return;
    }
    shrink_to(table, table->max_bytes - (uint32_t)size);
    entry *fresh = malloc(sizeof *fresh + name->text.n + value->text.n);
    if (!fresh) {
        hpack_lose(table);
        return;
    }
    *fresh = (entry){.size = (uint32_t)size,
                     .name_bytes = (uint16_t)name->text.n,
                     .value_bytes = (uint16_t)value->text.n,
                     .name_known = name->text.at != NULL,
                     .value_known = value->text.at != NULL};
    if (name->text.at) memcpy(fresh->text, name->text.at, name->text.n);
    if (value->text.at) memcpy(fresh->text + name->text.n, value->text.at, value->text.n);
    table->newest = (table->newest + 1) % N_SLOTS;
    table->slots[table->newest] = fresh;
    table->n++;
    table->bytes += (uint32_t)size;
}

/* Section 6.3.  Where the sender's table is larger than ours, older entries are not known. */
static void resize(hpack_table *table, uint32_t bytes) {
    if (bytes > MAX_TABLE_BYTES) table->is_whole = 0;
    table->max_bytes = bytes < MAX_TABLE_BYTES ? bytes : MAX_TABLE_BYTES;
    shrink_to(table, table->max_bytes);
}

/* Section 5.1: an integer that begins in the low bits of a byte.  Returns 0 where it is cut. */
static int read_integer(cursor *in, unsigned prefix_bits, uint32_t *value) {
    uint32_t mask = (1u << prefix_bits) - 1;
    uint64_t sum;
    unsigned shift = 0;
    if (in->p >= in->end) return 0;
    sum = *in->p++ & mask;
    if (sum == mask) {
        uint8_t byte;
        do {
            if (in->p >= in->end || shift > 28) return 0;
            byte = *in->p++;
            sum += (uint64_t)(byte & 0x7f) << shift;
            shift += 7;
        } while (byte & 0x80);
    }
    *value = (uint32_t)sum;
    return sum < MAX_INTEGER;
}

/* Section 5.2. */
static int read_text(cursor *in, decoded *out) {
    uint32_t length;
    int is_huffman = in->p < in->end && (*in->p & 0x80);
    if (!read_integer(in, 7, &length) || length > (size_t)(in->end - in->p)) return 0;
    int64_t whole = length;
    out->text.at = in->p;
    if (is_huffman) {
        whole = hpack_huffman(in->p, length, out->room, sizeof out->room);
        if (whole < 0) return 0;
        out->text.at = out->room;
    }
    in->p += length;
    out->whole_bytes = (uint64_t)whole;
    out->text.n = whole < HPACK_MAX_TEXT_BYTES ? (size_t)whole : HPACK_MAX_TEXT_BYTES;
    return 1;
}

static void set_known(decoded *out, const void *text, size_t n) {
    out->text = (hpack_text){text, n};
    out->whole_bytes = n;
}

/* The header at an index: section 2.3.3.  Returns 0 where there cannot be one.  The texts lie in
 * the tables: an insertion may free them. */
static int look_up(hpack_table *table, uint32_t index, decoded *name, decoded *value) {
    if (!index) return 0;
    if (index <= N_STATIC) {
        set_known(name, STATIC[index - 1].name, strlen(STATIC[index - 1].name));
        set_known(value, STATIC[index - 1].value, strlen(STATIC[index - 1].value));
        return 1;
    }
    set_known(name, NULL, 0);
    set_known(value, NULL, 0);
    uint32_t age = index - N_STATIC - 1;
    if (age >= table->n) return !table->is_whole;
    const entry *e = *slot_at(table, age);
    if (e->name_known) set_known(name, e->text, e->name_bytes);
    if (e->value_known) set_known(value, e->text + e->name_bytes, e->value_bytes);
    return 1;
}

/* Keep a text that lies in the table where an insertion does not free it. */
static void keep(decoded *text) {
    if (!text->text.at || text->text.at == text->room) return;
    memcpy(text->room, text->text.at, text->text.n);
    text->text.at = text->room;
}

/* Section 6.2: a literal, whose name may be an index.  The name goes before the value. */
static int read_literal(hpack_table *table, cursor *in, unsigned prefix_bits, decoded *name,
                        decoded *value) {
    uint32_t index;
    if (!read_integer(in, prefix_bits, &index)) return 0;
    if (!index) {
        if (!read_text(in, name)) return 0;
    } else if (!look_up(table, index, name, value)) {
        return 0;
    }
    keep(name);
    return read_text(in, value);
}

TS_EXPORT int hpack_read(hpack_table *table, const uint8_t *p, size_t n, hpack_take *take, void *to) {
    cursor in = {p, p + n};
    decoded name, value;
    while (in.p < in.end) {
        uint8_t first = *in.p;
        uint32_t number;
        if (first & 0x80) { /* section 6.1 */
            if (!read_integer(&in, 7, &number) || !look_up(table, number, &name, &value)) return 0;
        } else if ((first & 0xe0) == 0x20) {
            if (!read_integer(&in, 5, &number)) return 0;
            resize(table, number);
            continue;
        } else if (!read_literal(table, &in, first & 0x40 ? 6 : 4, &name, &value)) {
            return 0;
        }
        take(to, name.text, value.text);
        if ((first & 0xc0) == 0x40) insert(table, &name, &value);
    }
    return 1;
}
