/* Pieces to attempts. Everything here is a function of the set of pieces: they are kept sorted, and
 * where two disagree a fixed rank decides, so the order of arrival cannot show.
 */
#include "analyzer/assembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

/* --- adding --- */

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_texts(const struct piece *x, const struct piece *y)
{
    int c = str_cmp(x->error_type, y->error_type);

    if (c == 0)
        c = str_cmp(x->status, y->status);
    if (c == 0)
        c = str_cmp(x->version, y->version);
    return c != 0 ? c : str_cmp(x->trace_id, y->trace_id);
}

/* Total: equal only for pieces that say the same, so that their order hides that of arrival. */
static int compare_pieces(const struct piece *x, const struct piece *y)
{
    if (x->t_ns != y->t_ns)
        return compare_i64(x->t_ns, y->t_ns);
    const int64_t pairs[][2] = {
        {(int64_t)x->kind, (int64_t)y->kind},
        {x->duration_ns, y->duration_ns},
        {x->billed_ns, y->billed_ns},
        {x->init_ns, y->init_ns},
        {x->restore_ns, y->restore_ns},
        {(int64_t)x->memory_bytes, (int64_t)y->memory_bytes},
        {(int64_t)x->max_memory_bytes, (int64_t)y->max_memory_bytes},
        {x->has, y->has},
        {x->was_killed, y->was_killed},
        {x->is_time_borrowed, y->is_time_borrowed},
        {x->is_time_guessed, y->is_time_guessed},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i][0] != pairs[i][1])
            return compare_i64(pairs[i][0], pairs[i][1]);
    return compare_texts(x, y);
}

static void make_room(struct pieces *p)
{
    if (p->n < p->cap)
        return;
    p->cap = p->cap == 0 ? 3 : p->cap * 2; /* three pieces are the rule: none is wasted on more */
    p->rows = xreallocarray(p->rows, p->cap, sizeof(*p->rows));
}

static enum piece_news learn_arrival(struct piece *p, uint16_t arrival)
{
    if (arrival <= p->arrival)
        return PIECE_KNOWN;
    p->arrival = arrival;
    return PIECE_ARRIVAL;
}

/* Pieces mostly come in order, so the place is near the end. Full: of all that were ever offered
 * the first are kept, whatever the order of the offers. */
enum piece_news pieces_add(struct pieces *p, const struct piece *piece)
{
    size_t at = p->n;

    for (; at > 0 && p->rows[at - 1].t_ns >= piece->t_ns; at--) {
        int c = compare_pieces(&p->rows[at - 1], piece);
        if (c == 0)
            return learn_arrival(&p->rows[at - 1], piece->arrival);
        if (c < 0)
            break;
    }
    if (p->n == MAX_PIECES && at == p->n)
        return PIECE_KNOWN;
    if (p->n == MAX_PIECES)
        p->n--;
    make_room(p);
    if (at < p->n)
        memmove(&p->rows[at + 1], &p->rows[at], (p->n - at) * sizeof(*p->rows));
    p->rows[at] = *piece;
    p->has_guessed |= piece->is_time_guessed;
    p->n++;
    return PIECE_NEW;
}

/* --- outcome --- */

int outcome_rank(enum outcome o)
{
    static const int ranks[OUTCOMES] = {
        [OUTCOME_UNKNOWN] = 0,   [OUTCOME_OK] = 1,         [OUTCOME_ERROR] = 2,
        [OUTCOME_THROTTLED] = 3, [OUTCOME_INIT_ERROR] = 4, [OUTCOME_TIMEOUT] = 5,
        [OUTCOME_OOM] = 6,
    };

    return ranks[o];
}

/* The platform's names for an error whose type only the function's own lines tell. */
static bool is_general(struct str error_type)
{
    static const struct str types[] = {STR_INIT("Runtime.ExitError"), STR_INIT("Runtime.Unknown"),
                                       STR_INIT("Function.Unknown"), STR_INIT("Unknown")};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(error_type, types[i]))
            return true;
    return false;
}

