/* What HTTP requests and answers of the 5G core's service-based interfaces are in slots, whatever
 * the version of HTTP: TS 29.500, TS 29.501. */
#ifndef TRAFFIC_SIAMESE_HTTP_H
#define TRAFFIC_SIAMESE_HTTP_H

#include "message.h"

/* A part of a path, not ended by a zero. */
typedef struct {
    const uint8_t *at;
    size_t n;
} http_text;

/* Fill the kind, the session and the target of a request. */
void http_fill_request(http_text method, http_text path, ts_message *out);

/* Fill the class of an answer. */
void http_fill_answer(unsigned status, ts_message *out);

/* Fill the session that an answer opened, from the reference to it (its Location). */
void http_fill_session(http_text location, ts_message *out);

/* The number in three digits, or 0. */
unsigned http_status(http_text digits);

static inline int http_is(http_text text, const char *word) {
    return text.n == strlen(word) && !memcmp(text.at, word, text.n);
}

#endif
