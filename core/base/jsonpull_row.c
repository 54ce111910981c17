/* Rows of objects that are alike; see the header. */
#include "core/base/jsonpull_row.h"

#include <assert.h>
#include <string.h>

/* Whether the text goes on with the comma, name and colon of a member remembered. */
static inline bool goes_on_with(const struct jp *j, const struct jp_form_member *m)
{
    return m->n > 0 && (size_t)(j->end - j->p) >= m->n && !j->error &&
           memcmp(j->p, m->text, m->n) == 0;
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
    m->n = (unsigned char)n;
    m->comma = (unsigned char)comma;
    m->tag = tag;
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
    if (!jp_member(j, key))
        return false;
    *tag = find(*key);
    if (m != NULL)
        remember_member(m, at, j, *key, *tag);
    return true;
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