/* A type before none, the program's own before a general one, then the smaller text. */
static bool is_better_type(struct str type, struct str now)
{
    if (type.n == 0 || now.n == 0)
        return type.n > 0;
    if (is_general(type) != is_general(now))
        return is_general(now);
    return str_cmp(type, now) < 0;
}

/* The higher rank wins; at the same rank the better type. */
static void worsen(struct invocation *inv, enum outcome o, struct str error_type)
{
    int rank = outcome_rank(o), now = outcome_rank(inv->outcome);
    bool is_better_name = rank == now && is_better_type(error_type, inv->error_type);

    if (rank < now)
        return;
    if (rank > now) {
        inv->outcome = o;
        if (error_type.n > 0)
            inv->error_type = error_type;
    } else if (is_better_name) {
        inv->error_type = error_type;
    }
}

/* New style: the platform says so; the memory used may read one MB short of the limit. */
static enum outcome outcome_of_type(struct str error_type)
{
    static const struct {
        struct str type;
        enum outcome outcome;
    } types[] = {
        {STR_INIT("Runtime.OutOfMemory"), OUTCOME_OOM},
        {STR_INIT("Runtime.ImportModuleError"), OUTCOME_INIT_ERROR},
        {STR_INIT("Runtime.UserCodeSyntaxError"), OUTCOME_INIT_ERROR},
        {STR_INIT("Runtime.HandlerNotFound"), OUTCOME_INIT_ERROR},
        {STR_INIT("Runtime.InvalidEntrypoint"), OUTCOME_INIT_ERROR},
        {STR_INIT("Runtime.BadFunctionCode"), OUTCOME_INIT_ERROR},
        {STR_INIT("Sandbox.Timedout"), OUTCOME_TIMEOUT},
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(error_type, types[i].type))
            return types[i].outcome;
    return OUTCOME_ERROR;
}

static void apply_status(struct invocation *inv, struct str status, struct str error_type)
{
    if (str_eq(error_type, STR("Runtime.ExitError")))
        inv->evidence |= EV_EXIT_LINE;
    if (str_eq(status, STR("timeout")))
        worsen(inv, OUTCOME_TIMEOUT, error_type);
    else if (str_eq(status, STR("error")) || str_eq(status, STR("failure")) || error_type.n > 0)
        worsen(inv, outcome_of_type(error_type), error_type);
}

/* --- one piece --- */

static void keep_texts(struct invocation *inv, const struct piece *p)
{
    if (inv->version.n == 0)
        inv->version = p->version;
    if (inv->trace_id.n == 0)
        inv->trace_id = p->trace_id;
}

static void apply_start(struct invocation *inv, const struct piece *p)
{
    if (inv->evidence & EV_START)
        return;
    inv->start_ns = p->t_ns;
    inv->evidence = (inv->evidence | EV_START) & ~(unsigned)EV_START_ESTIMATED;
}

static void apply_report(struct invocation *inv, const struct piece *p)
{
    inv->evidence |= EV_REPORT;
    inv->is_final = true;
    inv->duration_ns = p->duration_ns;
    inv->init_ns = p->init_ns;
    inv->restore_ns = p->restore_ns;
    inv->billed_ns = p->billed_ns;
    inv->memory_bytes = p->memory_bytes;
    inv->max_memory_bytes = p->max_memory_bytes;
    if (!(p->has & PH_BILLED))
        inv->evidence |= EV_NO_BILLING;
    if (!(inv->evidence & EV_START)) {
        inv->start_ns = report_begin(p);
        inv->evidence |= EV_START_ESTIMATED;
    }
    if (p->has & PH_RESTORE)
        inv->start = START_SNAPSTART;
    else
        inv->start = p->has & PH_INIT ? START_COLD : START_WARM;
    worsen(inv, OUTCOME_OK, (struct str){0});
    apply_status(inv, p->status, p->error_type);
}

static void apply_runtime_done(struct invocation *inv, const struct piece *p)
{
    inv->evidence |= EV_RUNTIME_DONE;
    if (!inv->is_final && (p->has & PH_DURATION))
        inv->duration_ns = p->duration_ns;
    apply_status(inv, p->status, p->error_type);
}

