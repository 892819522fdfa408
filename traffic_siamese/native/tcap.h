/* Dialogues of TCAP, which SCCP carries. */
#ifndef TRAFFIC_SIAMESE_TCAP_H
#define TRAFFIC_SIAMESE_TCAP_H

#include "message.h"

/* Between whom a message goes: point codes, and what the SCCP addresses name. */
typedef struct {
    uint32_t from_point, to_point;
    uint8_t is_camel; /* one of them is the CAMEL application: TS 23.003 clause 8 */
    uint64_t called_key;
} tcap_route;

/* Read the message that starts at p.  Returns 0 where it is none. */
int tcap_read(const uint8_t *p, size_t n, const tcap_route *route, ts_message *out);

/* The key of the dialogue of a message that was not delivered, and comes back to its sender.
 * Returns 0 where it opened none. */
int tcap_returned(const uint8_t *p, size_t n, const tcap_route *route, ts_message *out);

#endif
