/* Matching answers to requests, and what can be told from it: retransmissions, duplicates, delays,
 * requests that stay unanswered, session lengths.  Protocol-neutral: it sees keys, not messages. */
#include <stdlib.h>

#include "counting.h"
#include "table.h"

enum repeat { NO_REPEAT, IS_RETRANSMISSION, IS_DUPLICATE };
/* Slots of the samples; a delay's slot is this plus the direction of its request. */
enum { FIRST_DELAY = 0, FINAL_DELAY = 2, SESSION_LENGTH = 4, N_SAMPLE_SLOTS = 5 };
enum { MIN_QUEUE_SLOTS = 1 << 12, MAX_SLOTS = 1 << 20, MAX_STEPS_UP = 1 << 10, LOOK_AHEAD = 8 };

/* An identical copy sooner than this is no retransmission: no timer fires so early. */
static const int64_t DUPLICATE_NS = 50000000;
/* RFC 3261 17.1: T1 = 500 ms; 8 T1 = 4 s = T2; timers B and F end a transaction after 64 T1. */
static const int64_t PATIENCE_NS[2] = {500000000, 4000000000};
static const int64_t TRANSACTION_LIFE_NS = 64 * 1000000000LL;
/* Packets may be out of order by this much; a step back farther sets the clock back. */
static const int64_t LATE_NS = 16 * 1000000000LL;
static const int64_t SESSION_LIFE_NS = 4 * 3600 * 1000000000LL;

typedef struct {
    table_entry entry;
    int64_t request_ns;
    uint64_t request_content, answer_content;
    int64_t request_seen_ns, answer_seen_ns; /* last time each content was seen */
    uint32_t request_session; /* for answers that do not name theirs */
    uint8_t answered, final, asked, request_kind;
} transaction; /* the size of a cache line */

typedef struct {
    table_entry entry; /* last_ns: when it was established */
    uint8_t ended;
} session;

typedef struct {
    uint64_t key;
    int64_t request_ns;
    uint8_t direction;
} pending;

/* Requests in the order in which their patience runs out. */
typedef struct {
    pending *items;
    size_t n_slots, head, n;
} queue;

typedef struct {
    table transactions, sessions;
    queue queues[2];
    int64_t now_ns;
} matcher;

/* What is counted of the messages; mirrored in features/transactions.py. */
typedef struct {
    const ts_packet_row *packets;
    const ts_message_row *messages;
    int64_t n;
    ts_counters to;
    ts_words *samples, *requesters, *targets;
} ts_matching;

typedef struct {
    int64_t capacity, n;
    int64_t *time_ns;
    uint8_t *patience, *direction; /* which patience ran out (0: T1, 1: 4 s) */
} event_columns;

static int64_t age_ns(int64_t now_ns, int64_t then_ns) {
    return now_ns > then_ns ? ts_apart_ns(now_ns, then_ns) : 0;
}

/* The log's clock is the latest time so far; one packet from a wrong clock does not stop it. */
static void tick(matcher *m, int64_t time_ns) {
    if (time_ns > m->now_ns || ts_apart_ns(m->now_ns, time_ns) > LATE_NS) m->now_ns = time_ns;
}

TS_EXPORT void ts_transactions_free(void *state) {
    matcher *m = state;
    if (!m) return;
    table_free(&m->transactions);
    table_free(&m->sessions);
    free(m->queues[0].items);
    free(m->queues[1].items);
    free(m);
}

TS_EXPORT void *ts_transactions_new(void) {
    matcher *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    int ok = table_init(&m->transactions, sizeof(transaction), MAX_SLOTS, TRANSACTION_LIFE_NS, NULL);
    ok &= table_init(&m->sessions, sizeof(session), MAX_SLOTS, SESSION_LIFE_NS, NULL);
    for (int q = 0; q < 2; q++) {
        m->queues[q].items = calloc(m->queues[q].n_slots = MIN_QUEUE_SLOTS, sizeof(pending));
        ok &= m->queues[q].items != NULL;
    }
    m->now_ns = INT64_MIN;
    if (ok) return m;
    ts_transactions_free(m);
    return NULL;
}

static pending *item_at(const queue *q, size_t i) {
    return q->items + ((q->head + i) & (q->n_slots - 1));
}

/* Returns 0 where there is no room: more open requests than MAX_SLOTS are not watched. */
static int queue_has_room(queue *q) {
    if (q->n < q->n_slots) return 1;
    if (q->n_slots >= MAX_SLOTS) return 0;
    pending *wider = calloc(q->n_slots * 2, sizeof *wider);
    if (!wider) return 0;
    for (size_t i = 0; i < q->n; i++) wider[i] = *item_at(q, i);
    free(q->items);
    q->items = wider;
    q->head = 0;
    q->n_slots *= 2;
    return 1;
}

