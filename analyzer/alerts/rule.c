/* Reads a `when:` line. One small function per kind of token; clauses are a table. */
#include "analyzer/alerts/signal.h"

#include <assert.h>

#include "core/base/opt.h"
#include "core/base/timefmt.h"

const char *const rule_missing_names[] = {"keep", "fire", "clear", NULL};

struct scan {
    struct str text;
    size_t at, value_at; /* value_at: where the last value began */
    unsigned read;       /* bit i: clauses[i] */
    struct err *e;
};

static enum status fail(const struct scan *s, size_t at, const char *what, struct str word)
{
    return err_set(s->e, ERR_CONFIG, "column %zu: %s \"" STR_FMT "\"", at + 1, what, STR_ARG(word));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool is_operator(char c)
{
    return c == '<' || c == '>' || c == '=' || c == '/';
}

static bool begins_money(struct str s)
{
    return str_starts(s, STR("$")) || str_starts(s, STR("CNY"));
}

/* A word ends at a blank or operator; "/" belongs to an amount ("$2/h", "CNY14/h"). */
static struct str next_word(struct scan *s, size_t *began)
{
    struct str t = s->text;

    while (s->at < t.n && is_blank(t.p[s->at]))
        s->at++;
    *began = s->at;
    const bool is_money = begins_money(str_skip(t, s->at));
    const bool begins_operator = s->at < t.n && is_operator(t.p[s->at]);
    while (s->at < t.n && !is_blank(t.p[s->at]) &&
           (is_operator(t.p[s->at]) == begins_operator || (is_money && t.p[s->at] == '/')))
        s->at++;
    return str_sub(t, *began, s->at - *began);
}

static enum status read_signal(struct scan *s, const struct signal_info **out)
{
    size_t began;
    struct str word = next_word(s, &began);

    if (word.n == 0)
        return err_set(s->e, ERR_CONFIG, "column %zu: a signal is missing here", began + 1);
    *out = signal_find(word);
    if (*out)
        return OK;
    struct str near = signal_suggest(word);
    if (near.n > 0)
        return err_set(s->e, ERR_CONFIG,
                       "column %zu: there is no signal \"" STR_FMT "\"; did you mean \"" STR_FMT
                       "\"?",
                       began + 1, STR_ARG(word), STR_ARG(near));
    return fail(s, began, "`fnscope alert signals` lists the signals; there is none named", word);
}

static enum status read_compare(struct scan *s, struct str word, size_t began,
                                enum rule_compare *out)
{
    static const struct str names[] = {
        [RULE_ABOVE] = STR_INIT(">"),
        [RULE_AT_LEAST] = STR_INIT(">="),
        [RULE_BELOW] = STR_INIT("<"),
        [RULE_AT_MOST] = STR_INIT("<="),
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq(word, names[i]))
            continue;
        *out = (enum rule_compare)i;
        return OK;
    }
    return fail(s, began, "one of > >= < <= is expected here, not", word);
}

/* --- values, by unit --- */

static bool read_count(struct str w, int64_t *out)
{
    return str_to_i64(w, out);
}

static bool read_duration(struct str w, int64_t *out)
{
    return duration_parse(w, out, NULL) == OK;
}

static bool has_unit(struct str w)
{
    return w.n > 0 && w.p[w.n - 1] != '.' && !(w.p[w.n - 1] >= '0' && w.p[w.n - 1] <= '9');
}

/* Memory, with its unit: "memory.max > 100" meant MB. Nothing needs none. */
static bool read_bytes(struct str w, int64_t *out)
{
    uint64_t bytes;

    if (memory_parse(w, &bytes, NULL) != OK || bytes > INT64_MAX || (bytes > 0 && !has_unit(w)))
        return false;
    *out = (int64_t)bytes;
    return true;
}

/* "1.5%" or "0.015" */
static bool read_ratio(struct str w, int64_t *out)
{
    if (str_ends(w, STR("%")))
        return str_to_scaled(str_sub(w, 0, w.n - 1), 4, out);
    return str_to_scaled(w, 6, out);
}

