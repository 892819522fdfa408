/* M3UA: RFC 4666.  What it carries of SCCP is read as that; its own management as requests and
 * acknowledgements. */
#include "message.h"
#include "sccp.h"

enum {
    HEADER_BYTES = 8,
    VERSION = 1,
    PARAMETER_BYTES = 4,
    ROUTING_BYTES = 12, /* point codes, service, network, priority, link */
    PROTOCOL_DATA = 0x0210,
    SERVICE_SCCP = 3,
};

/* Section 3.1.2: classes and types as one number. */
enum {
    ERROR = 0x000,
    TRANSFER = 0x101,
    ASP_UP = 0x301,
    ASP_DOWN = 0x302,
    BEAT = 0x303,
    BEAT_ACK = 0x306,
    ASP_ACTIVE = 0x401,
    ASP_INACTIVE = 0x402,
    FIRST_ACK = 3, /* an acknowledgement's type is its request's and this many */
    MAX_CLASS = 9,
};

/* The parameter of this tag: section 3.2. */
static const uint8_t *find_parameter(const uint8_t *p, size_t n, uint16_t tag, size_t *size) {
    while (n >= PARAMETER_BYTES) {
        size_t length = ts_be16(p + 2), step = (length + 3) / 4 * 4;
        if (length < PARAMETER_BYTES) return NULL;
        if (ts_be16(p) == tag) {
            *size = (length < n ? length : n) - PARAMETER_BYTES;
            return p + PARAMETER_BYTES;
        }
        if (step > n) return NULL;
        p += step;
        n -= step;
    }
    return NULL;
}

static int read_transfer(const uint8_t *p, size_t n, ts_message *out) {
    size_t size;
    const uint8_t *data = find_parameter(p, n, PROTOCOL_DATA, &size);
    if (!data || size <= ROUTING_BYTES || data[8] != SERVICE_SCCP) return 0;
    return sccp_read(data + ROUTING_BYTES, size - ROUTING_BYTES, ts_be32(data), ts_be32(data + 4),
                     out);
}

/* Between the two processes: sections 3.4 to 3.8.  `about` is the request's number. */
static int read_management(unsigned number, const uint8_t *p, size_t n, ts_message *out) {
    unsigned about = number;
    out->protocol = PROTOCOL_M3UA;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS;
    out->content_key = ts_hash(p, n, number);
    switch (number) {
        case ASP_UP: case ASP_DOWN: case ASP_ACTIVE: case ASP_INACTIVE:
            out->request_kind = REQUEST_OTHER;
            break;
        case BEAT: out->request_kind = REQUEST_KEEP_ALIVE; break;
        case ASP_UP + FIRST_ACK: case ASP_DOWN + FIRST_ACK: case BEAT_ACK:
            about = number - FIRST_ACK;
            out->answer_class = ANSWER_SUCCESS;
            break;
        case ASP_ACTIVE + 2: case ASP_INACTIVE + 2:
            about = number - 2;
            out->answer_class = ANSWER_SUCCESS;
            break;
        case ERROR: out->answer_class = ANSWER_BAD_REQUEST; break;
        default: /* notifications, states of the network */
            out->request_kind = REQUEST_OTHER;
            out->is_one_way = 1;
    }
    out->answered_kind = out->request_kind;
    out->transaction_key = ts_key(PROTOCOL_M3UA, about);
    return 1;
}

int m3ua_read(const uint8_t *p, size_t n, ts_message *out) {
    if (n < HEADER_BYTES || p[0] != VERSION || p[2] > MAX_CLASS) return 0;
    size_t length = ts_be32(p + 4);
    unsigned number = (unsigned)p[2] << 8 | p[3];
    if (length < HEADER_BYTES) return 0;
    if (length < n) n = length;
    p += HEADER_BYTES;
    n -= HEADER_BYTES;
    return number == TRANSFER ? read_transfer(p, n, out) : read_management(number, p, n, out);
}
