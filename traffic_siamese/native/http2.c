/* HTTP/2 without TLS, of one direction of a connection: frames and streams, RFC 9113.  A stream is
 * a transaction.  A capture may begin in the middle of a connection. */
#include <stdlib.h>

#include "hpack.h"
#include "http.h"
#include "http2_frame.h"

enum { MAX_BLOCK_BYTES = 1 << 16 }; /* of a header block over several frames */

/* Section 7. */
enum { ERROR_NONE = 0, ERROR_REFUSED_STREAM = 7, ERROR_CANCEL = 8, ERROR_ENHANCE_YOUR_CALM = 11 };

enum side { SIDE_UNKNOWN, SIDE_CLIENT, SIDE_SERVER };

typedef struct {
    hpack_table *table;
    uint8_t *block; /* of a header block that goes on in the next frame */
    size_t block_bytes;
    uint64_t n_messages;
    uint32_t last_stream; /* the highest that this side opened, or answered on */
    uint8_t side;
} connection;

/* The headers that matter, of one block.  The path's and location's bytes are copied. */
typedef struct {
    uint8_t path[HPACK_MAX_TEXT_BYTES], location[HPACK_MAX_TEXT_BYTES], method[16];
    size_t path_bytes, location_bytes, method_bytes;
    unsigned status;
    uint8_t is_request, is_answer, first_unknown, n;
} headers;

static connection *connection_of(void **state) {
    connection *c = *state;
    if (c) return c;
    c = calloc(1, sizeof *c);
    if (c) c->table = hpack_new(0);
    if (c && !c->table) free(c), c = NULL;
    return *state = c;
}

static void drop_block(connection *c) {
    free(c->block);
    c->block = NULL;
    c->block_bytes = 0;
}

void http2_forget(void *state) {
    connection *c = state;
    if (!c) return;
    drop_block(c);
    hpack_free(c->table);
    free(c);
}

static void lose(connection *c) {
    drop_block(c);
    hpack_lose(c->table);
}

void http2_hole(void **state) {
    if (*state) lose(*state);
}

static http_text as_http(hpack_text text) { return (http_text){text.at, text.n}; }

static void copy(hpack_text text, uint8_t *to, size_t room, size_t *n) {
    *n = text.n < room ? text.n : room;
    if (text.at) memcpy(to, text.at, *n);
    else *n = 0;
}

/* Section 8.3.1, 8.3.2: what the pseudo-headers say; they come first. */
static void take_header(void *to, hpack_text name, hpack_text value) {
    headers *h = to;
    http_text word = as_http(name);
    if (!name.at || (!value.at && name.n && name.at[0] == ':')) h->first_unknown |= !h->n;
    if (h->n < UINT8_MAX) h->n++;
    if (!name.at) return;
    if (http_is(word, ":status")) {
        h->is_answer = 1;
        h->status = value.at ? http_status(as_http(value)) : 0;
    } else if (http_is(word, "location")) {
        copy(value, h->location, sizeof h->location, &h->location_bytes);
    } else if (name.n && name.at[0] == ':') {
        h->is_request = 1;
        if (http_is(word, ":method")) copy(value, h->method, sizeof h->method, &h->method_bytes);
        if (http_is(word, ":path")) copy(value, h->path, sizeof h->path, &h->path_bytes);
    }
}

/* TCP brings each message once: no content is another's copy. */
static void set_keys(connection *c, uint64_t transaction, ts_message *out) {
    out->protocol = PROTOCOL_HTTP;
    out->transaction_scope = UNIQUE_IN_CONNECTION;
    out->transaction_key = ts_key(PROTOCOL_HTTP, transaction);
    out->content_key = ts_mix(++c->n_messages);
}

static int take_answer(const headers *h, ts_message *out) {
    /* A status from before the capture: what was usual then, which is success. */
    http_fill_answer(h->status ? h->status : 200, out);
    out->status = (uint16_t)h->status;
    if (h->location_bytes) http_fill_session((http_text){h->location, h->location_bytes}, out);
    return 1;
}

static int take_request(const headers *h, ts_message *out) {
    http_fill_request((http_text){h->method, h->method_bytes}, (http_text){h->path, h->path_bytes},
                      out);
    return 1;
}

/* A whole header block.  Trailers have no pseudo-headers, and tell nothing. */
static int read_block(connection *c, uint32_t stream, const uint8_t *p, size_t n, int is_promise,
                      ts_message *out) {
    headers h;
    memset(&h, 0, sizeof h);
    if (!hpack_read(c->table, p, n, take_header, &h)) {
        hpack_lose(c->table);
        return 0;
    }
    if (is_promise) return 0;
    if (h.is_answer) c->side = SIDE_SERVER;
    else if (h.is_request) c->side = SIDE_CLIENT;
    else if (!h.first_unknown || stream <= c->last_stream) return 0;
    if (stream > c->last_stream) c->last_stream = stream;
    set_keys(c, stream, out);
    if (c->side == SIDE_SERVER) return take_answer(&h, out);
    return c->side == SIDE_CLIENT && take_request(&h, out);
}