/* A request that comes late moves up, but not past everybody: the search has its limit. */
static void wait_for_answer(queue *q, pending request) {
    if (!queue_has_room(q)) return;
    size_t place = q->n++, limit = place > MAX_STEPS_UP ? place - MAX_STEPS_UP : 0;
    for (; place > limit && item_at(q, place - 1)->request_ns > request.request_ns; place--)
        *item_at(q, place) = *item_at(q, place - 1);
    *item_at(q, place) = request;
}

/* Report the requests whose patience ran out up to now.  Returns 0 where the output is full. */
static int run_out(matcher *m, int patience, event_columns *events) {
    queue *q = m->queues + patience;
    while (q->n) {
        pending *first = q->items + q->head;
        if (q->n > LOOK_AHEAD) table_expect(&m->transactions, item_at(q, LOOK_AHEAD)->key);
        int is_due = age_ns(m->now_ns, first->request_ns) >= PATIENCE_NS[patience];
        int is_ahead = age_ns(first->request_ns, m->now_ns) > LATE_NS; /* the clock was set back */
        if (!is_due && !is_ahead) return 1;
        if (events->n >= events->capacity) return 0;
        transaction *t = table_find(&m->transactions, first->key, first->request_ns);
        if (is_due && t && t->request_ns == first->request_ns && !t->answered) {
            events->time_ns[events->n] = first->request_ns + PATIENCE_NS[patience];
            events->patience[events->n] = (uint8_t)patience;
            events->direction[events->n++] = first->direction;
        }
        q->head = (q->head + 1) & (q->n_slots - 1);
        q->n--;
    }
    return 1;
}

/* Does this content repeat the last one of its side? */
static enum repeat repeat_of(uint64_t content, int64_t now_ns, uint64_t *last_content,
                             int64_t *seen_ns, int seen_before) {
    enum repeat repeat = NO_REPEAT;
    if (seen_before && *last_content == content)
        repeat = age_ns(now_ns, *seen_ns) < DUPLICATE_NS ? IS_DUPLICATE : IS_RETRANSMISSION;
    *last_content = content;
    *seen_ns = now_ns;
    return repeat;
}

/* A sample's word: its group above, the bits of its value in seconds (which sort as it does). */
static void add_sample(const ts_matching *in, const ts_packet_row *packet, unsigned slot,
                       int64_t delay_ns) {
    float value_s = (float)((double)delay_ns * 1e-9);
    uint32_t bits;
    memcpy(&bits, &value_s, sizeof bits);
    uint64_t group = (uint64_t)packet->row * N_SAMPLE_SLOTS + slot;
    ts_add_word(&in->to, in->samples, packet->row, (group << 32) | bits);
}

static transaction *transaction_of(matcher *m, const ts_message_row *message, int64_t time_ns) {
    int is_new;
    transaction *t = table_get(&m->transactions, message->transaction_key, m->now_ns, &is_new);
    if (is_new || time_ns > t->entry.last_ns) t->entry.last_ns = time_ns;
    return t;
}

/* A session runs from the success of its start to the request that ends it; a repeated end does
 * not end it again. */
static void end_session(matcher *m, const ts_matching *in, const ts_message_row *message,
                        const ts_packet_row *packet) {
    session *s = table_find(&m->sessions, message->session_key, packet->time_ns);
    if (!s || s->ended) return;
    add_sample(in, packet, SESSION_LENGTH, age_ns(packet->time_ns, s->entry.last_ns));
    s->ended = 1;
}

static void take_request(matcher *m, const ts_matching *in, const ts_message_row *message,
                         const ts_packet_row *packet) {
    transaction *t = transaction_of(m, message, packet->time_ns);
    double *cell = ts_cell(&in->to, packet);
    const int32_t *place = in->to.place;
    if (message->reuses_keys && t->asked && t->request_content != message->content_key)
        t->asked = t->answered = t->final = 0;
    enum repeat repeat = repeat_of(message->content_key, packet->time_ns, &t->request_content,
                                   &t->request_seen_ns, t->asked);
    cell[place[COUNTED_REQUESTS + message->request_kind]] += 1;
    int is_copy = !t->asked && message->is_repeated; /* of what was asked elsewhere */
    cell[place[COUNTED_RETRANSMITTED_REQUESTS]] += repeat == IS_RETRANSMISSION || is_copy;
    cell[place[COUNTED_DUPLICATES]] += repeat == IS_DUPLICATE;
    ts_add_key(&in->to, in->requesters, packet->row, packet->src_key);
    ts_add_key(&in->to, in->targets, packet->row, message->target_key);
    if (message->request_kind == REQUEST_SESSION_END) end_session(m, in, message, packet);
    if (t->asked) return;
    cell[place[COUNTED_NEW_TRANSACTIONS]] += !is_copy;
    t->asked = 1;
    t->request_ns = packet->time_ns;
    t->request_kind = message->request_kind;
    t->request_session = (uint32_t)message->session_key;
    if (message->request_kind == REQUEST_ACKNOWLEDGEMENT || message->is_one_way || t->answered)
        return;
    pending request = {t->entry.key, packet->time_ns, packet->direction};
    for (int p = 0; p < 2; p++) wait_for_answer(m->queues + p, request);
}