static void apply_timeout(struct invocation *inv, const struct piece *p)
{
    UNUSED(p);
    inv->evidence |= EV_TIMEOUT_LINE;
    worsen(inv, OUTCOME_TIMEOUT, (struct str){0});
}

static void apply_exit(struct invocation *inv, const struct piece *p)
{
    inv->evidence |= EV_EXIT_LINE;
    worsen(inv, outcome_of_type(p->error_type), p->error_type);
}

static void apply_app_error(struct invocation *inv, const struct piece *p)
{
    inv->evidence |= EV_APP_ERROR;
    worsen(inv, outcome_of_type(p->error_type), p->error_type);
}

static void apply_end(struct invocation *inv, const struct piece *p)
{
    inv->evidence |= EV_END;
    if (!inv->is_final && inv->duration_ns == 0 && (inv->evidence & EV_START))
        inv->duration_ns = p->t_ns - inv->start_ns;
}

static void apply_piece(struct invocation *inv, const struct piece *p)
{
    static void (*const appliers[PIECE_KINDS])(struct invocation *, const struct piece *) = {
        [PIECE_START] = apply_start,
        [PIECE_TIMEOUT] = apply_timeout,
        [PIECE_EXIT] = apply_exit,
        [PIECE_APP_ERROR] = apply_app_error,
        [PIECE_RUNTIME_DONE] = apply_runtime_done,
        [PIECE_END] = apply_end,
        [PIECE_REPORT] = apply_report,
    };

    appliers[p->kind](inv, p);
    keep_texts(inv, p);
}

/* --- the environment's evidence --- */

/* On-demand inits run right before their request; one that was over this long before was proactive.
 */
#define PROACTIVE_NS (NS_PER_SEC)

static void apply_crash(struct invocation *inv, const struct loose *l)
{
    inv->evidence |= l->kind == PLATFORM_OTHER ? EV_APP_ERROR : EV_EXIT_LINE;
    inv->evidence |= l->is_guess ? EV_ERROR_GUESSED : 0;
    worsen(inv, outcome_of_type(l->error_type), l->error_type);
}

static bool is_full(const struct invocation *inv)
{
    return inv->memory_bytes > 0 && inv->max_memory_bytes + (1u << 20) >= inv->memory_bytes;
}

/* Longer than the request that it is said to be a part of: the function printed it. */
static bool is_too_long(const struct invocation *inv, const struct loose *l)
{
    return inv->is_final && l->duration_ns > inv->duration_ns + inv->init_ns + RUN_SLACK_NS;
}

static bool is_init_inside(const struct invocation *inv, const struct loose *l)
{
    return l->t_ns >= inv->start_ns && str_eq(l->phase, STR("invoke")) && !is_too_long(inv, l);
}

/* An init that failed inside the request decides its outcome; one that went well only says it was
 * repeated. One from before the request tells of the environment. */
static void apply_init_report(struct invocation *inv, const struct loose *l)
{
    const bool is_inside = is_init_inside(inv, l);

    if (l->t_ns < inv->start_ns || (!is_inside && str_eq(l->phase, STR("invoke"))))
        return;
    inv->evidence |= EV_INIT_REPORT;
    if (!is_inside)
        return;
    inv->evidence |= EV_SUPPRESSED_INIT;
    if (str_eq(l->status, STR("error"))) {
        enum outcome o = outcome_of_type(l->error_type);
        worsen(inv, o == OUTCOME_ERROR ? OUTCOME_INIT_ERROR : o, l->error_type);
    }
}

bool loose_is_silent_init(const struct loose *l)
{
    bool is_fine = l->status.n == 0 || str_eq(l->status, STR("success"));

    return l->kind == PLATFORM_INIT_REPORT && l->init_type.n == 0 && is_fine &&
           !str_eq(l->phase, STR("invoke"));
}

