/* GTP's control plane as protocol-neutral slots: GTPv2-C (3GPP TS 29.274 sections 5, 6.1),
 * GTPv1-C (TS 29.060 sections 6, 7.1, 7.7), GTPv0 (TS 09.60 sections 6, 7) and GTP' (TS 32.295
 * section 6).  A tunnel's session is named by the endpoint identifier that the answering node
 * chose for its control plane: it comes in the answer that makes the session, and heads the
 * request that ends it. */
#include "gtp_cause.h"

enum { VERSION_2 = 2, IS_GTP_NOT_PRIME = 0x10, HAS_TEID = 0x08, V1_OPTIONAL = 0x07, V1_EXTENSION = 4 };
enum { KNOWN = 0x80, ANSWERS = 0x40, ONE_WAY = 0x20, KIND = 0x1f };
enum { V1_IE_CAUSE = 1, V1_IE_TEID_CONTROL = 17, V2_IE_CAUSE = 2, V2_IE_FTEID = 87 };

/* What a message type asks, or answers. */
#define ASK(kind) (KNOWN | (kind))
#define TELL(kind) (KNOWN | ONE_WAY | (kind))
#define ANSWER(kind) (KNOWN | ANSWERS | (kind))
#define PAIR(type, kind) [type] = ASK(kind), [(type) + 1] = ANSWER(kind)

/* TS 29.060 table 1, TS 32.295 table 2. */
static const uint8_t V1_TYPES[256] = {
    PAIR(1, REQUEST_KEEP_ALIVE),     /* Echo */
    [3] = ANSWER(REQUEST_OTHER),     /* Version Not Supported */
    PAIR(4, REQUEST_KEEP_ALIVE),     /* Node Alive */
    PAIR(6, REQUEST_OTHER),          /* Redirection */
    PAIR(16, REQUEST_SESSION_START), /* Create PDP Context */
    PAIR(18, REQUEST_OTHER),         /* Update PDP Context */
    PAIR(20, REQUEST_SESSION_END),   /* Delete PDP Context */
    PAIR(24, REQUEST_SESSION_END),   /* Delete AA PDP Context, of GTPv0 */
    PAIR(22, REQUEST_OTHER),         /* Initiate PDP Context Activation */
    PAIR(27, REQUEST_MESSAGE),       /* PDU Notification */
    PAIR(29, REQUEST_MESSAGE),       /* PDU Notification Reject */
    [31] = TELL(REQUEST_OTHER),      /* Supported Extension Headers Notification */
    PAIR(32, REQUEST_OTHER),         /* Send Routeing Information for GPRS */
    PAIR(34, REQUEST_OTHER),         /* Failure Report */
    PAIR(36, REQUEST_OTHER),         /* Note MS GPRS Present */
    PAIR(48, REQUEST_REGISTRATION),  /* Identification */
    PAIR(50, REQUEST_REGISTRATION),  /* SGSN Context */
    [52] = TELL(REQUEST_ACKNOWLEDGEMENT), /* SGSN Context Acknowledge */
    PAIR(53, REQUEST_REGISTRATION),  /* Forward Relocation */
    [55] = ASK(REQUEST_OTHER),       /* Forward Relocation Complete */
    PAIR(56, REQUEST_CANCEL),        /* Relocation Cancel */
    [58] = ASK(REQUEST_OTHER),       /* Forward SRNS Context */
    [59] = ANSWER(REQUEST_OTHER),    /* Forward Relocation Complete Acknowledge */
    [60] = ANSWER(REQUEST_OTHER),    /* Forward SRNS Context Acknowledge */
    PAIR(61, REQUEST_OTHER),         /* UE Registration Query */
    [70] = TELL(REQUEST_MESSAGE),    /* RAN Information Relay */
    PAIR(96, REQUEST_MESSAGE),       /* MBMS Notification */
    PAIR(98, REQUEST_MESSAGE),       /* MBMS Notification Reject */
    PAIR(100, REQUEST_SESSION_START), /* Create MBMS Context */
    PAIR(102, REQUEST_OTHER),        /* Update MBMS Context */
    PAIR(104, REQUEST_SESSION_END),  /* Delete MBMS Context */
    PAIR(112, REQUEST_REGISTRATION), /* MBMS Registration */
    PAIR(114, REQUEST_REGISTRATION), /* MBMS De-Registration */
    PAIR(116, REQUEST_SESSION_START), /* MBMS Session Start */
    PAIR(118, REQUEST_SESSION_END),  /* MBMS Session Stop */
    PAIR(120, REQUEST_OTHER),        /* MBMS Session Update */
    PAIR(128, REQUEST_OTHER),        /* MS Info Change Notification */
    PAIR(240, REQUEST_MESSAGE),      /* Data Record Transfer */
};

