/* Queues of the manifest. */
#include "executor/queues_config.h"

#include <stdio.h>

#include "core/base/log.h"
#include "executor/message_queue.h"

const struct opt_def queue_options[] = {
    {.key = "visibility_timeout",
     .type = OPT_DURATION,
     .offset = offsetof(struct queue_def, visibility_ns),
     .default_text = "30s",
     .help = "how long a received message is hidden, up to 12h"},
    {.key = "delay",
     .type = OPT_DURATION,
     .offset = offsetof(struct queue_def, delay_ns),
     .default_text = "0s",
     .help = "how long a new message is hidden, up to 15m"},
    {.key = "retention",
     .type = OPT_DURATION,
     .offset = offsetof(struct queue_def, retention_ns),
     .default_text = "4d",
     .help = "how long a message is kept, 1m to 14d"},
    {.key = "receive_wait",
     .type = OPT_DURATION,
     .offset = offsetof(struct queue_def, wait_ns),
     .default_text = "0s",
     .help = "how long a receive waits for a message, up to 20s"},
    {.key = "max_message_size",
     .type = OPT_SIZE,
     .offset = offsetof(struct queue_def, max_bytes),
     .default_text = "1MiB",
     .help = "largest message, up to 1MiB"},
    {.key = "dead_letter",
     .type = OPT_STRING,
     .offset = offsetof(struct queue_def, dead_letter),
     .value_name = "QUEUE",
     .help = "queue for messages that were received too often"},
    {.key = "max_receives",
     .type = OPT_INT,
     .offset = offsetof(struct queue_def, max_receives),
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .help = "how often a message is received before it is dead"},
    {.key = "content_deduplication",
     .type = OPT_BOOL,
     .offset = offsetof(struct queue_def, content_dedup),
     .default_text = "false",
     .help = "of a FIFO queue: equal bodies are one message"},
    {0},
};

static enum status wrong(const struct manifest *m, const struct yaml_node *n, struct err *e,
                         const char *what)
{
    return err_set(e, ERR_CONFIG, "%s:%u:%u: %s", m->name, n->line, n->column, what);
}

static bool is_within(int64_t ns, int64_t min_s, int64_t max_s)
{
    return ns >= min_s * NS_PER_SEC && ns <= max_s * NS_PER_SEC && ns % NS_PER_SEC == 0;
}

static enum status check_def(const struct manifest *m, const struct yaml_node *n,
                             const struct queue_def *q, struct err *e)
{
    if (!queue_name_is_valid(q->name))
        return wrong(m, n, e, "a queue's name has letters, digits, - and _, at most 80");
    if (!is_within(q->visibility_ns, 0, MQ_MAX_VISIBILITY_S))
        return wrong(m, n, e, "visibility_timeout: whole seconds, 0s to 12h");
    if (!is_within(q->delay_ns, 0, MQ_MAX_DELAY_S))
        return wrong(m, n, e, "delay: whole seconds, 0s to 15m");
    if (!is_within(q->retention_ns, 60, 1209600))
        return wrong(m, n, e, "retention: whole seconds, 1m to 14d");
    if (!is_within(q->wait_ns, 0, 20))
        return wrong(m, n, e, "receive_wait: whole seconds, 0s to 20s");
    if (q->max_bytes < 1024 || q->max_bytes > 1048576)
        return wrong(m, n, e, "max_message_size: 1KiB to 1MiB");
    if (q->dead_letter.n > 0 &&
        (!queue_name_is_valid(q->dead_letter) || str_eq(q->dead_letter, q->name)))
        return wrong(m, n, e, "dead_letter: the name of another queue");
    if (q->dead_letter.n > 0 && queue_name_is_fifo(q->name) != queue_name_is_fifo(q->dead_letter))
        return wrong(
            m, yaml_get(n, STR("dead_letter")), e,
            queue_name_is_fifo(q->name)
                ? "dead_letter: of a FIFO queue, a FIFO queue: a name with .fifo at its end"
                : "dead_letter: of a standard queue, no FIFO queue");
    return OK;
}

enum status queues_config_read(const struct manifest *m, struct arena *a, struct queue_def **out,
                               struct err *e)
{
    const struct yaml_node *section = m->root ? yaml_get(m->root, STR("queues")) : NULL;
    static const char *const nothing_foreign[] = {NULL};
    struct queue_def *first = NULL, **last = &first;

    if (section && section->type != YAML_TABLE && !(section->is_plain && section->text.n == 0))
        return wrong(m, section, e, "queues: names with their settings are expected");
    for (const struct yaml_node *n = section ? section->child : NULL; n; n = n->next) {
        struct queue_def *q = arena_new(a, struct queue_def, 1);
        struct opt_set set;
        if (opt_init(&set, queue_options, q, a, 0, e) != OK)
            return e ? e->code : ERR_CONFIG;
        bool has_settings = n->type == YAML_TABLE;
        if (has_settings &&
            opt_apply_yaml(&set, n, m->name, ORIGIN_USER_FILE, nothing_foreign, e) != OK)
            return e ? e->code : ERR_CONFIG;
        q->name = arena_str(a, n->key);
        enum status s = check_def(m, n, q, e);
        if (s != OK)
            return s;
        *last = q;
        last = &q->next;
    }
    *out = first;
    return OK;
}

