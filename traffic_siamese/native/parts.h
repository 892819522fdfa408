/* Messages that were read from the first fragment of a datagram alone. Where the rest never comes,
 * as in captures filtered by port, they stand; when the whole datagram is put together, what is
 * read from it takes their place. */
#ifndef TRAFFIC_SIAMESE_PARTS_H
#define TRAFFIC_SIAMESE_PARTS_H

#include "batch.h"

enum { PART_WAYS = 8, N_PART_SETS = 128 };

typedef struct {
    uint64_t key;
    uint64_t batch; /* the number of the batch that the messages stand in */
    int64_t first, n; /* n is 0 in a free slot */
} part;

typedef struct {
    part slots[N_PART_SETS][PART_WAYS];
    uint64_t batch;
} parts;

/* The messages from `first` on were read from the first fragment of packet i's datagram. */
void parts_keep(parts *all, const packet_columns *in, int64_t i, int64_t first,
                const ts_batch *out);

/* The messages from `first` on were read from the whole datagram of packet i: put them where those
 * of its first fragment are, or leave them out where these have been handed on. */
void parts_replace(parts *all, const packet_columns *in, int64_t i, int64_t first, ts_batch *out);

#endif