static bool read_amount(struct str w, struct str sign, int64_t *out)
{
    return str_starts(w, sign) && money_parse(str_skip(w, sign.n), out, NULL) == OK;
}

static bool read_money(struct str w, int64_t *out)
{
    return read_amount(w, STR("$"), out);
}

static bool read_money_rate(struct str w, int64_t *out)
{
    return str_ends(w, STR("/h")) && read_money(str_sub(w, 0, w.n - 2), out);
}

static bool read_cny_rate(struct str w, int64_t *out)
{
    return str_ends(w, STR("/h")) && read_amount(str_sub(w, 0, w.n - 2), STR("CNY"), out);
}

static const struct {
    bool (*read)(struct str w, int64_t *out);
    const char *form, *sample;
} units[METRIC_UNITS] = {
    [UNIT_COUNT] = {read_count, "a whole number such as 5", "5"},
    [UNIT_NS] = {read_duration, "a duration such as 30s or 5m", "30s"},
    [UNIT_BYTES] = {read_bytes, "a size with its unit such as 512MB", "512MB"},
    [UNIT_PPM] = {read_ratio, "a share such as 1.5%", "1.5%"},
    [UNIT_PICO] = {read_money, "an amount such as $2.50", "$2.50"},
    [UNIT_PICO_HOUR] = {read_money_rate, "an amount an hour such as $2.50/h", "$2.50/h"},
    [UNIT_PICO_CNY_HOUR] = {read_cny_rate, "an amount an hour such as CNY18/h", "CNY18/h"},
};

const char *rule_value_sample(enum metric_unit unit)
{
    return units[unit].sample;
}

static enum status read_value(struct scan *s, enum metric_unit unit, int64_t *out)
{
    struct str word = next_word(s, &s->value_at);

    if (units[unit].read(word, out))
        return OK;
    return err_set(s->e, ERR_CONFIG, "column %zu: %s is expected here, not \"" STR_FMT "\"",
                   s->value_at + 1, units[unit].form, STR_ARG(word));
}

/* --- what can be --- */

/* Failures are a part of all invocations, timeouts one of the failures. */
static bool is_part(const struct signal_info *s, const struct signal_info *per)
{
    if (!per || s->from != FROM_CELLS || per->from != FROM_CELLS)
        return false;
    if (per->member == CELL_INVOCATIONS)
        return s->member <= CELL_COLD_STARTS;
    return s == per ||
           (per->member == CELL_ERRORS && (s->member == CELL_TIMEOUTS || s->member == CELL_OOM));
}

/* Of a limit, which is overrun a little, or was just lowered. */
static bool is_of_limit(const struct signal_info *s, const struct signal_info *per)
{
    const bool is_share = s->from == FROM_CELLS &&
                          (s->member == CELL_DURATION_SHARE || s->member == CELL_MEMORY_SHARE);
    const bool is_concurrency = per && s->from == FROM_POINTS && per->from == FROM_POINTS &&
                                s->member == METRIC_CONCURRENCY &&
                                per->member == METRIC_CONCURRENCY_LIMIT;

    return is_share || is_concurrency || signal_share(s, per);
}

#define WHOLE INT64_C(1000000)

/* No value is below zero, and a quota has an end. */
static int64_t largest_of(const struct rule *r)
{
    const struct signal_info *s = r->signal, *per = r->per;
    const bool is_quota = !per && s->from == FROM_SOURCES && s->member == SOURCE_QUOTA;

    return is_part(s, per) || is_quota ? WHOLE : is_of_limit(s, per) ? 2 * WHOLE : INT64_MAX;
}

static bool holds_never(const struct rule *r, int64_t limit)
{
    switch (r->compare) {
    case RULE_ABOVE:
        return limit >= largest_of(r);
    case RULE_AT_LEAST:
        return limit > largest_of(r);
    case RULE_BELOW:
        return limit <= 0;
    case RULE_AT_MOST:
    default:
        return limit < 0;
    }
}

