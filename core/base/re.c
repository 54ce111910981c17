/* User patterns through PCRE2, with limits so that no pattern can hang the program. */
#include "core/base/re.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/mem.h"

#define MATCH_LIMIT   100000u
#define DEPTH_LIMIT   1000u
#define HEAP_LIMIT_KB 8192u

struct re {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    unsigned limit_hits;
    bool has_match;
};

static uint32_t flags_of(const char *flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

    for (; flags && *flags; flags++) {
        if (*flags == 'i')
            options |= PCRE2_CASELESS;
        if (*flags == 'l')
            options |= PCRE2_LITERAL;
    }
    /* Literal patterns accept few options: PCRE2 refuses the others. */
    return options & PCRE2_LITERAL ? options & ~(uint32_t)PCRE2_NEVER_BACKSLASH_C : options;
}

enum status re_new(struct str pattern, const char *flags, struct re **out, struct err *e)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_SPTR text = (PCRE2_SPTR)(pattern.p ? pattern.p : "");
    pcre2_code *compiled = pcre2_compile(text, pattern.n, flags_of(flags), &code, &offset, NULL);

    if (!compiled) {
        PCRE2_UCHAR reason[160];
        pcre2_get_error_message(code, reason, sizeof(reason));
        return err_set(e, ERR_USAGE, "pattern \"" STR_FMT "\", at character %zu: %s",
                       STR_ARG(pattern), (size_t)offset + 1, (const char *)reason);
    }
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without JIT the interpreter does it */
    struct re *re = xcalloc(1, sizeof(*re));
    re->code = compiled;
    re->match = pcre2_match_data_create_from_pattern(compiled, NULL);
    re->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(re->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(re->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(re->limits, HEAP_LIMIT_KB);
    *out = re;
    return OK;
}

void re_free(struct re *re)
{
    if (!re)
        return;
    pcre2_match_context_free(re->limits);
    pcre2_match_data_free(re->match);
    pcre2_code_free(re->code);
    free(re);
}

bool re_match(struct re *re, struct str subject, size_t *from, size_t *to)
{
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.p ? subject.p : "");
    int n = pcre2_match(re->code, text, subject.n, 0, 0, re->match, re->limits);

    re->has_match = n > 0;
    if (n <= 0) {
        re->limit_hits += n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
                          n == PCRE2_ERROR_HEAPLIMIT;
        return false;
    }
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(re->match);
    if (from)
        *from = bounds[0];
    if (to)
        *to = bounds[1];
    return true;
}

unsigned re_limit_hits(const struct re *re)
{
    return re->limit_hits;
}

struct str re_group(const struct re *re, struct str subject, unsigned i)
{
    if (!re->has_match || i >= pcre2_get_ovector_count(re->match))
        return (struct str){0};
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(re->match) + 2 * (size_t)i;
    if (bounds[0] == PCRE2_UNSET)
        return (struct str){0};
    return str_sub(subject, bounds[0], bounds[1] - bounds[0]);
}
