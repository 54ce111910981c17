/* Rows of objects that are alike; see the header. */
#include "core/base/jsonpull_row.h"

#include <assert.h>
#include <string.h>

/* Whether the text goes on with the comma, name and colon of a member remembered. Asked of nothing
 * so near the end that the value would hardly have room. */
static inline bool goes_on_with(const struct jp *j, const struct jp_form_member *m)
{
    if (m->n == 0 || j->end - j->p < (ptrdiff_t)sizeof(m->text) || j->error)
        return false;
    return (((str_load64(j->p) ^ m->text[0]) & m->mask[0]) |
            ((str_load64(j->p + 8) ^ m->text[1]) & m->mask[1]) |
            ((str_load64(j->p + 16) ^ m->text[2]) & m->mask[2])) == 0;
}

/* Only a name that stands as it is between comma and colon. */
static void remember_member(struct jp_form_member *m, const char *at, const struct jp *j,
                            struct str key, unsigned tag)
{
    const size_t n = (size_t)(j->p - at), comma = at[0] == ',';

    m->n = 0;
    if (n > sizeof(m->text) || key.p != at + comma + 1 || key.n + comma + 3 != n)
        return;
    memcpy(m->text, at, n);
    memset(m->mask, 0, sizeof(m->mask));
    memset(m->mask, 0xFF, n);
    m->n = (unsigned char)n;
    m->comma = (unsigned char)comma;
    m->tag = tag;
}

/* The general way, apart: the usual one then saves no registers. */
static __attribute__((noinline)) bool read_member(struct jp *j, struct jp_form_member *m,
                                                  jp_tag_fn *find, struct str *key, unsigned *tag)
{
    const char *at = j->p;

    if (!jp_member(j, key))
        return false;
    *tag = find(*key);
    if (m != NULL)
        remember_member(m, at, j, *key, *tag);
    return true;
}

bool jp_member_like(struct jp *j, struct jp_form *form, size_t i, jp_tag_fn *find, struct str *key,
                    unsigned *tag)
{
    struct jp_form_member *m = i < JP_FORM_MEMBERS ? &form->members[i] : NULL;
    const char *at = j->p;

    if (m != NULL && goes_on_with(j, m)) {
        *key = (struct str){at + m->comma + 1, m->n - m->comma - 3u};
        *tag = m->tag;
        j->p += m->n;
        j->is_first[j->depth - 1] = false;
        return true;
    }
    return read_member(j, m, find, key, tag);
}

bool jp_digits(struct jp *j, size_t n, uint64_t *out)
{
    const char *p = j->p;

    assert(n >= 8 && n <= 16);
    if (j->error || j->end - p <= (ptrdiff_t)n || *p == '0' || (p[n] != ',' && p[n] != '}') ||
        !str_digits(p, n, out))
        return false;
    j->p += n;
    return true;
}
