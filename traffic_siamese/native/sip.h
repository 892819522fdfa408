/* SIP messages (RFC 3261) as protocol-neutral slots. */
#ifndef TRAFFIC_SIAMESE_SIP_H
#define TRAFFIC_SIAMESE_SIP_H

#include "message.h"

/* Does a SIP start line begin here?  1 yes, 0 no, -1 more bytes are needed to tell. */
int sip_starts(const uint8_t *p, size_t n);

/* Length of the head including its blank line, or 0 where it does not end within n bytes. */
size_t sip_head_bytes(const uint8_t *p, size_t n);

/* Read a head of n bytes, which may be cut short, or go on to its body.  Returns 0 where it is no
 * SIP message.  Where the body's length is not wanted the reading ends sooner. */
int sip_read_head(const uint8_t *p, size_t n, int wants_length, ts_message *out);

#endif