/* TS 29.274 table 6.1-1.  A command is answered by a request of its own, or a failure indication. */
static const uint8_t V2_TYPES[256] = {
    PAIR(1, REQUEST_KEEP_ALIVE),      /* Echo */
    [3] = ANSWER(REQUEST_OTHER),      /* Version Not Supported Indication */
    PAIR(25, REQUEST_OTHER),          /* SRVCC PS to CS */
    PAIR(27, REQUEST_OTHER),          /* SRVCC PS to CS Complete */
    PAIR(29, REQUEST_CANCEL),         /* SRVCC PS to CS Cancel */
    [31] = ASK(REQUEST_OTHER),        /* SRVCC CS to PS */
    [240] = ANSWER(REQUEST_OTHER),
    PAIR(241, REQUEST_OTHER),         /* SRVCC CS to PS Complete */
    PAIR(243, REQUEST_CANCEL),        /* SRVCC CS to PS Cancel */
    PAIR(32, REQUEST_SESSION_START),  /* Create Session */
    PAIR(34, REQUEST_OTHER),          /* Modify Bearer */
    PAIR(36, REQUEST_SESSION_END),    /* Delete Session */
    PAIR(38, REQUEST_OTHER),          /* Change Notification */
    PAIR(40, REQUEST_OTHER),          /* Remote UE Report */
    [64] = TELL(REQUEST_OTHER),       /* Modify Bearer Command */
    [65] = ANSWER(REQUEST_OTHER),
    [66] = TELL(REQUEST_OTHER),       /* Delete Bearer Command */
    [67] = ANSWER(REQUEST_OTHER),
    [68] = TELL(REQUEST_OTHER),       /* Bearer Resource Command */
    [69] = ANSWER(REQUEST_OTHER),
    [70] = TELL(REQUEST_MESSAGE),     /* Downlink Data Notification Failure Indication */
    [71] = TELL(REQUEST_OTHER),       /* Trace Session Activation */
    [72] = TELL(REQUEST_OTHER),       /* Trace Session Deactivation */
    [73] = TELL(REQUEST_OTHER),       /* Stop Paging Indication */
    PAIR(95, REQUEST_OTHER),          /* Create Bearer */
    PAIR(97, REQUEST_OTHER),          /* Update Bearer */
    PAIR(99, REQUEST_SESSION_END),    /* Delete Bearer */
    PAIR(101, REQUEST_SESSION_END),   /* Delete PDN Connection Set */
    PAIR(103, REQUEST_MESSAGE),       /* PGW Downlink Triggering */
    PAIR(128, REQUEST_REGISTRATION),  /* Identification */
    PAIR(130, REQUEST_REGISTRATION),  /* Context */
    [132] = TELL(REQUEST_ACKNOWLEDGEMENT), /* Context Acknowledge */
    PAIR(133, REQUEST_REGISTRATION),  /* Forward Relocation */
    PAIR(135, REQUEST_OTHER),         /* Forward Relocation Complete */
    PAIR(137, REQUEST_OTHER),         /* Forward Access Context */
    PAIR(139, REQUEST_CANCEL),        /* Relocation Cancel */
    [141] = TELL(REQUEST_OTHER),      /* Configuration Transfer Tunnel */
    PAIR(149, REQUEST_REGISTRATION),  /* Detach */
    [151] = TELL(REQUEST_MESSAGE),    /* CS Paging Indication */
    [152] = TELL(REQUEST_MESSAGE),    /* RAN Information Relay */
    PAIR(153, REQUEST_OTHER),         /* Alert MME */
    PAIR(155, REQUEST_OTHER),         /* UE Activity */
    [157] = TELL(REQUEST_OTHER),      /* ISR Status Indication */
    PAIR(158, REQUEST_OTHER),         /* UE Registration Query */
    PAIR(160, REQUEST_OTHER),         /* Create Forwarding Tunnel */
    PAIR(162, REQUEST_OTHER),         /* Suspend */
    PAIR(164, REQUEST_OTHER),         /* Resume */
    PAIR(166, REQUEST_OTHER),         /* Create Indirect Data Forwarding Tunnel */
    PAIR(168, REQUEST_OTHER),         /* Delete Indirect Data Forwarding Tunnel */
    PAIR(170, REQUEST_OTHER),         /* Release Access Bearers */
    PAIR(176, REQUEST_MESSAGE),       /* Downlink Data Notification */
    PAIR(179, REQUEST_OTHER),         /* PGW Restart Notification */
    PAIR(200, REQUEST_OTHER),         /* Update PDN Connection Set */
    PAIR(211, REQUEST_OTHER),         /* Modify Access Bearers */
    PAIR(231, REQUEST_SESSION_START), /* MBMS Session Start */
    PAIR(233, REQUEST_OTHER),         /* MBMS Session Update */
    PAIR(235, REQUEST_SESSION_END),   /* MBMS Session Stop */
};