/* --- making them --- */

static void set_number(struct queue_settings *s, struct arena *a, enum queue_attribute which,
                       int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    enum status status = queue_settings_set(s, a, which, str_from(text), NULL);
    UNUSED(status); /* ranges were checked */
}

static void set_text(struct queue_settings *s, struct arena *a, enum queue_attribute which,
                     struct str text)
{
    enum status status = queue_settings_set(s, a, which, text, NULL);
    UNUSED(status); /* made here, in its form */
}

static void fill_settings(const struct executor *x, const struct queue_def *q, struct arena *a,
                          struct queue_settings *s)
{
    set_number(s, a, QUEUE_VISIBILITY, q->visibility_ns / NS_PER_SEC);
    set_number(s, a, QUEUE_DELAY, q->delay_ns / NS_PER_SEC);
    set_number(s, a, QUEUE_RETENTION, q->retention_ns / NS_PER_SEC);
    set_number(s, a, QUEUE_WAIT, q->wait_ns / NS_PER_SEC);
    set_number(s, a, QUEUE_MAX_SIZE, (int64_t)q->max_bytes);
    set_text(s, a, QUEUE_REDRIVE, (struct str){0});
    if (q->dead_letter.n > 0)
        set_text(s, a, QUEUE_REDRIVE,
                 arena_printf(a,
                              "{\"deadLetterTargetArn\":\"arn:aws:sqs:" STR_FMT ":" STR_FMT
                              ":" STR_FMT "\",\"maxReceiveCount\":%lld}",
                              STR_ARG(x->manifest->region), STR_ARG(x->manifest->account),
                              STR_ARG(q->dead_letter), (long long)q->max_receives));
    if (queue_name_is_fifo(q->name)) {
        set_text(s, a, QUEUE_FIFO, STR("true"));
        set_text(s, a, QUEUE_CONTENT_DEDUP, q->content_dedup ? STR("true") : STR("false"));
    }
}

static void on_made(void *ctx, enum status s, const struct err *e)
{
    UNUSED(ctx);
    if (s != OK)
        log_event(LOG_ERROR, "a queue of the manifest is not durable: %s", e->msg);
}

static void apply_def(struct executor *x, const struct queue_def *def, struct arena *a)
{
    struct mq_queue *q = mq_find(x->queues, def->name);
    struct queue_settings s;

    if (q)
        s = *mq_settings(q);
    else
        queue_settings_init(&s);
    fill_settings(x, def, a, &s);
    if (q)
        mq_configure(q, &s, mq_tags(q), on_made, NULL);
    else
        mq_create(x->queues, def->name, &s, STR("{}"), on_made, NULL);
}

/* --- names without a definition --- */

typedef bool name_fn(void *ctx, struct str name);

/* Names of queues that nobody defines, until fn says true; ARNs name what must exist. */
static bool each_named(const struct manifest *m, const struct queue_def *defined, name_fn *fn,
                       void *ctx)
{
    for (const struct queue_def *q = defined; q; q = q->next)
        if (fn(ctx, q->dead_letter))
            return true;
    for (size_t i = 0; i < m->n_functions; i++) {
        const struct str destinations[] = {m->functions[i].on_success, m->functions[i].on_failure};
        if (fn(ctx, m->functions[i].dlq))
            return true;
        for (size_t k = 0; k < ARRAY_LEN(destinations); k++)
            if (!manifest_find(m, destinations[k], NULL) && fn(ctx, destinations[k]))
                return true;
    }
    return false;
}

static bool is_that(void *ctx, struct str name)
{
    return str_eq(*(const struct str *)ctx, name);
}

bool queues_config_names(const struct manifest *m, const struct queue_def *defined, struct str name)
{
    return name.n > 0 && each_named(m, defined, is_that, &name);
}

static bool make_named(void *ctx, struct str name)
{
    const struct executor *x = ctx;
    AUTO(arena_clear) struct arena a = {0};
    struct queue_settings s;

    if (!queue_name_is_valid(name) || mq_find(x->queues, name))
        return false;
    queue_settings_init(&s);
    if (queue_name_is_fifo(name))
        set_text(&s, &a, QUEUE_FIFO, STR("true"));
    mq_create(x->queues, name, &s, STR("{}"), on_made, NULL);
    return false;
}

enum status queues_config_apply(struct executor *x, struct err *e)
{
    const struct manifest *m = x->manifest;
    struct queue_def *first = NULL;
    struct arena a;

    arena_init(&a);
    enum status s = queues_config_read(m, &a, &first, e);
    for (const struct queue_def *q = first; s == OK && q; q = q->next)
        apply_def(x, q, &a);
    if (s == OK)
        (void)each_named(m, first, make_named, x);
    arena_clear(&a);
    return s;
}
