/* Part of collector.h's door. The source contract: how a provider is polled. Sources are listed in
 * source.c by their type, made from the `sources:` section of the configuration, and run by the
 * runner, each on a thread of its own; all calls happen on that thread.
 *
 * A poll does one bounded step (one page, one call), fills the batch and says when it wants to be
 * called again. It keeps its own back-off: what it returns is for the log and the status row. A
 * step that failed must leave the batch without a cursor for what it did not read. */
#ifndef FNSCOPE_COLLECTOR_SOURCE_H
#define FNSCOPE_COLLECTOR_SOURCE_H

#include "collector/collector.h"
#include "collector/plan.h"
#include "core/base/clock.h"
#include "core/base/http.h"
#include "core/base/opt.h"
#include "core/base/rng.h"

enum poll_result {
    POLL_MORE, /* the round goes on */
    POLL_IDLE, /* everything that was due has been done */
};

/* The outside world as a source sees it: chosen by whoever makes the source, so that tests put
 * twins in place. */
struct source_env {
    struct clock clock;
    struct http http;
    struct rng rng;
    const atomic_bool *stop; /* may be NULL */
    /* Environment variable; NULL when it is not set. */
    const char *(*variable)(void *ctx, const char *name);
    void *variable_ctx;
    /* How far it had read before this run. NULL: it never ran. */
    bool (*find_cursor)(void *ctx, struct str source, struct str scope, struct arena *a,
                        struct cursor *out);
    void *cursor_ctx;
    /* List price of a unit of a provider's meter; false: nobody knows it. NULL: there is no price
     * book. Any thread. */
    bool (*find_price)(void *ctx, enum provider provider, struct str meter, struct str region,
                       int64_t at_ns, money *out);
    void *price_ctx;
};

struct source {
    const struct source_ops *ops;
    struct str name;     /* "prod-eu", or "prod-eu/eu-west-1" of several regions */
    struct str region;   /* of this one; empty where that means nothing */
    const void *options; /* filled from ops->options */
    void *ctx;           /* ops->ctx_size bytes, zeroed before open */
    struct source_env env;
    struct arena arena;          /* lives as long as the source */
    unsigned n_sharing;          /* sources that draw on the same quotas, this one included */
    int64_t next_ns;             /* monotonic: when poll wants to be called again */
    struct source_status status; /* what came since the last report; kept by the source */
    int64_t reported_ns;
};

struct source_ops {
    const char *type; /* value of "type" under sources: */
    const char *help;
    const struct opt_def *options; /* keys below the source's name */
    size_t options_size, ctx_size;
    /* What no option alone can tell; when the configuration is read. NULL: nothing. */
    enum status (*check)(const void *options, struct err *e);
    enum status (*open)(struct source *s, struct err *e); /* no network */
    enum status (*poll)(struct source *s, struct batch *out, enum poll_result *more, struct err *e);
    void (*close)(struct source *s);
    /* What a day of polling will call and cost; no network. NULL: nothing that costs. */
    void (*plan)(const struct source *s, struct plan *p);
    /* The regions an entry of the configuration asks for: one source each. NULL: one source. */
    const struct opt_list *(*regions)(const void *options);
    /* Do these two, whose types have this function, draw on the same quotas of a provider? Each
     * then gets its share: they run on threads of their own and share nothing else. NULL: never. */
    bool (*shares_quota)(const struct source *a, const struct source *b);
    /* What both would read if they were of the same account and region: "logs, queues"; empty:
     * nothing. For two whose types have this function. NULL: it cannot be the same. */
    struct str (*overlap)(const struct source *a, const struct source *b, struct arena *arena);
};

extern const struct source_ops *const source_types[]; /* NULL-terminated */

struct source_list {
    struct source **items;
    size_t n;
    struct arena arena; /* names and options */
};

/* Makes the sources of a configuration: `sources` is the section's node, name the file's for
 * messages. Empty words: all; else only sources with those names. Errors name line and column. */
MUST_CHECK enum status sources_parse(const struct yaml_node *sources, const char *name,
                                     const struct opt_list *only, struct source_list *out,
                                     struct err *e);
void sources_free(struct source_list *l);

/* Two sources that read the same: each event comes twice, and is paid for twice. */
struct source_overlap {
    const struct source *a, *b;
    struct str what; /* "logs, queues" */
};
/* Every pair. `known` is what the collector learnt of them, by name: accounts stand in no
 * configuration; without it sources are of one account that get there the same way. */
size_t sources_overlaps(const struct source_list *l, const struct source_status *known,
                        size_t n_known, struct arena *a, struct source_overlap **out);

/* One source, already configured: for tests and tools. */
struct source *source_new(struct arena *a, const struct source_ops *ops, struct str name,
                          const void *options);
MUST_CHECK enum status source_open(struct source *s, const struct source_env *env, struct err *e);
void source_close(struct source *s);

/* Adds the status row to the batch and begins counting anew. */
void source_report(struct source *s, struct batch *out);

#endif
