/* SCCP: ITU-T Q.713.  Connectionless messages carry TCAP; a connection is a session. */
#include "sccp.h"

#include "tcap.h"

/* Q.713 table 1. */
enum {
    CONNECTION_REQUEST = 1,
    CONNECTION_CONFIRM = 2,
    CONNECTION_REFUSED = 3,
    RELEASED = 4,
    RELEASE_COMPLETE = 5,
    UNITDATA = 9,
    UNITDATA_SERVICE = 10,
    EXTENDED_UNITDATA = 17,
    EXTENDED_UNITDATA_SERVICE = 18,
    LONG_UNITDATA = 19,
    LONG_UNITDATA_SERVICE = 20,
};
enum { CAMEL_SUBSYSTEM = 146, SEGMENTATION = 16, FIRST_SEGMENT = 0x80, HAS_SUBSYSTEM = 2, HAS_POINT = 1 };

typedef struct {
    const uint8_t *p;
    size_t n;
} part;

/* Where the parts of a connectionless message are told: the byte of its first pointer, how wide
 * pointers and the data's length are, and whether there is an optional part. */
typedef struct {
    uint8_t first, width, has_options, is_returned;
} layout;

static int layout_of(uint8_t type, layout *out) {
    switch (type) {
        case UNITDATA: *out = (layout){2, 1, 0, 0}; return 1;
        case UNITDATA_SERVICE: *out = (layout){2, 1, 0, 1}; return 1;
        case EXTENDED_UNITDATA: *out = (layout){3, 1, 1, 0}; return 1;
        case EXTENDED_UNITDATA_SERVICE: *out = (layout){3, 1, 1, 1}; return 1;
        case LONG_UNITDATA: *out = (layout){3, 2, 1, 0}; return 1;
        case LONG_UNITDATA_SERVICE: *out = (layout){3, 2, 1, 1}; return 1;
        default: return 0;
    }
}

/* Numbers of two bytes have the low one first: Q.713 section 2.3. */
static size_t number_at(part in, size_t at, uint8_t width) {
    if (at + width > in.n) return 0;
    return width == 1 ? in.p[at] : (size_t)(in.p[at] | in.p[at + 1] << 8);
}

/* Where the pointer points to, counted from the pointer (of two bytes: from its second). */
static size_t target_of(part in, size_t pointer, uint8_t width) {
    size_t distance = number_at(in, pointer, width);
    return distance ? pointer + width - 1 + distance : 0;
}

/* The variable part that a pointer points to, cut where the bytes end. */
static part part_at(part in, size_t pointer, uint8_t width, uint8_t length_width) {
    size_t at = target_of(in, pointer, width);
    if (!at || at + length_width >= in.n) return (part){NULL, 0};
    size_t length = number_at(in, at, length_width), room = in.n - at - length_width;
    return (part){in.p + at + length_width, length < room ? length : room};
}

/* The subsystem of an address, or 0: Q.713 section 3.4. */
static uint8_t subsystem_of(part address) {
    if (!address.n || !(address.p[0] & HAS_SUBSYSTEM)) return 0;
    size_t at = address.p[0] & HAS_POINT ? 3 : 1;
    return at < address.n ? address.p[at] : 0;
}

/* Is this a later segment of a message: Q.713 section 3.17? */
static int is_later_segment(part in, const layout *l) {
    size_t at = target_of(in, l->first + 3u * l->width, l->width);
    if (!l->has_options || !at) return 0;
    while (at + 2 < in.n && in.p[at]) {
        if (in.p[at] == SEGMENTATION) return !(in.p[at + 2] & FIRST_SEGMENT);
        at += 2u + in.p[at + 1];
    }
    return 0;
}