/* A message, taken apart as far as its version tells. */
typedef struct {
    const uint8_t *ies;
    size_t n_ie_bytes, length;
    uint32_t sequence, teid;
    uint8_t version, is_prime, type, type_bits;
} gtp_message;

/* GTPv2-C: TS 29.274 section 5.1. */
static int take_header_2(const uint8_t *p, size_t n, gtp_message *out) {
    size_t header = p[0] & HAS_TEID ? 12 : 8;
    out->length = 4 + (size_t)ts_be16(p + 2);
    if (n < header || out->length < header) return 0;
    out->teid = p[0] & HAS_TEID ? ts_be32(p + 4) : 0;
    out->sequence = ts_be32(p + header - 4) >> 8;
    out->ies = p + header;
    out->type_bits = V2_TYPES[p[1]];
    return 1;
}

/* Extension headers, in units of four bytes, the next one's type last: TS 29.060 section 6.1. */
static const uint8_t *skip_extensions(const uint8_t *at, const uint8_t *end, uint8_t next) {
    while (next && at < end && at[0] && (size_t)(end - at) >= at[0] * 4u) {
        next = at[at[0] * 4u - 1];
        at += at[0] * 4u;
    }
    return at;
}

/* GTPv1-C: TS 29.060 section 6; a control message has a sequence number. */
static int take_header_1(const uint8_t *p, size_t n, gtp_message *out) {
    out->length = 8 + (size_t)ts_be16(p + 2);
    if (!(p[0] & V1_OPTIONAL) || n < 12 || out->length < 12) return 0;
    out->teid = ts_be32(p + 4);
    out->sequence = ts_be16(p + 8);
    out->ies = skip_extensions(p + 12, p + (out->length < n ? out->length : n),
                               p[0] & V1_EXTENSION ? p[11] : 0);
    out->type_bits = V1_TYPES[p[1]];
    return 1;
}

/* GTPv0 has 20 bytes and names the tunnel by subscriber: TS 09.60 section 6.  GTP' has those or
 * six: TS 32.295 section 6.1.1. */
static int take_header_0(const uint8_t *p, size_t n, gtp_message *out) {
    int is_short = out->is_prime && (out->version || (p[0] & 1));
    size_t header = is_short ? 6 : 20;
    out->length = header + ts_be16(p + 2);
    if (n < header) return 0;
    out->sequence = ts_be16(p + 4);
    out->teid = is_short ? 0 : (uint32_t)ts_hash(p + 12, 8, 0);
    out->ies = p + header;
    out->type_bits = V1_TYPES[p[1]];
    return 1;
}

static int take_header(const uint8_t *p, size_t n, gtp_message *out) {
    int ok = 0;
    memset(out, 0, sizeof *out);
    if (n < 6) return 0;
    out->version = p[0] >> 5;
    out->type = p[1];
    out->is_prime = out->version < VERSION_2 && !(p[0] & IS_GTP_NOT_PRIME);
    if (out->version > VERSION_2) return 0;
    if (out->version == VERSION_2) ok = n >= 8 && take_header_2(p, n, out);
    else if (out->is_prime || out->version == 0) ok = take_header_0(p, n, out);
    else ok = take_header_1(p, n, out);
    if (!ok || !(out->type_bits & KNOWN)) return 0;
    size_t end = out->length < n ? out->length : n, before = (size_t)(out->ies - p);
    out->n_ie_bytes = end > before ? end - before : 0;
    return 1;
}