static bool holds_always(const struct rule *r, int64_t limit)
{
    switch (r->compare) {
    case RULE_ABOVE:
        return limit < 0;
    case RULE_AT_LEAST:
        return limit <= 0;
    case RULE_BELOW:
        return limit > largest_of(r);
    case RULE_AT_MOST:
    default:
        return limit >= largest_of(r);
    }
}

static bool is_upper(const struct rule *r)
{
    return r->compare == RULE_ABOVE || r->compare == RULE_AT_LEAST;
}

/* The condition as a whole; a limit of what never is would watch nothing without a word. */
static enum status check_threshold(const struct scan *s, const struct rule *r)
{
    const bool is_never = holds_never(r, r->threshold);

    if (!is_never && !holds_always(r, r->threshold))
        return OK;
    if (is_never == is_upper(r))
        return err_set(
            s->e, ERR_CONFIG,
            "column %zu: this %s holds: it is %lld%% at most; two per cent is written 2%% "
            "or 0.02",
            s->value_at + 1, is_never ? "never" : "always",
            (long long)(largest_of(r) / (WHOLE / 100)));
    return err_set(s->e, ERR_CONFIG,
                   "column %zu: this %s holds: no value is below zero; \"%s 0\" says that there is "
                   "%s",
                   s->value_at + 1, is_never ? "never" : "always",
                   is_upper(r) ? ">" : "<=", is_upper(r) ? "any" : "none");
}

/* --- clauses --- */

#define LONGEST_NS (31 * NS_PER_DAY)

static enum status read_span(struct scan *s, int64_t *out)
{
    enum status status = read_value(s, UNIT_NS, out);

    if (status != OK || *out <= LONGEST_NS)
        return status;
    return err_set(s->e, ERR_CONFIG, "column %zu: too long: no rule looks back further than 31d",
                   s->value_at + 1);
}

static enum status read_for(struct scan *s, struct rule *r)
{
    return read_span(s, &r->for_ns);
}

static enum status read_over(struct scan *s, struct rule *r)
{
    enum status status = read_span(s, &r->over_ns);

    if (status != OK || r->over_ns > 0)
        return status;
    return err_set(s->e, ERR_CONFIG,
                   "column %zu: a window of no time holds nothing: say over 1m, or leave it out",
                   s->value_at + 1);
}

static enum status read_keep(struct scan *s, struct rule *r)
{
    return read_span(s, &r->keep_ns);
}

/* On the good side of the threshold, or it would be gone while it holds. */
static enum status read_clear(struct scan *s, struct rule *r)
{
    const size_t began = s->at;
    enum status status = read_value(s, r->unit, &r->clear);

    if (status == OK && holds_always(r, r->clear))
        return err_set(s->e, ERR_CONFIG,
                       "column %zu: it would never be over: every value is on that side of the "
                       "clear value",
                       s->value_at + 1);
    if (status != OK)
        return status;
    if (is_upper(r) ? r->clear <= r->threshold : r->clear >= r->threshold)
        return OK;
    return err_set(s->e, ERR_CONFIG,
                   "column %zu: the clear value lies on the wrong side of the threshold",
                   began + 1);
}

static enum status read_min(struct scan *s, struct rule *r)
{
    int64_t n;
    const size_t began = s->at;
    enum status status = read_value(s, UNIT_COUNT, &n);

    if (status != OK)
        return status;
    if (!r->per || n < 0)
        return err_set(s->e, ERR_CONFIG, "column %zu: min is the least count of a ratio's divisor",
                       began + 1);
    r->min_count = (uint64_t)n;
    return OK;
}

static const struct {
    const char *name;
    enum status (*read)(struct scan *s, struct rule *r);
} clauses[] = {
    {"for", read_for},   {"over", read_over}, {"clear", read_clear},
    {"keep", read_keep}, {"min", read_min},
};

