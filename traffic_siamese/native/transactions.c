/* Matching answers to requests, and what can be told from it: retransmissions, duplicates, delays,
 * requests that stay unanswered, session lengths.  Protocol-neutral: it sees keys, not messages. */
#include <stdlib.h>

#include "table.h"

enum { IS_FIRST = 1, IS_RETRANSMISSION = 2, IS_DUPLICATE = 4 };
enum { KIND_SESSION_START = 0, KIND_SESSION_END = 1, KIND_ACKNOWLEDGEMENT = 6, NONE = 255 };
enum { CLASS_PROVISIONAL = 0, CLASS_SUCCESS = 1 };
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
    uint8_t answered, final, asked;
} transaction;

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

typedef struct {
    int64_t n;
    const int64_t *time_ns;
    const uint8_t *direction, *request_kind, *answer_class, *answered_kind;
    const uint64_t *transaction_key, *session_key, *content_key;
} message_columns;

typedef struct {
    uint8_t *flags;
    int64_t *first_delay_ns, *final_delay_ns, *session_ns; /* -1: none */
} result_columns;

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

static uint8_t repeat_flag(uint64_t content, int64_t now_ns, uint64_t *last_content,
                           int64_t *seen_ns, int seen_before) {
    uint8_t flag = 0;
    if (seen_before && *last_content == content)
        flag = age_ns(now_ns, *seen_ns) < DUPLICATE_NS ? IS_DUPLICATE : IS_RETRANSMISSION;
    *last_content = content;
    *seen_ns = now_ns;
    return flag;
}

static transaction *transaction_of(matcher *m, const message_columns *in, int64_t i) {
    int is_new;
    transaction *t = table_get(&m->transactions, in->transaction_key[i], m->now_ns, &is_new);
    if (is_new || in->time_ns[i] > t->entry.last_ns) t->entry.last_ns = in->time_ns[i];
    return t;
}

static void take_request(matcher *m, const message_columns *in, int64_t i, result_columns *out) {
    transaction *t = transaction_of(m, in, i);
    int64_t now_ns = in->time_ns[i];
    out->flags[i] = repeat_flag(in->content_key[i], now_ns, &t->request_content,
                                &t->request_seen_ns, t->asked);
    if (t->asked) return;
    out->flags[i] |= IS_FIRST;
    t->asked = 1;
    t->request_ns = now_ns;
    if (in->request_kind[i] == KIND_ACKNOWLEDGEMENT || t->answered) return;
    pending request = {t->entry.key, now_ns, in->direction[i]};
    for (int p = 0; p < 2; p++) wait_for_answer(m->queues + p, request);
}

static void take_answer(matcher *m, const message_columns *in, int64_t i, result_columns *out) {
    transaction *t = transaction_of(m, in, i);
    int64_t now_ns = in->time_ns[i];
    int is_final = in->answer_class[i] != CLASS_PROVISIONAL;
    out->flags[i] = repeat_flag(in->content_key[i], now_ns, &t->answer_content,
                                &t->answer_seen_ns, t->answered);
    if (t->asked && !t->answered) out->first_delay_ns[i] = age_ns(now_ns, t->request_ns);
    if (t->asked && is_final && !t->final) out->final_delay_ns[i] = age_ns(now_ns, t->request_ns);
    t->answered = 1;
    t->final |= (uint8_t)is_final;
}

/* A session runs from the success of its start to the request that ends it; a repeated end does
 * not end it again. */
static void follow_session(matcher *m, const message_columns *in, int64_t i, result_columns *out) {
    int is_new;
    session *s;
    if (in->request_kind[i] == KIND_SESSION_END) {
        s = table_find(&m->sessions, in->session_key[i], in->time_ns[i]);
        if (!s || s->ended) return;
        out->session_ns[i] = age_ns(in->time_ns[i], s->entry.last_ns);
        s->ended = 1;
    } else if (in->answer_class[i] == CLASS_SUCCESS &&
               in->answered_kind[i] == KIND_SESSION_START) {
        table_get(&m->sessions, in->session_key[i], in->time_ns[i], &is_new);
    }
}

/* Match messages first..n-1.  Stops early where the events are full; returns the message to go on
 * with.  Messages should come in time order; one that comes late is matched at its own time. */
TS_EXPORT int64_t ts_transactions_match(void *state, int64_t first, const message_columns *in,
                                        result_columns *out, event_columns *events) {
    matcher *m = state;
    for (int64_t i = first; i < in->n; i++) {
        if (i + LOOK_AHEAD < in->n)
            table_expect(&m->transactions, in->transaction_key[i + LOOK_AHEAD]);
        tick(m, in->time_ns[i]);
        if (!run_out(m, 0, events) || !run_out(m, 1, events)) return i;
        out->first_delay_ns[i] = out->final_delay_ns[i] = out->session_ns[i] = -1;
        if (in->request_kind[i] != NONE) take_request(m, in, i, out);
        else take_answer(m, in, i, out);
        follow_session(m, in, i, out);
    }
    return in->n;
}

/* Let time pass without a message, at the end of the log.  Returns 0 where the events are full and more are due. */
TS_EXPORT int64_t ts_transactions_pass(void *state, int64_t now_ns, event_columns *events) {
    matcher *m = state;
    tick(m, now_ns);
    return run_out(m, 0, events) && run_out(m, 1, events);
}
