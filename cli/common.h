/* What several commands share: the common options, opening the store, the time range, the filter,
 * the cost context, the output format. Part of command.h's door. */
#ifndef FNSCOPE_CLI_COMMON_H
#define FNSCOPE_CLI_COMMON_H

#include "analyzer/analyzer.h"
#include "cli/command.h"
#include "core/base/table_stream.h"
#include "core/model/fn_book.h"
#include "core/store/store.h"

extern const struct opt_def common_options[]; /* into struct settings */

/* Sections of the configuration file that are no plain settings: NULL-terminated. */
extern const char *const foreign_sections[];

/* The store the settings name. A reader of a store that does not exist gets ERR_NOT_FOUND with the
 * commands that would make one. */
MUST_CHECK enum status cli_open_store(const struct cli *c, bool is_read_only, struct store **out,
                                      struct err *e);
/* The same, with functions called as the store has them: for what is written back, or shown to say
 * what lies there. From cli_open_store() a function that was stored without a region has the one
 * that `functions:` of the configuration says, as in its price. */
MUST_CHECK enum status cli_open_as_stored(const struct cli *c, bool is_read_only,
                                          struct store **out, struct err *e);
/* The regions that `functions:` of the configuration says. */
enum status cli_fn_places(const struct cli *c, struct fn_places *out, struct err *e);
/* The folder of the store the settings name. */
struct str cli_store_path(const struct cli *c);
/* Flags that another command needs to find this store, where it is not the usual one:
 * " --store '/var/lib/fnscope'", safe to paste into a shell; empty: none. */
struct str cli_reach(const struct cli *c);
/* For AUTO. */
void cli_close_store(struct store **s);

/* --since and --until; without --since the last `span_ns` before --until; without --until now.
 * span_ns 0: everything the store holds. ERR_USAGE when since is not before until. */
MUST_CHECK enum status cli_range(const struct cli *c, struct store *s, int64_t span_ns,
                                 struct range *out, struct err *e);

/* Says on standard error what the store holds where it has nothing of this range, which an empty
 * answer alone does not tell; cli_range() with span_ns 0 has said so already. */
MUST_CHECK enum status cli_say_if_outside(const struct cli *c, struct store *s, struct range r,
                                          struct err *e);

/* --- the filter: cli/filter.c --- */

/* --function, --region, --account, --provider. */
struct fn_filter cli_filter(const struct cli *c);
/* Members by name, for tables of what options are about. */
struct str cli_fn_name(const struct fn_ref *fn);
struct str cli_fn_region(const struct fn_ref *fn);
struct str cli_fn_account(const struct fn_ref *fn);
/* Says on standard error where no stored function passes it, whenever it ran: which option lets
 * none through, and what name is near. That is no failure: it may be one that did not run yet.
 * Says nothing of an empty store, nor with --quiet. */
MUST_CHECK enum status cli_say_if_no_function(const struct cli *c, struct store *s, struct err *e);
/* The flags of the time range and the filter: `unused` of a command without either. */
extern const char *const cli_without_filter[];

/* Price book, `functions:` rules of the configuration, stored configurations. Lives in the cli's
 * arena but for the book, which cli_cost_clear frees. */
struct cli_cost {
    struct cost_context context; /* keeps_stored: as told to the user, unless --quiet */
    struct pricebook *book;
    struct cost_index *index;
};
MUST_CHECK enum status cli_cost_open(const struct cli *c, struct store *s, struct cli_cost *out,
                                     struct err *e);
void cli_cost_clear(struct cli_cost *cost);
/* Is there a price in the region? ERR_USAGE, with the region that was meant, where it is a slip;
 * another unknown one is warned of. `what` says who named it: "--region". */
MUST_CHECK enum status cli_check_region(const struct cli *c, const struct pricebook *book,
                                        struct str region, const char *what, struct err *e);
/* What to say where context.keeps_stored. */
extern const char cli_stale_prices[];
/* Lines that an earlier version read, and the remedy. */
extern const char cli_older_lines[], cli_older_lines_remedy[];
/* Before a pipeline prices what it stores: notes the settings, and lets them hold. */
MUST_CHECK enum status cli_cost_begin(struct cli_cost *cost, struct store *s, struct err *e);

/* The folder of price books: --prices, else the installed one, else the source tree's. */
MUST_CHECK enum status cli_prices_dir(const struct cli *c, struct str *out, struct err *e);

/* Rows in the format of --format, printed as they come. */
struct table_out cli_table_out(struct cli *c);
/* Adds the table to c->out in the format of --format. */
void cli_print_table(struct cli *c, const struct table *t);

/* Of an action that prints one form of its own: ERR_USAGE, saying so, where another was asked for
 * with --format. The configuration's format is for those that have a choice. */
MUST_CHECK enum status cli_own_form(const struct cli *c, const char *action, const char *form,
                                    struct err *e);

/* What ran: argv words joined, for hints. "1 word expected: REQUEST-ID" style errors. */
MUST_CHECK enum status cli_want_words(const struct cli *c, size_t min, size_t max, struct err *e);

/* Number with three decimals of a millisecond, exact: 2.46 -> raw "2.460000", shown "2.46ms". */
void cli_duration_cell(struct table *t, size_t column, int64_t ns);
void cli_time_cell(struct table *t, size_t column, int64_t t_ns);
void cli_money_cell(struct table *t, size_t column, wide pico, struct str currency);
/* A column in USD and one in CNY, hidden from people: those see the currency in the first. */
struct usd_columns {
    size_t usd, cny;
};
void cli_cost_cells(struct table *t, struct usd_columns at, wide pico, const struct fn_ref *fn);

/* ERR_USAGE when the text of --trace is given and no trace id. */
MUST_CHECK enum status cli_want_trace(struct cli *c, struct str text, struct err *e);

#endif