/* What an answer answers, as it says itself or as its request was. */
static uint8_t kind_answered(const transaction *t, const ts_message_row *message) {
    if (message->answered_kind != NO_REQUEST) return message->answered_kind;
    return t->asked ? t->request_kind : REQUEST_OTHER;
}

static void count_success(matcher *m, const ts_matching *in, const ts_message_row *message,
                          const transaction *t) {
    const ts_packet_row *packet = in->packets + message->packet;
    double *cell = ts_cell(&in->to, packet);
    uint8_t kind = kind_answered(t, message);
    int is_new;
    if (kind == REQUEST_REGISTRATION) cell[in->to.place[COUNTED_DONE_REGISTRATIONS]] += 1;
    if (kind != REQUEST_SESSION_START) return;
    cell[in->to.place[COUNTED_STARTED_SESSIONS]] += 1;
    uint64_t session_key = message->session_key ? message->session_key : t->request_session;
    table_get(&m->sessions, session_key, packet->time_ns, &is_new);
}

static void take_answer(matcher *m, const ts_matching *in, const ts_message_row *message,
                        const ts_packet_row *packet) {
    transaction *t = transaction_of(m, message, packet->time_ns);
    double *cell = ts_cell(&in->to, packet);
    const int32_t *place = in->to.place;
    int is_final = message->answer_class != ANSWER_PROVISIONAL;
    unsigned asked_direction = 1u - packet->direction; /* an answer goes against its request */
    enum repeat repeat = repeat_of(message->content_key, packet->time_ns, &t->answer_content,
                                   &t->answer_seen_ns, t->answered);
    cell[place[COUNTED_ANSWERS + message->answer_class]] += 1;
    cell[place[COUNTED_RETRANSMITTED_ANSWERS]] += repeat == IS_RETRANSMISSION;
    cell[place[COUNTED_DUPLICATES]] += repeat == IS_DUPLICATE;
    if (t->asked) {
        int64_t delay_ns = age_ns(packet->time_ns, t->request_ns);
        if (!t->answered) add_sample(in, packet, FIRST_DELAY + asked_direction, delay_ns);
        /* A session's start waits for a person, not for a machine. */
        if (is_final && !t->final && kind_answered(t, message) != REQUEST_SESSION_START)
            add_sample(in, packet, FINAL_DELAY + asked_direction, delay_ns);
    }
    t->answered = 1;
    t->final |= (uint8_t)is_final;
    if (message->answer_class == ANSWER_SUCCESS) count_success(m, in, message, t);
}

/* What will be looked for soon: the entries lie anywhere in memory. */
static void look_ahead(const matcher *m, const ts_message_row *message) {
    table_expect(&m->transactions, message->transaction_key);
    if (message->request_kind == REQUEST_SESSION_END || message->answer_class == ANSWER_SUCCESS)
        table_expect(&m->sessions, message->session_key);
}

/* Match and count messages first..n-1.  Stops early where the events are full; returns the message
 * to go on with.  Messages should come in time order; one that comes late is matched at its own
 * time. */
TS_EXPORT int64_t ts_transactions_match(void *state, int64_t first, const ts_matching *in,
                                        event_columns *events) {
    matcher *m = state;
    for (int64_t i = first; i < in->n; i++) {
        const ts_message_row *message = in->messages + i;
        const ts_packet_row *packet = in->packets + message->packet;
        if (i + LOOK_AHEAD < in->n) look_ahead(m, message + LOOK_AHEAD);
        tick(m, packet->time_ns);
        if (!run_out(m, 0, events) || !run_out(m, 1, events)) return i;
        if (message->request_kind != NO_REQUEST) take_request(m, in, message, packet);
        else take_answer(m, in, message, packet);
    }
    return in->n;
}

/* Let time pass without a message, at the end of the log.  Returns 0 where the events are full and more are due. */
TS_EXPORT int64_t ts_transactions_pass(void *state, int64_t now_ns, event_columns *events) {
    matcher *m = state;
    tick(m, now_ns);
    return run_out(m, 0, events) && run_out(m, 1, events);
}
