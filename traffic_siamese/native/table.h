/* An open-addressing hash table whose entries outlive their use only for a while.
 *
 * Every entry begins with table_entry.  An entry not used for longer than the table's life counts
 * as gone.  Where the table is half full it forgets those, doubles up to its limit, and beyond that
 * forgets sooner: memory stays bounded whatever the traffic is. */
#ifndef TRAFFIC_SIAMESE_TABLE_H
#define TRAFFIC_SIAMESE_TABLE_H

#include "kernel.h"

typedef struct {
    uint64_t key; /* 0: free slot */
    int64_t last_ns;
} table_entry;

typedef struct {
    uint8_t *slots; /* begins at a cache line */
    void *memory;
    size_t entry_bytes, n_slots, n_used, max_slots;
    int64_t life_ns;
    void (*drop)(void *entry); /* called for each entry forgotten; may be NULL */
} table;

/* Returns 0 where there is no memory. */
int table_init(table *t, size_t entry_bytes, size_t max_slots, int64_t life_ns,
               void (*drop)(void *));
void table_free(table *t);

/* Nanoseconds between two times, whichever comes first; saturating. */
static inline int64_t ts_apart_ns(int64_t a, int64_t b) {
    uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    return apart > INT64_MAX ? INT64_MAX : (int64_t)apart;
}

/* The entry of this key; NULL where there is none, or it outlived its use. */
void *table_find(const table *t, uint64_t key, int64_t now_ns);

/* This key will be asked for soon: fetch the slot where it would be. */
static inline void table_expect(const table *t, uint64_t key) {
    __builtin_prefetch(t->slots + ((size_t)key & (t->n_slots - 1)) * t->entry_bytes);
}

/* The entry of this key, made (all zero but its key) where there is none. */
void *table_get(table *t, uint64_t key, int64_t now_ns, int *is_new);

#endif