/* In the text format init goes unreported where it went well and was on demand: it was for
 * provisioned concurrency, which $LATEST cannot have, or for a snapshot, which an environment that
 * is restored tells. Whether a REPORT bills the init tells nothing: on provisioned concurrency it
 * does, too, as provisioned duration (JSON says the type and the same numbers). */
static bool is_provisioned(const struct invocation *inv, const struct loose *loose, size_t n,
                           int64_t from_ns)
{
    bool is_silent = false;

    for (size_t i = 0; i < n; i++) {
        if (loose[i].kind == PLATFORM_RESTORE_START || loose[i].kind == PLATFORM_RESTORE_REPORT)
            return false;
        if (loose[i].t_ns < from_ns || loose[i].t_ns > inv->start_ns)
            continue;
        if (str_eq(loose[i].init_type, STR("provisioned-concurrency")))
            return true;
        is_silent = is_silent || loose_is_silent_init(&loose[i]);
    }
    return is_silent && !str_eq(inv->version, STR("$LATEST"));
}

/* The last INIT_START before the request began it, if the request was a cold one. */
static void apply_init_start(struct invocation *inv, const struct loose *loose, size_t n)
{
    const struct loose *last = NULL;

    for (size_t i = 0; i < n; i++)
        if (loose[i].kind == PLATFORM_INIT_START && loose[i].t_ns <= inv->start_ns &&
            (!last || loose[i].t_ns > last->t_ns))
            last = &loose[i];
    if ((inv->start == START_COLD || inv->start == START_WARM) &&
        is_provisioned(inv, loose, n, last ? last->t_ns : INT64_MIN))
        inv->start = START_PROVISIONED;
    if (!last || inv->start != START_COLD)
        return;
    inv->evidence |= EV_INIT_START;
    inv->init_lead_ns = inv->start_ns - last->t_ns;
    if (inv->init_lead_ns > inv->init_ns + PROACTIVE_NS)
        inv->evidence |= EV_PROACTIVE_INIT;
}

/* Whether a restore is billed depends on the runtime, which the environment says as it begins. */
static void apply_runtime(struct invocation *inv, const struct loose *loose, size_t n)
{
    const struct loose *last = NULL;

    for (size_t i = 0; i < n; i++)
        if (loose[i].runtime.n > 0 && loose[i].t_ns <= inv->start_ns &&
            (!last || loose[i].t_ns > last->t_ns))
            last = &loose[i];
    if (last && inv->start == START_SNAPSTART)
        inv->evidence |=
            runtime_kind_of(last->runtime) == RUNTIME_JAVA ? EV_JAVA_RUNTIME : EV_OTHER_RUNTIME;
}

static bool has_failed(const struct loose *l)
{
    return str_eq(l->status, STR("error")) || str_eq(l->status, STR("timeout"));
}

/* An initialization inside the request that failed, or the restore it came after, or waits for. */
static bool is_failed_begin(const struct invocation *inv, const struct loose *l)
{
    const int64_t end_ns = inv->start_ns + inv->duration_ns;

    if (l->kind == PLATFORM_INIT_REPORT)
        return has_failed(l) && is_init_inside(inv, l);
    return l->kind == PLATFORM_RESTORE_REPORT && has_failed(l) &&
           outcome_is_failure(inv->outcome) && l->t_ns >= inv->start_ns - PROACTIVE_NS &&
           l->t_ns <= end_ns;
}

/* What failed to begin was no warm environment, though no REPORT measured its initialization: one
 * word for init errors, time-outs and lack of memory, in text and JSON. */
static void apply_failed_init(struct invocation *inv, const struct loose *loose, size_t n)
{
    bool is_failed = inv->outcome == OUTCOME_INIT_ERROR;

    for (size_t i = 0; i < n; i++)
        is_failed = is_failed || is_failed_begin(inv, &loose[i]);
    if (is_failed && inv->start == START_WARM)
        inv->start = START_COLD;
}

