/* Event source mappings: the triggers that poll a source, as Lambda's API shows them. */
#include "executor/lambda_api.h"
#include "executor/trigger.h"

/* The same for the same trigger over restarts. */
static struct str mapping_uuid(struct arena *a, const struct trigger_def *t)
{
    uint64_t high = str_hash(t->name, 11), low = str_hash(t->name, 12);

    return arena_printf(a, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                        (unsigned)(low >> 52), (unsigned long long)(low & 0xffffffffffff));
}

static void put_mapping(struct api_call *c, struct json_out *o, const struct fndef *fn,
                        const struct trigger_def *t)
{
    jout_open(o, '{');
    jout_put_str(o, "UUID", mapping_uuid(c->arena, t));
    jout_put_str(o, "EventSourceArn", t->ops->source_arn(c->x, t, c->arena));
    jout_put_str(o, "FunctionArn", fn->arn);
    jout_put_i64(o, "LastModified", fn->modified_ns / NS_PER_SEC);
    jout_put_str(o, "State", STR("Enabled"));
    jout_put_str(o, "StateTransitionReason", STR("USER_INITIATED"));
    t->ops->describe(c->x, t, o);
    jout_close(o, '}');
}

typedef bool mapping_fn(struct api_call *c, const struct fndef *fn, const struct trigger_def *t,
                        void *ctx);

/* Until fn says false. */
static void each_mapping(struct api_call *c, mapping_fn *fn, void *ctx)
{
    const struct manifest *m = c->x->manifest;

    for (size_t i = 0; i < m->n_functions; i++)
        for (size_t k = 0; k < m->functions[i].n_triggers; k++) {
            const struct trigger_def *t = &m->functions[i].triggers[k];
            if (t->ops->describe && !fn(c, &m->functions[i], t, ctx))
                return;
        }
}

static bool list_one(struct api_call *c, const struct fndef *fn, const struct trigger_def *t,
                     void *ctx)
{
    struct str name = api_query(c, "FunctionName"), source = api_query(c, "EventSourceArn");

    if ((name.n == 0 || manifest_find(c->x->manifest, name, NULL) == fn) &&
        (source.n == 0 || str_eq(source, t->ops->source_arn(c->x, t, c->arena))))
        put_mapping(c, ctx, fn, t);
    return true;
}

void lambda_list_mappings(struct api_call *c)
{
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "EventSourceMappings");
    jout_open(&o, '[');
    each_mapping(c, list_one, &o);
    jout_close(&o, ']');
    jout_close(&o, '}');
}

static bool get_one(struct api_call *c, const struct fndef *fn, const struct trigger_def *t,
                    void *ctx)
{
    struct json_out o;

    if (!str_eq(mapping_uuid(c->arena, t), api_param(c, "UUID")))
        return true;
    jout_init(&o, &c->out, false);
    put_mapping(c, &o, fn, t);
    *(bool *)ctx = true;
    return false;
}

void lambda_get_mapping(struct api_call *c)
{
    bool is_found = false;

    each_mapping(c, get_one, &is_found);
    if (!is_found)
        api_error(c, 404, "ResourceNotFoundException", NULL,
                  "The resource you requested does not exist.");
}
