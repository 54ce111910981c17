/* Terms and expressions; the JSON form has its own file. */
#include "executor/log_filter.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/re.h"
#include "executor/log_filter_columns.h"
#include "executor/log_filter_json.h"

#define PATTERN_MAX_BYTES 1024

enum term_kind { TERM_ALL, TERM_ANY, TERM_NONE };

struct term {
    enum term_kind kind;
    struct str text;
    struct re *re; /* NULL: plain text */
};

struct log_filter {
    struct arena arena;
    struct term *terms;
    size_t n_terms, terms_cap;
    struct json_condition *json;  /* NULL: columns or terms */
    struct columns *columns;      /* NULL: json or terms */
    struct filter_regex *regexes; /* of both */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool take_quoted(struct arena *a, struct str *rest, struct str *out)
{
    struct filter_reader r = {.arena = a, .rest = *rest};
    bool is_closed = filter_take_quoted(&r, out);

    *rest = r.rest;
    return is_closed;
}

static enum status take_regex(struct str *rest, struct term *t, struct err *e)
{
    struct str body = str_skip(*rest, 1);
    size_t end = str_find_char(body, '%');

    if (end == body.n)
        return err_set(e, ERR_PARSE, "Invalid filter pattern: %% is not closed");
    t->text = str_sub(body, 0, end);
    *rest = str_skip(body, end + 1);
    return filter_regex_new(t->text, &t->re, e);
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Anything but letters, digits and _ wants quotes. */
static enum status take_word(struct str *rest, struct term *t, struct err *e)
{
    size_t n = 0;

    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    t->text = str_sub(*rest, 0, n);
    *rest = str_skip(*rest, n);
    for (size_t i = 0; i < n; i++)
        if (!is_word_char(t->text.p[i]))
            return err_set(e, ERR_PARSE,
                           "Invalid filter pattern: invalid character(s) in term '" STR_FMT
                           "': put it in double quotes",
                           STR_ARG(t->text));
    return OK;
}

static enum status take_term(struct log_filter *f, struct str *rest, struct err *e)
{
    struct term t = {.kind = TERM_ALL};
    enum status s = OK;

    if (rest->p[0] == '?' || rest->p[0] == '-') {
        t.kind = rest->p[0] == '?' ? TERM_ANY : TERM_NONE;
        *rest = str_skip(*rest, 1);
    }
    if (rest->n > 0 && rest->p[0] == '"') {
        if (!take_quoted(&f->arena, rest, &t.text))
            s = err_set(e, ERR_PARSE, "Invalid filter pattern: a quote is not closed");
    } else if (rest->n > 0 && rest->p[0] == '%') {
        s = take_regex(rest, &t, e);
    } else {
        s = take_word(rest, &t, e);
    }
    if (s == OK && t.text.n == 0)
        s = err_set(e, ERR_PARSE, "Invalid filter pattern: an empty term");
    if (s != OK) {
        re_free(t.re);
        return s;
    }
    f->terms = mem_grow(f->terms, f->n_terms, &f->terms_cap, sizeof(*f->terms));
    f->terms[f->n_terms++] = t;
    return OK;
}

static enum status parse(struct log_filter *f, struct str text, struct err *e)
{
    if (text.n > PATTERN_MAX_BYTES)
        return err_set(e, ERR_PARSE, "Invalid filter pattern: longer than %d characters",
                       PATTERN_MAX_BYTES);
    if (str_starts(text, STR("{")) && !str_ends(text, STR("}")))
        return err_set(e, ERR_PARSE, "Invalid filter pattern: { is not closed");
    if (str_starts(text, STR("[")) && !str_ends(text, STR("]")))
        return err_set(e, ERR_PARSE, "Invalid filter pattern: [ is not closed");
    if (str_eq(text, STR("[]")))
        return OK;
    if (str_starts(text, STR("[")))
        return columns_parse(&f->arena, str_sub(text, 1, text.n - 2), &f->regexes, &f->columns, e);
    if (str_starts(text, STR("{")))
        return json_condition_parse(&f->arena, str_sub(text, 1, text.n - 2), &f->regexes, &f->json,
                                    e);
    while (text.n > 0) {
        if (is_blank(text.p[0])) {
            text = str_skip(text, 1);
            continue;
        }
        enum status s = take_term(f, &text, e);
        if (s != OK)
            return s;
    }
    return OK;
}

enum status log_filter_new(struct str pattern, struct log_filter **out, struct err *e)
{
    struct log_filter *f = xcalloc(1, sizeof(*f));
    struct str text = arena_str(&f->arena, str_trim(pattern));

    enum status s = parse(f, text, e);
    if (s != OK) {
        log_filter_free(f);
        return s;
    }
    *out = f;
    return OK;
}

void log_filter_free(struct log_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n_terms; i++)
        re_free(f->terms[i].re);
    filter_regexes_free(f->regexes);
    free(f->terms);
    arena_clear(&f->arena);
    free(f);
}

static bool has_term(const struct term *t, struct str message)
{
    return t->re ? re_match(t->re, message, NULL, NULL) : str_find(message, t->text) < message.n;
}

bool log_filter_match(struct log_filter *f, struct str message)
{
    bool wants_any = false, has_any = false;

    if (f->json)
        return json_condition_match(f->json, message);
    if (f->columns)
        return columns_match(f->columns, message);
    for (size_t i = 0; i < f->n_terms; i++) {
        bool has = has_term(&f->terms[i], message);
        if (f->terms[i].kind == TERM_ANY) {
            wants_any = true;
            has_any = has_any || has;
        } else if (has != (f->terms[i].kind == TERM_ALL)) {
            return false;
        }
    }
    return !wants_any || has_any;
}