static void apply_loose(struct invocation *inv, const struct loose *loose, size_t n,
                        bool *was_killed)
{
    for (size_t i = 0; i < n; i++) {
        const struct loose *l = &loose[i];
        if (l->kind == PLATFORM_INIT_REPORT)
            apply_init_report(inv, l);
        if ((l->kind == PLATFORM_OTHER || l->kind == PLATFORM_RUNTIME_EXIT) &&
            !(inv->evidence & EV_NO_BILLING))
            apply_crash(inv, l);
        *was_killed = *was_killed || l->was_killed;
    }
    apply_init_start(inv, loose, n);
    apply_runtime(inv, loose, n);
    apply_failed_init(inv, loose, n);
}

/* Old style out of memory: the kernel killed the process and all memory was used. */
static void check_memory(struct invocation *inv, bool was_killed)
{
    if (was_killed && is_full(inv))
        worsen(inv, OUTCOME_OOM, STR("Runtime.OutOfMemory"));
}

/* Says more seconds than the REPORT measured: the function printed it. */
static bool is_contradicted(const struct piece *timeout, const struct piece *report)
{
    return timeout->kind == PIECE_TIMEOUT && report &&
           timeout->duration_ns > report->duration_ns + report->init_ns + RUN_SLACK_NS;
}

static const struct piece *start_of(const struct pieces *p, const struct attempt *at)
{
    for (size_t i = at->from; i < at->to; i++)
        if (p->rows[i].kind == PIECE_START)
            return &p->rows[i];
    return NULL;
}

/* The platform writes its REPORT last; an earlier one is a repeat or the function's own text. Of
 * one millisecond the possible one that measured the time since START best is the platform's. */
static bool is_rather(const struct piece *x, const struct piece *than, const struct piece *start)
{
    if (!start)
        return true;
    bool is_possible = report_is_possible(x, start);
    if (is_possible != report_is_possible(than, start))
        return is_possible;
    return x->t_ns != than->t_ns ||
           llabs(report_lag(x, start->t_ns)) < llabs(report_lag(than, start->t_ns));
}

/* Its place; at->to where there is none. */
static size_t report_of(const struct pieces *p, const struct attempt *at)
{
    const struct piece *start = start_of(p, at);
    size_t report = at->to;

    for (size_t i = at->from; i < at->to; i++)
        if (p->rows[i].kind == PIECE_REPORT &&
            (!p->rows[i].is_time_guessed || guessed_counts(p, i)) &&
            (report == at->to || is_rather(&p->rows[i], &p->rows[report], start)))
            report = i;
    return report;
}

/* The file says when it began, at best: neither a START nor a REPORT does, and nothing else where
 * there is none. */
static bool is_guessed(const struct pieces *p, const struct attempt *at)
{
    bool is_every = true, is_run = false;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        const bool tells = x->kind == PIECE_START || x->kind == PIECE_REPORT;
        if (tells && !x->is_time_guessed)
            return false;
        is_every = is_every && x->is_time_guessed;
        is_run = is_run || tells;
    }
    return is_run || is_every;
}

void attempt_assemble(const struct pieces *p, const struct attempt *at, const struct loose *loose,
                      size_t n_loose, struct invocation *inv)
{
    bool was_killed = false;
    const size_t report = report_of(p, at);
    const struct guessed_at own = guessed_instant(p, at);

    assert(at->from < at->to && at->to <= p->n);
    inv->start_ns = p->rows[at->from].t_ns;
    for (size_t i = at->from; i < at->to; i++) {
        if (guessed_is_echo(&p->rows[i], &own))
            continue;
        if ((p->rows[i].kind != PIECE_REPORT || i == report) &&
            !is_contradicted(&p->rows[i], report < at->to ? &p->rows[report] : NULL))
            apply_piece(inv, &p->rows[i]);
        was_killed = was_killed || p->rows[i].was_killed;
    }
    if (p->has_guessed && is_guessed(p, at)) {
        inv->start_ns = attempt_start(p, at);
        inv->evidence |= EV_TIME_GUESSED;
    }
    apply_loose(inv, loose, n_loose, &was_killed);
    check_memory(inv, was_killed);
}