/* Q.713 section 3.12. */
static uint8_t class_of_return(unsigned cause) {
    switch (cause) {
        case 0: case 1: case 4: return ANSWER_NOT_FOUND; /* no translation, unequipped user */
        case 2: case 5: return ANSWER_OVERLOAD;          /* congestion */
        case 3: return ANSWER_USER_UNAVAILABLE;          /* subsystem failure */
        default: return ANSWER_OTHER_SERVER_ERROR;
    }
}

static int read_connectionless(part in, const layout *l, tcap_route route, ts_message *out) {
    part called = part_at(in, l->first, l->width, 1);
    part calling = part_at(in, l->first + l->width, l->width, 1);
    part data = part_at(in, l->first + 2u * l->width, l->width, l->width);
    if (!data.p || is_later_segment(in, l)) return 0;
    route.is_camel =
        subsystem_of(called) == CAMEL_SUBSYSTEM || subsystem_of(calling) == CAMEL_SUBSYSTEM;
    if (called.p) route.called_key = ts_hash(called.p, called.n, PROTOCOL_TCAP);
    if (!l->is_returned) return tcap_read(data.p, data.n, &route, out);
    if (!tcap_returned(data.p, data.n, &route, out)) return 0;
    out->content_key = ts_hash(in.p, in.n, PROTOCOL_TCAP);
    out->status = in.p[1];
    out->answer_class = class_of_return(in.p[1]);
    return 1;
}

/* A connection's end at one point: the number that this point gave it. */
static uint64_t end_key(uint32_t point, const uint8_t *reference) {
    uint64_t number = (uint64_t)reference[0] << 16 | reference[1] << 8 | reference[2];
    return ts_key(PROTOCOL_M3UA, (uint64_t)point << 32 | number << 4);
}

static void set_answer(uint8_t class, uint64_t transaction, ts_message *out) {
    out->answer_class = class;
    out->transaction_key = transaction;
}

static void set_request(uint8_t kind, uint64_t transaction, ts_message *out) {
    out->request_kind = out->answered_kind = kind;
    out->transaction_key = transaction;
}

/* Q.713 sections 4.2 to 4.6: the other end's number stands first but in a request. */
static int read_connection(part in, uint32_t from, uint32_t to, ts_message *out) {
    uint8_t type = in.p[0];
    if (in.n < (type == CONNECTION_REQUEST ? 4 : 7) && type != CONNECTION_REFUSED) return 0;
    if (in.n < 5) return 0;
    uint64_t theirs = end_key(to, in.p + 1), ours = in.n < 7 ? 0 : end_key(from, in.p + 4);
    out->protocol = PROTOCOL_M3UA;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS; /* the numbers come again */
    out->content_key = ts_hash(in.p, in.n, PROTOCOL_M3UA);
    switch (type) {
        case CONNECTION_REQUEST:
            set_request(REQUEST_SESSION_START, end_key(from, in.p + 1), out);
            return 1;
        case CONNECTION_CONFIRM:
            set_answer(ANSWER_SUCCESS, theirs, out);
            out->session_key = theirs ^ ours;
            return 1;
        case CONNECTION_REFUSED: /* section 3.15: a cause */
            set_answer(ANSWER_OTHER_SERVER_ERROR, theirs, out);
            out->status = in.p[4];
            return 1;
        case RELEASED:
            set_request(REQUEST_SESSION_END, ts_mix(theirs ^ ours), out);
            out->session_key = theirs ^ ours;
            return 1;
        default: set_answer(ANSWER_SUCCESS, ts_mix(theirs ^ ours), out); return 1;
    }
}

int sccp_read(const uint8_t *p, size_t n, uint32_t from_point, uint32_t to_point, ts_message *out) {
    part in = {p, n};
    layout l;
    if (!n) return 0;
    if (layout_of(p[0], &l))
        return read_connectionless(in, &l, (tcap_route){from_point, to_point, 0, 0}, out);
    if (p[0] < CONNECTION_REQUEST || p[0] > RELEASE_COMPLETE) return 0;
    return read_connection(in, from_point, to_point, out);
}
