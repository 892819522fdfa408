#include "parts.h"

static uint64_t key_of(const packet_columns *in, int64_t i) {
    uint64_t ports = (uint64_t)in->src_port[i] << 16 | in->dst_port[i];
    uint64_t where = (uint64_t)in->fragment_id[i] << 32 | ports;
    return ts_mix(in->src_key[i] ^ ts_mix(in->dst_key[i] ^ ts_mix(where + 1)));
}

static part *find(part *set, uint64_t key) {
    for (int way = 0; way < PART_WAYS; way++)
        if (set[way].n && set[way].key == key) return set + way;
    return NULL;
}

static part *oldest(part *set) {
    part *found = set;
    for (part *p = set; p < set + PART_WAYS; p++) {
        if (!p->n) return p;
        if (p->batch < found->batch || (p->batch == found->batch && p->first < found->first))
            found = p;
    }
    return found;
}

void parts_keep(parts *all, const packet_columns *in, int64_t i, int64_t first,
                const ts_batch *out) {
    uint64_t key = key_of(in, i);
    part *set = all->slots[key % N_PART_SETS], *known = find(set, key);
    if (out->n_messages == first) return;
    *(known ? known : oldest(set)) = (part){key, all->batch, first, out->n_messages - first};
}

void parts_replace(parts *all, const packet_columns *in, int64_t i, int64_t first, ts_batch *out) {
    uint64_t key = key_of(in, i);
    part *known = find(all->slots[key % N_PART_SETS], key);
    if (!known) return;
    int64_t n_new = out->n_messages - first, n_both = n_new < known->n ? n_new : known->n;
    ts_message_row *fresh = out->messages + first, *old = out->messages + known->first;
    for (int64_t k = 0; known->batch == all->batch && k < n_both; k++) {
        fresh[k].packet = old[k].packet;
        old[k] = fresh[k];
    }
    memmove(fresh, fresh + n_both, (size_t)(n_new - n_both) * sizeof *fresh);
    out->n_messages -= n_both;
    known->n = 0;
}