static enum status read_clause(struct scan *s, struct rule *r, struct str word, size_t began)
{
    const char *names[ARRAY_LEN(clauses) + 1] = {0};

    for (size_t i = 0; i < ARRAY_LEN(clauses); i++) {
        names[i] = clauses[i].name;
        if (!str_eq(word, str_from(clauses[i].name)))
            continue;
        if ((s->read >> i & 1) != 0)
            return fail(s, began, "a clause stands once in a rule; this is the second", word);
        s->read |= 1U << i;
        return clauses[i].read(s, r);
    }
    struct str near = opt_suggest(word, names);
    if (near.n > 0)
        return err_set(s->e, ERR_CONFIG,
                       "column %zu: unknown word \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?",
                       began + 1, STR_ARG(word), STR_ARG(near));
    return fail(s, began, "for, over, clear, keep or min is expected here, not", word);
}

/* --- a line --- */

/* Both sides speak of the same subjects and, but for counts over counts, in the same unit. */
static enum status check_ratio(const struct scan *s, const struct rule *r, size_t began)
{
    assert(r->signal && r->per);
    if ((r->signal->scope_mask & r->per->scope_mask) == 0)
        return err_set(s->e, ERR_CONFIG, "column %zu: %s and %s are about different things",
                       began + 1, r->signal->name, r->per->name);
    if (r->signal->unit != r->per->unit)
        return err_set(s->e, ERR_CONFIG, "column %zu: %s and %s have different units", began + 1,
                       r->signal->name, r->per->name);
    return OK;
}

#define MINUTE         NS_PER_MIN
#define DEFAULT_WINDOW (5 * MINUTE) /* of rates and ratios: a minute alone is too jumpy */

static void set_defaults(struct rule *r)
{
    const bool is_smoothed =
        r->signal->kind == SIGNAL_RATE || (r->per && r->per->kind == SIGNAL_SUM);

    r->for_ns = 0;
    r->over_ns = is_smoothed ? DEFAULT_WINDOW : r->signal->kind == SIGNAL_SUM ? MINUTE : 0;
    r->keep_ns = 0;
    r->min_count = 0;
}

static enum status read_sides(struct scan *s, struct rule *r)
{
    size_t began;
    enum status status = read_signal(s, &r->signal);

    r->per = NULL;
    if (status != OK)
        return status;
    struct str word = next_word(s, &began);
    if (str_eq(word, STR("/"))) {
        const size_t per_at = s->at + 1;
        status = read_signal(s, &r->per);
        if (status == OK)
            status = check_ratio(s, r, per_at);
        if (status != OK)
            return status;
        word = next_word(s, &began);
    }
    r->unit = r->per ? UNIT_PPM : r->signal->unit;
    set_defaults(r);
    return read_compare(s, word, began, &r->compare);
}

static void become_share(struct rule *r)
{
    const struct signal_info *share = signal_share(r->signal, r->per);

    if (share == NULL)
        return;
    r->signal = share;
    r->per = NULL;
}

bool rule_is_about(const struct rule *r, enum metric_scope scope)
{
    return (r->signal->scope_mask >> scope & 1) != 0;
}

enum status rule_parse(struct rule *r, struct str text, struct err *e)
{
    struct scan s = {.text = text, .e = e};
    struct rule new = *r;
    size_t began;
    enum status status = read_sides(&s, &new);

    if (status == OK)
        status = read_value(&s, new.unit, &new.threshold);
    if (status == OK)
        status = check_threshold(&s, &new);
    new.clear = new.threshold;
    while (status == OK) {
        struct str word = next_word(&s, &began);
        if (word.n == 0)
            break;
        status = read_clause(&s, &new, word, began);
    }
    if (status != OK)
        return e ? e->code : ERR_CONFIG;
    become_share(&new);
    new.when = text;
    *r = new;
    return OK;
}