static int keep_block(connection *c, const http2_frame_head *f) {
    if (c->block_bytes + f->n > MAX_BLOCK_BYTES) return 0;
    uint8_t *wider = realloc(c->block, c->block_bytes + f->n + 1);
    if (!wider) return 0;
    c->block = wider;
    memcpy(c->block + c->block_bytes, f->payload, f->n);
    c->block_bytes += f->n;
    return 1;
}

static int take_headers(connection *c, http2_frame_head *f, ts_message *out) {
    int is_promise = f->type == FRAME_PUSH_PROMISE, goes_on = f->type == FRAME_CONTINUATION;
    if (f->n < f->length || (!goes_on && !http2_strip(f)) || (goes_on && !c->block)) {
        lose(c);
        return 0;
    }
    if (!goes_on) drop_block(c);
    if (!goes_on && f->flags & FLAG_END_HEADERS)
        return read_block(c, f->stream, f->payload, f->n, is_promise, out);
    if (!keep_block(c, f)) lose(c);
    if (!c->block || !(f->flags & FLAG_END_HEADERS)) return 0;
    int is_message = read_block(c, f->stream, c->block, c->block_bytes, is_promise, out);
    drop_block(c);
    return is_message;
}

static uint8_t class_of_error(uint32_t error) {
    int is_overload = error == ERROR_REFUSED_STREAM || error == ERROR_ENHANCE_YOUR_CALM;
    return is_overload ? ANSWER_OVERLOAD : ANSWER_OTHER_SERVER_ERROR;
}

/* Section 6.4, 8.7: the server refuses or fails, or whoever asked does not want it any more. */
static int take_reset(connection *c, const http2_frame_head *f, ts_message *out) {
    if (f->n < 4) return 0;
    uint32_t error = ts_be32(f->payload);
    if (c->side == SIDE_CLIENT || (c->side == SIDE_UNKNOWN && error == ERROR_CANCEL)) {
        set_keys(c, ts_mix(f->stream), out);
        out->request_kind = out->answered_kind = REQUEST_CANCEL;
        out->is_one_way = 1;
        return 1;
    }
    if (error == ERROR_NONE) return 0; /* answered before the request was whole: section 8.1 */
    set_keys(c, f->stream, out);
    out->answer_class = class_of_error(error);
    out->status = (uint16_t)error;
    return 1;
}

/* Section 6.7. */
static int take_ping(connection *c, const http2_frame_head *f, ts_message *out) {
    if (f->n < 8) return 0;
    set_keys(c, ts_hash(f->payload, 8, FRAME_PING), out);
    out->answered_kind = REQUEST_KEEP_ALIVE;
    if (f->flags & FLAG_ACK) out->answer_class = ANSWER_SUCCESS;
    else out->request_kind = REQUEST_KEEP_ALIVE;
    return 1;
}

/* Section 6.8: no more streams are taken; without an error it is an ordinary end. */
static int take_goaway(connection *c, const http2_frame_head *f, ts_message *out) {
    if (f->n < 8) return 0;
    uint32_t error = ts_be32(f->payload + 4);
    set_keys(c, ts_hash(f->payload, 8, FRAME_GOAWAY), out);
    if (error == ERROR_NONE) {
        out->request_kind = out->answered_kind = REQUEST_OTHER;
        out->is_one_way = 1;
        return 1;
    }
    out->answer_class = class_of_error(error);
    out->status = (uint16_t)error;
    return 1;
}

static void begin(connection *c) {
    hpack_table *fresh = hpack_new(1);
    c->side = SIDE_CLIENT;
    if (!fresh) return;
    hpack_free(c->table);
    c->table = fresh;
}

int http2_read(const uint8_t *p, size_t n, void **state, ts_message *out) {
    connection *c = connection_of(state);
    if (!c) return 0;
    if (http2_is_preface(p, n)) {
        begin(c);
        return 0;
    }
    if (n < FRAME_HEAD_BYTES) return 0;
    http2_frame_head f = http2_frame_at(p, n);
    if (f.n > f.length) f.n = f.length;
    switch (f.type) {
        case FRAME_HEADERS: case FRAME_PUSH_PROMISE: case FRAME_CONTINUATION:
            return take_headers(c, &f, out);
        case FRAME_RST_STREAM: return take_reset(c, &f, out);
        case FRAME_PING: return take_ping(c, &f, out);
        case FRAME_GOAWAY: return take_goaway(c, &f, out);
        default: return 0;
    }
}
