/* The option table: the single truth about every setting. One row gives the flag, the YAML key, the
 * environment variable, the type with its range, the default, the help line, the manual text and
 * the completion. A struct of plain values is filled from the sources in this order, later ones
 * winning: built-in default, /etc/fnscope/config.yaml, $XDG_CONFIG_HOME/fnscope/config.yaml (or
 * --config), FNSCOPE_* environment, flags. Which one won is kept for `config print --origins`.
 *
 *     static const struct opt_def options[] = {
 *         { .key = "report.week", .flag = "week", .type = OPT_BOOL, .offset = offsetof(struct a,
 * week), .help = "compare with the week before" }, { 0 },
 *     };
 */
#ifndef FNSCOPE_CORE_BASE_OPT_H
#define FNSCOPE_CORE_BASE_OPT_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/yaml.h"

enum opt_type {
    OPT_BOOL,     /* bool; flag takes no value, --no-<flag> negates */
    OPT_INT,      /* int64_t, min..max */
    OPT_SIZE,     /* uint64_t bytes, size_parse */
    OPT_MEMORY,   /* uint64_t bytes, memory_parse */
    OPT_DURATION, /* int64_t ns, duration_parse */
    OPT_TIME,     /* int64_t ns, time_parse_human */
    OPT_STRING,   /* struct str */
    OPT_CHOICE,   /* int: index into choices */
    OPT_LIST      /* struct opt_list of struct str; flag may be repeated, YAML list */
};

struct opt_list {
    struct str *items;
    size_t count;
};

struct opt_def {
    const char *key;  /* dotted YAML path; NULL: not a configuration key (flag only) */
    const char *flag; /* long flag without --; NULL: not a flag */
    char letter;      /* short flag, or 0 */
    enum opt_type type;
    size_t offset;              /* into the settings struct */
    const char *value_name;     /* FILE, DURATION ... as help shows it; NULL: derived from type */
    const char *default_text;   /* parsed like any value; NULL: zero */
    const char *const *choices; /* NULL-terminated: the words of an OPT_CHOICE. Of an OPT_STRING
                                   those that its reader takes, for help and completion */
    int64_t min, max;           /* OPT_INT, OPT_MEMORY; both 0: no bounds */
    const char *help;           /* one line, no full stop */
    const char *manual;         /* one or more sentences; NULL: help serves */
};

enum opt_origin { ORIGIN_DEFAULT, ORIGIN_SYSTEM_FILE, ORIGIN_USER_FILE, ORIGIN_ENV, ORIGIN_FLAG };

struct opt_set {
    const struct opt_def *defs; /* ends with key == NULL && flag == NULL */
    void *target;               /* the settings struct */
    struct arena *arena;        /* owns parsed strings */
    enum opt_origin *origins;   /* one per def */
    struct str *places;         /* "config.yaml:3:5", "FNSCOPE_STORE", "--store"; one per def */
    int64_t now_ns;             /* for OPT_TIME */
};

MUST_CHECK enum status opt_init(struct opt_set *set, const struct opt_def *defs, void *target,
                                struct arena *arena, int64_t now_ns, struct err *e);
/* Reads keys of a parsed file. Sections that belong to someone else (sources, alerts, notify,
 * functions) are named in `foreign` (NULL-terminated) and left alone; any other unknown key is an
 * error with line, column and the nearest known key. */
MUST_CHECK enum status opt_apply_yaml(struct opt_set *set, const struct yaml_node *root,
                                      const char *name, enum opt_origin origin,
                                      const char *const *foreign, struct err *e);
/* FNSCOPE_STORE_URL for key store.url: envp as in main(). */
MUST_CHECK enum status opt_apply_env(struct opt_set *set, char *const *envp, struct err *e);
/* argv[*index...]: long (--x v, --x=v), short (-x v, -xv), bundled bool letters, "--". Positional
 * words go to `words` in the arena. An unknown flag is ERR_USAGE with a suggestion. */
MUST_CHECK enum status opt_apply_argv(struct opt_set *set, int argc, char *const *argv,
                                      struct opt_list *words, struct err *e);
bool opt_is_set(const struct opt_set *set, const void *field); /* other than by default */
enum opt_origin opt_origin_of(const struct opt_set *set, const void *field);

void opt_help(struct buf *out,
              const struct opt_def *defs); /* "  --store URL   ..." lines, aligned */
void opt_mdoc(struct buf *out, const struct opt_def *defs); /* .It Fl entries */
void opt_value_text(struct buf *out, const struct opt_set *set, size_t i);

/* The nearest candidate within an edit distance of 1/3 of its length; empty when none. */
struct str opt_suggest(struct str word, const char *const *candidates);

#endif
