/* From records to what requests are put together of. */
#include "analyzer/correlate_private.h"

static bool piece_kind_of(enum platform_kind kind, enum piece_kind *out)
{
    static const struct {
        enum platform_kind from;
        enum piece_kind to;
    } kinds[] = {
        {PLATFORM_START, PIECE_START},     {PLATFORM_END, PIECE_END},
        {PLATFORM_REPORT, PIECE_REPORT},   {PLATFORM_RUNTIME_DONE, PIECE_RUNTIME_DONE},
        {PLATFORM_TIMEOUT, PIECE_TIMEOUT}, {PLATFORM_RUNTIME_EXIT, PIECE_EXIT},
        {PLATFORM_FAULT, PIECE_EXIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].from == kind) {
            *out = kinds[i].to;
            return true;
        }
    return false;
}

bool corr_says_killed(const struct platform_event *p)
{
    return str_find(p->error_message, STR("signal: killed")) < p->error_message.n ||
           str_ends(p->error_message, STR(": exit status 137"));
}

/* Mostly it is that of the environment, which is kept already. */
static struct str keep_version(struct correlator *c, const struct env *v, struct str version)
{
    return str_eq(version, v->origin.version) ? v->origin.version : corr_keep(c, version);
}

bool corr_make_piece(struct correlator *c, const struct env *v, const struct log_record *r,
                     struct piece *out)
{
    const struct platform_event *p = r->platform;

    *out = (struct piece){.t_ns = r->time_ns,
                          .kind = PIECE_APP_ERROR,
                          .is_time_borrowed = r->is_time_borrowed,
                          .is_time_guessed = r->is_time_guessed,
                          .arrival = r->arrival};
    if (!p) {
        out->error_type = corr_keep(c, r->error_type);
        return r->is_error;
    }
    if (!piece_kind_of(p->kind, &out->kind))
        return false;
    out->has = p->has;
    out->duration_ns = p->kind == PLATFORM_TIMEOUT ? p->timeout_ns : p->duration_ns;
    out->billed_ns = p->billed_ns; /* holds Billed Restore Duration already */
    out->init_ns = p->init_ns;
    out->restore_ns = p->restore_ns;
    out->memory_bytes = p->memory_bytes;
    out->max_memory_bytes = p->max_memory_bytes;
    out->status = corr_keep(c, p->status);
    out->error_type = corr_keep(c, p->error_type);
    out->version = keep_version(c, v, p->version.n > 0 ? p->version : r->origin->version);
    out->was_killed = corr_says_killed(p);
    return true;
}

bool corr_is_piece(const struct log_record *r)
{
    enum piece_kind ignored;

    return r->platform ? piece_kind_of(r->platform->kind, &ignored) : r->is_error;
}
