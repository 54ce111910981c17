/* What the conditions of filter patterns have in common: a comparison with a text, a number or a
 * regular expression. Private to log_filter.c, log_filter_json.c and log_filter_columns.c. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_VALUE_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_VALUE_H

#include "core/base/arena.h"
#include "core/base/err.h"

struct re;

/* Expressions of a pattern, in its arena: they live as long as it. */
struct filter_regex {
    struct re *re;
    struct filter_regex *next;
};
/* What stands between % and %; parentheses and ! are among what AWS does not take. */
MUST_CHECK enum status filter_regex_new(struct str text, struct re **out, struct err *e);
void filter_regexes_free(struct filter_regex *list);

/* Reads a condition from the left. */
struct filter_reader {
    struct arena *arena;
    struct str rest;
    unsigned depth; /* of brackets */
    struct filter_regex **regexes;
    struct err *e;
};

#define FILTER_SCALE 9 /* numbers are compared as integers of 10^-9 */
#define FILTER_ONE   INT64_C(1000000000)

enum filter_compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct filter_value {
    enum filter_compare compare;
    struct str text; /* with * for any characters */
    struct re *re;   /* of %...%; NULL: text */
    bool is_number;
    int64_t number;
};

/* ERR_PARSE with the place. */
enum status filter_fail(struct filter_reader *r, const char *what);
/* Takes a word that comes next, after blanks. */
bool filter_take(struct filter_reader *r, const char *word);
/* One bracket more; false: too many. */
bool filter_deeper(struct filter_reader *r);
/* "..." or '...'; \\ before a character takes it as it is. */
bool filter_take_quoted(struct filter_reader *r, struct str *out);
/* = != < > <= >= and a value, which ends before one of `ends` or a blank. */
MUST_CHECK enum status filter_value_parse(struct filter_reader *r, const char *ends,
                                          struct filter_value *out);
/* text: the value as it is written; number: what it is as such, NULL: none. */
bool filter_value_match(const struct filter_value *v, struct str text, const int64_t *number);

#endif
