/* Header compression of HTTP/2: HPACK, RFC 7541. */
#ifndef TRAFFIC_SIAMESE_HPACK_H
#define TRAFFIC_SIAMESE_HPACK_H

#include "kernel.h"

/* Longer names and values are cut to this: no header that is read is longer. */
enum { HPACK_MAX_TEXT_BYTES = 2048 };

/* A name or a value.  `at` is NULL where it was put in the table before the reading began. */
typedef struct {
    const uint8_t *at;
    size_t n;
} hpack_text;

/* Takes one header; its texts do not outlive the call. */
typedef void hpack_take(void *to, hpack_text name, hpack_text value);

typedef struct hpack_table hpack_table;

/* A table that is empty since the connection begins here (`from_start`), or whose content is not
 * known.  NULL where there is no memory. */
hpack_table *hpack_new(int from_start);
void hpack_free(hpack_table *table);

/* Header blocks were missed: what the table holds cannot be known any more. */
void hpack_lose(hpack_table *table);

/* Read one whole header block, header by header.  Returns 0 where it is malformed: then the table
 * does not agree with the sender's any more. */
int hpack_read(hpack_table *table, const uint8_t *p, size_t n, hpack_take *take, void *to);

/* Decode Huffman-coded text into `out`, as far as there is room.  Returns how long the whole text
 * is, or -1 where it is malformed: RFC 7541 section 5.2. */
int64_t hpack_huffman(const uint8_t *p, size_t n, uint8_t *out, size_t room);

#endif
