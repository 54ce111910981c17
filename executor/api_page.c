/* Tokens of pages, bound to an operation. */
#include "executor/api_page.h"

#include "executor/log_store.h"
#include "executor/telemetry.h"

static struct str key_of(const struct api_call *c)
{
    return log_store_key(telemetry_logs(c->x->telemetry));
}

static int64_t now_s(const struct api_call *c)
{
    return loop_wall(c->x->loop) / NS_PER_SEC;
}

static uint64_t query_of(const struct api_call *c, uint64_t query)
{
    return str_hash(str_from(c->op->name), str_hash(str_from(c->service->name), query));
}

struct str api_page_token(struct api_call *c, uint64_t query, int64_t a, int64_t b)
{
    return page_token_write(
        c->arena, key_of(c),
        &(struct page_token){.a = a, .b = b, .query = query_of(c, query), .made_s = now_s(c)});
}

bool api_page_read(struct api_call *c, struct str token, uint64_t query, struct page_token *out)
{
    struct err ignored;

    return token.n == 0 ||
           page_token_read(key_of(c), token, query_of(c, query), now_s(c), out, &ignored) == OK;
}