size_t gtp_frame(const uint8_t *p, size_t n) {
    gtp_message m;
    return take_header(p, n, &m) ? m.length : TS_NOT_MINE;
}

/* Lengths of the elements of fixed length, those before type 128: TS 29.060 table 37. */
static size_t fixed_bytes(uint8_t type) {
    static const uint8_t BYTES[128] = {
        [1] = 1, [2] = 8, [3] = 6, [4] = 4, [5] = 4, [8] = 1, [9] = 28, [11] = 1, [12] = 3,
        [13] = 1, [14] = 1, [15] = 1, [16] = 4, [17] = 4, [18] = 5, [19] = 1, [20] = 1, [21] = 1,
        [22] = 9, [23] = 1, [24] = 1, [25] = 2, [26] = 2, [27] = 2, [28] = 2, [29] = 1,
        [126] = 1, [127] = 4,
    };
    return type < 128 ? BYTES[type] : 0;
}

/* The cause and the control plane's endpoint of GTPv1 and below; 0 where there is none. */
static void find_in_1(const gtp_message *m, uint8_t *cause, uint32_t *teid) {
    const uint8_t *p = m->ies, *end = p + m->n_ie_bytes;
    while (end - p >= 2) {
        size_t bytes = fixed_bytes(p[0]);
        if (!bytes && (p[0] < 128 || end - p < 3)) return;
        size_t step = bytes ? 1 + bytes : 3 + (size_t)ts_be16(p + 1);
        if (step > (size_t)(end - p)) return;
        if (p[0] == V1_IE_CAUSE && !*cause) *cause = p[1];
        if (p[0] == V1_IE_TEID_CONTROL && !*teid) *teid = ts_be32(p + 1);
        p += step;
    }
}

/* The same of GTPv2; the sender's own endpoint has instance 0 (TS 29.274 section 7.2.2). */
static void find_in_2(const gtp_message *m, uint8_t *cause, uint32_t *teid) {
    const uint8_t *p = m->ies, *end = p + m->n_ie_bytes;
    while (end - p >= 4) {
        size_t bytes = ts_be16(p + 1);
        uint8_t instance = p[3] & 15;
        if (bytes > (size_t)(end - p) - 4) return;
        if (p[0] == V2_IE_CAUSE && bytes >= 1 && !instance && !*cause) *cause = p[4];
        if (p[0] == V2_IE_FTEID && bytes >= 5 && !instance && !*teid) *teid = ts_be32(p + 5);
        p += 4 + bytes;
    }
}

/* An answer without a cause (Echo Response), or whose cause was not captured, is a success. */
static void set_answer(const gtp_message *m, ts_message *out) {
    uint8_t cause = 0;
    uint32_t teid = 0;
    if (m->version == VERSION_2) find_in_2(m, &cause, &teid);
    else find_in_1(m, &cause, &teid);
    out->status = cause;
    out->answer_class = ANSWER_SUCCESS;
    if (m->type == 3) out->answer_class = ANSWER_BAD_REQUEST;
    else if (cause)
        out->answer_class = m->version == VERSION_2 ? gtp_class_of_cause_2(cause)
                                                    : gtp_class_of_cause_1(cause);
    if (m->version == 0) teid = m->teid;
    if (teid) out->session_key = ts_key(PROTOCOL_GTP, teid);
}

int gtp_read(const uint8_t *p, size_t n, ts_message *out) {
    gtp_message m;
    if (!take_header(p, n, &m)) return 0;
    uint8_t kind = m.type_bits & KIND;
    uint64_t family = (uint64_t)m.version << 1 | m.is_prime;
    if (kind == REQUEST_ACKNOWLEDGEMENT) family |= 8; /* shares its request's sequence number */
    out->protocol = PROTOCOL_GTP;
    out->transaction_scope = UNIQUE_BETWEEN_HOSTS;
    out->transaction_key = ts_key(PROTOCOL_GTP, family << 32 | m.sequence);
    out->session_of_answerer = 1;
    out->content_key = ts_hash(p, m.length < n ? m.length : n, 0);
    out->answered_kind = kind;
    if (m.type_bits & ANSWERS) {
        set_answer(&m, out);
        return 1;
    }
    out->request_kind = kind;
    out->is_one_way = (m.type_bits & ONE_WAY) != 0;
    if (m.teid) out->session_key = ts_key(PROTOCOL_GTP, m.teid);
    out->target_key = m.teid;
    return 1;
}
