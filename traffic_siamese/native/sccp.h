/* Messages of SCCP, which M3UA carries. */
#ifndef TRAFFIC_SIAMESE_SCCP_H
#define TRAFFIC_SIAMESE_SCCP_H

#include "message.h"

/* Read the message that starts at p, sent from one signalling point to another. */
int sccp_read(const uint8_t *p, size_t n, uint32_t from_point, uint32_t to_point, ts_message *out);

#endif
