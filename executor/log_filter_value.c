/* Values: read once, compared for each event. */
#include "executor/log_filter_value.h"

#include "core/base/macros.h"
#include "core/base/re.h"

#define DEPTH_MAX   16
#define REGEXES_MAX 2 /* of a pattern with conditions (AWS: quotas of filter patterns) */

void filter_regexes_free(struct filter_regex *list)
{
    for (; list != NULL; list = list->next)
        re_free(list->re);
}

enum status filter_fail(struct filter_reader *r, const char *what)
{
    return err_set(r->e, ERR_PARSE, "Invalid filter pattern: %s at \"" STR_FMT "\"", what,
                   STR_ARG(str_sub(r->rest, 0, 30)));
}

/* What AWS refuses, although it would be an expression. */
static bool is_regex_char(char c)
{
    static const struct str others = STR_INIT(" :_#=@/;,-^$?[]{}|\\*+.");

    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           str_find_char(others, c) < others.n;
}

enum status filter_regex_new(struct str text, struct re **out, struct err *e)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_regex_char(text.p[i]))
            return err_set(e, ERR_PARSE,
                           "Invalid filter pattern: character %zu of %%" STR_FMT
                           "%% is not supported in a regular expression",
                           i + 1, STR_ARG(text));
    if (re_new(text, "", out, e) == OK)
        return OK;
    (void)err_wrap(e, "Invalid filter pattern");
    return ERR_PARSE;
}

bool filter_take(struct filter_reader *r, const char *word)
{
    r->rest = str_trim(r->rest);
    if (!str_starts(r->rest, str_from(word)))
        return false;
    r->rest = str_skip(r->rest, str_from(word).n);
    return true;
}

bool filter_deeper(struct filter_reader *r)
{
    return ++r->depth <= DEPTH_MAX;
}

bool filter_take_quoted(struct filter_reader *r, struct str *out)
{
    char quote = r->rest.n > 0 ? r->rest.p[0] : '\0';
    char *text = arena_alloc(r->arena, r->rest.n + 1);
    size_t n = 0, i = 1;

    if (quote != '"' && quote != '\'')
        return false;
    for (; i < r->rest.n && r->rest.p[i] != quote; i++) {
        if (r->rest.p[i] == '\\' && i + 1 < r->rest.n)
            i++;
        text[n++] = r->rest.p[i];
    }
    if (i >= r->rest.n)
        return false;
    *out = (struct str){text, n};
    r->rest = str_skip(r->rest, i + 1);
    return true;
}

static bool take_compare(struct filter_reader *r, enum filter_compare *out)
{
    static const struct {
        const char *text;
        enum filter_compare compare;
    } table[] = {{"!=", CMP_NE}, {"<=", CMP_LE}, {">=", CMP_GE},
                 {"=", CMP_EQ},  {"<", CMP_LT},  {">", CMP_GT}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (filter_take(r, table[i].text)) {
            *out = table[i].compare;
            return true;
        }
    return false;
}

static bool is_equality(const struct filter_value *v)
{
    return v->compare == CMP_EQ || v->compare == CMP_NE;
}

static size_t count(const struct filter_regex *list)
{
    size_t n = 0;

    for (; list; list = list->next)
        n++;
    return n;
}

/* %...% */
static enum status parse_regex(struct filter_reader *r, struct filter_value *v)
{
    struct str body = str_skip(r->rest, 1);
    struct filter_regex *own;
    const size_t end = str_find_char(body, '%');

    if (end == body.n)
        return filter_fail(r, "% is not closed");
    if (!is_equality(v))
        return filter_fail(r, "= or != is expected");
    if (count(*r->regexes) == REGEXES_MAX)
        return filter_fail(r, "a third regular expression");
    if (filter_regex_new(str_sub(body, 0, end), &v->re, r->e) != OK)
        return ERR_PARSE;
    own = arena_new(r->arena, struct filter_regex, 1);
    *own = (struct filter_regex){.re = v->re, .next = *r->regexes};
    *r->regexes = own;
    r->rest = str_skip(body, end + 1);
    return OK;
}

/* "-55.5", "+1000", "10e3", "10e-3" */
static bool read_number(struct str text, int64_t *out)
{
    struct str rest = str_starts(text, STR("+")) ? str_skip(text, 1) : text;
    size_t e = str_find_char(rest, 'e');
    int64_t power = 0;

    e = e < rest.n ? e : str_find_char(rest, 'E');
    if (e < rest.n) {
        struct str exponent = str_skip(rest, e + 1);
        exponent = str_starts(exponent, STR("+")) ? str_skip(exponent, 1) : exponent;
        if (!str_to_i64(exponent, &power) || power < -FILTER_SCALE || power > FILTER_SCALE)
            return false;
    }
    return str_to_scaled(str_sub(rest, 0, e), (unsigned)(FILTER_SCALE + power), out);
}

static bool is_end(char c, const char *ends)
{
    return c == ' ' || c == '\t' || str_find_char(str_from(ends), c) < str_from(ends).n;
}

static enum status parse_value(struct filter_reader *r, const char *ends, struct filter_value *v)
{
    size_t n = 0;

    r->rest = str_trim(r->rest);
    if (filter_take_quoted(r, &v->text))
        return is_equality(v) ? OK : filter_fail(r, "a number is expected");
    if (str_starts(r->rest, STR("%")))
        return parse_regex(r, v);
    if (str_starts(r->rest, STR("\"")))
        return filter_fail(r, "a quote is not closed");
    while (n < r->rest.n && !is_end(r->rest.p[n], ends))
        n++;
    v->text = str_sub(r->rest, 0, n);
    v->is_number = read_number(v->text, &v->number);
    if (n == 0)
        return filter_fail(r, "a value is expected");
    if (!v->is_number && !is_equality(v))
        return filter_fail(r, "a number is expected");
    r->rest = str_skip(r->rest, n);
    return OK;
}

enum status filter_value_parse(struct filter_reader *r, const char *ends, struct filter_value *out)
{
    *out = (struct filter_value){0};
    return take_compare(r, &out->compare) ? parse_value(r, ends, out)
                                          : filter_fail(r, "a comparison is expected");
}

static bool holds(enum filter_compare c, int order)
{
    static const bool table[6][3] = {
        [CMP_EQ] = {false, true, false}, [CMP_NE] = {true, false, true},
        [CMP_LT] = {true, false, false}, [CMP_LE] = {true, true, false},
        [CMP_GT] = {false, false, true}, [CMP_GE] = {false, true, true}};

    return table[c][order < 0 ? 0 : order == 0 ? 1 : 2];
}

bool filter_value_match(const struct filter_value *v, struct str text, const int64_t *number)
{
    if (v->is_number && number)
        return holds(v->compare, *number < v->number ? -1 : *number > v->number);
    if (!is_equality(v))
        return false;
    bool is_same = v->re != NULL                             ? re_match(v->re, text, NULL, NULL)
                   : str_find_char(v->text, '*') < v->text.n ? str_glob(v->text, text)
                                                             : str_eq(v->text, text);
    return is_same == (v->compare == CMP_EQ);
}
