#include "table.h"

#include <stdlib.h>

enum { MIN_SLOTS = 1 << 10, CACHE_LINE_BYTES = 64 };

static table_entry *entry_at(const table *t, size_t i) {
    return (table_entry *)(void *)(t->slots + i * t->entry_bytes);
}

static table_entry *slot_of(const table *t, uint64_t key) {
    size_t i = (size_t)key & (t->n_slots - 1);
    for (;; i = (i + 1) & (t->n_slots - 1)) {
        table_entry *e = entry_at(t, i);
        if (!e->key || e->key == key) return e;
    }
}

static uint64_t usable(uint64_t key) { return key + (key == 0); }

static int is_fresh(const table_entry *e, int64_t now_ns, int64_t life_ns) {
    return ts_apart_ns(now_ns, e->last_ns) <= life_ns;
}

/* Free slots, so that an entry of a cache line's size lies in one. */
static int make_slots(table *t) {
    t->memory = calloc(t->n_slots * t->entry_bytes + CACHE_LINE_BYTES, 1);
    uintptr_t beyond = (uintptr_t)t->memory % CACHE_LINE_BYTES;
    t->slots = (uint8_t *)t->memory + (beyond ? CACHE_LINE_BYTES - beyond : 0);
    return t->memory != NULL;
}

int table_init(table *t, size_t entry_bytes, size_t max_slots, int64_t life_ns,
               void (*drop)(void *)) {
    t->entry_bytes = entry_bytes;
    t->n_slots = MIN_SLOTS;
    t->n_used = 0;
    t->max_slots = max_slots;
    t->life_ns = life_ns;
    t->drop = drop;
    return make_slots(t);
}

static void forget(const table *t, table_entry *e) {
    if (t->drop) t->drop(e);
}

void table_free(table *t) {
    if (!t->memory) return;
    for (size_t i = 0; i < t->n_slots; i++)
        if (entry_at(t, i)->key) forget(t, entry_at(t, i));
    free(t->memory);
    t->memory = NULL;
}

static size_t count_fresh(const table *t, int64_t now_ns, int64_t life_ns) {
    size_t n = 0;
    for (size_t i = 0; i < t->n_slots; i++)
        n += entry_at(t, i)->key && is_fresh(entry_at(t, i), now_ns, life_ns);
    return n;
}

/* No memory for another table: start over in this one. */
static void start_over(table *t) {
    for (size_t i = 0; i < t->n_slots; i++)
        if (entry_at(t, i)->key) forget(t, entry_at(t, i));
    memset(t->slots, 0, t->n_slots * t->entry_bytes);
    t->n_used = 0;
}

static void make_room(table *t, int64_t now_ns) {
    table old = *t;
    int64_t life_ns = t->life_ns;
    while (count_fresh(&old, now_ns, life_ns) * 4 > t->n_slots) {
        if (t->n_slots < t->max_slots) t->n_slots *= 2;
        else if (life_ns) life_ns /= 2;
        else break;
    }
    if (!make_slots(t)) {
        *t = old;
        start_over(t);
        return;
    }
    t->n_used = 0;
    for (size_t i = 0; i < old.n_slots; i++) {
        table_entry *e = entry_at(&old, i);
        if (!e->key) continue;
        if (is_fresh(e, now_ns, life_ns) && t->n_used * 4 <= t->n_slots) {
            memcpy(slot_of(t, e->key), e, t->entry_bytes);
            t->n_used++;
        } else {
            forget(t, e);
        }
    }
    free(old.memory);
}

void *table_find(const table *t, uint64_t key, int64_t now_ns) {
    table_entry *e = slot_of(t, usable(key));
    return e->key && is_fresh(e, now_ns, t->life_ns) ? e : NULL;
}

static void start_entry(const table *t, table_entry *e, uint64_t key, int64_t now_ns) {
    memset(e, 0, t->entry_bytes);
    e->key = key;
    e->last_ns = now_ns;
}

void *table_get(table *t, uint64_t key, int64_t now_ns, int *is_new) {
    table_entry *e = slot_of(t, usable(key));
    *is_new = !e->key || !is_fresh(e, now_ns, t->life_ns);
    if (!*is_new) return e;
    if (e->key) {
        forget(t, e);
        start_entry(t, e, usable(key), now_ns);
        return e;
    }
    if (t->n_used * 2 >= t->n_slots) {
        make_room(t, now_ns);
        e = slot_of(t, usable(key));
    }
    start_entry(t, e, usable(key), now_ns);
    t->n_used++;
    return e;
}
