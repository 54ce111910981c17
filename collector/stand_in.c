/* See the header. A store is asked a few times in vain only: behind that a file is new. */
#include "collector/stand_in.h"

#include <inttypes.h>
#include <string.h>

enum { ASK_IN_VAIN = 8 };

/* --- what the cursor says --- */

static bool find_row(const struct stand_ins *s, uint64_t offset, int64_t *t_ns)
{
    for (size_t i = 0; i < s->n; i++)
        if (offset < s->rows[i].until) {
            *t_ns = s->rows[i].time_ns;
            return true;
        }
    return false;
}

static void note(struct stand_ins *s, uint64_t offset, int64_t t_ns)
{
    struct stand_in *last = s->n > 0 ? &s->rows[s->n - 1] : NULL;

    if (last != NULL && offset < last->until)
        return;
    if (last != NULL && last->time_ns == t_ns) {
        last->until = offset + 1;
        return;
    }
    if (s->n == STAND_INS_MAX)
        memmove(s->rows, s->rows + 1, --s->n * sizeof(s->rows[0]));
    s->rows[s->n++] = (struct stand_in){offset + 1, t_ns};
}

/* --- what the request says --- */

static bool is_request(const struct stand_ins *s, struct str id)
{
    return s->has_request && id.n == sizeof(s->id) && memcmp(id.p, s->id, id.n) == 0;
}

static bool ask(struct stand_ins *s, struct str id, int64_t *t_ns)
{
    struct request_place at = {0};
    const struct import_lookups *l = s->lookups;

    if (l == NULL || l->find_request == NULL || s->n_unknown >= ASK_IN_VAIN)
        return false;
    const bool is_known =
        l->find_request(l->ctx, &(struct request_begin){.id = id}, &s->scratch, &at);
    arena_reset(&s->scratch);
    s->n_unknown = is_known ? 0 : s->n_unknown + 1;
    if (is_known)
        *t_ns = at.start_ns;
    return is_known;
}

static bool begins_request(const struct log_record *r)
{
    return r->platform != NULL && r->platform->kind == PLATFORM_START;
}

static bool begins_environment(const struct log_record *r)
{
    return r->platform != NULL && (r->platform->kind == PLATFORM_INIT_START ||
                                   r->platform->kind == PLATFORM_RESTORE_START);
}

static int64_t choose_time(struct stand_ins *s, const struct log_record *r, struct str id)
{
    int64_t t_ns;

    if (s->has_request && (id.n == 0 || is_request(s, id)))
        return s->request_ns;
    return id.n == sizeof(s->id) && ask(s, id, &t_ns) ? t_ns : r->time_ns;
}

void stand_in_give(struct stand_ins *s, struct log_record *r, uint64_t offset)
{
    const struct str id = r->platform != NULL ? r->invocation_id : (struct str){0};
    const bool is_known = find_row(s, offset, &r->time_ns);

    if (begins_request(r) || begins_environment(r))
        s->has_request = false;
    r->is_time_guessed |= is_known;
    if (!r->is_time_guessed)
        return;
    if (!is_known)
        r->time_ns = choose_time(s, r, id);
    note(s, offset, r->time_ns);
    if (begins_request(r) && id.n == sizeof(s->id)) {
        memcpy(s->id, id.p, id.n);
        s->request_ns = r->time_ns;
        s->has_request = true;
    }
}

bool stand_in_is_open(const struct stand_ins *s)
{
    return s->has_request;
}

/* --- in a cursor --- */

void stand_ins_write(const struct stand_ins *s, struct buf *out)
{
    if (s->n == 0)
        buf_add_c(out, '-');
    for (size_t i = 0; i < s->n; i++)
        buf_addf(out, "%s%" PRIu64 ":%" PRId64, i > 0 ? "," : "", s->rows[i].until,
                 s->rows[i].time_ns);
}

bool stand_ins_read(struct stand_ins *s, struct str text)
{
    s->n = 0;
    if (str_eq(text, STR("-")))
        return true;
    while (text.n > 0) {
        struct str row = str_cut(&text, ',');
        struct stand_in *to = &s->rows[s->n];
        if (s->n == STAND_INS_MAX || !str_to_u64(str_cut(&row, ':'), &to->until) ||
            !str_to_i64(row, &to->time_ns) || (s->n > 0 && to->until <= to[-1].until))
            return false;
        s->n++;
    }
    return s->n > 0;
}

void stand_ins_clear(struct stand_ins *s)
{
    arena_clear(&s->scratch);
    *s = (struct stand_ins){0};
}
