/* What --function, --region, --account and --provider let through, and what is said where they let
 * nothing through. */
#include "cli/common.h"
#include "core/base/log.h"

const char *const cli_without_filter[] = {"since",   "until",    "function", "region",
                                          "account", "provider", NULL};

struct fn_filter cli_filter(const struct cli *c)
{
    return (struct fn_filter){
        .name_glob = c->settings->function,
        .region = c->settings->region,
        .account = c->settings->account,
        .provider = (enum provider)c->settings->provider,
    };
}

/* One option by itself. */
struct filter_part {
    const char *flag, *said; /* "--function: no function in the store matches" */
    struct str wanted;
    struct fn_filter alone;
    struct str (*of)(const struct fn_ref *fn);
};

struct str cli_fn_name(const struct fn_ref *fn)
{
    return fn->name;
}

struct str cli_fn_region(const struct fn_ref *fn)
{
    return fn->region;
}

struct str cli_fn_account(const struct fn_ref *fn)
{
    return fn->account;
}

static struct str provider_of(const struct fn_ref *fn)
{
    return str_from(provider_name(fn->provider));
}

static bool has_any(const struct fn_ref *fns, size_t n, const struct fn_filter *f)
{
    for (size_t i = 0; i < n; i++)
        if (fn_filter_passes(f, &fns[i]))
            return true;
    return false;
}

static bool holds_nocase(struct str text, struct str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (str_eq_nocase(str_sub(text, i, part.n), part))
            return true;
    return false;
}

static struct str without_stars(struct str s)
{
    while (str_starts(s, STR("*")))
        s = str_skip(s, 1);
    while (str_ends(s, STR("*")))
        s = str_sub(s, 0, s.n - 1);
    return s;
}

/* What is written nearly so, or else has the word within it: "checkout" of "checkout-api". */
static struct str nearest(const struct cli *c, const struct filter_part *p,
                          const struct fn_ref *fns, size_t n)
{
    const struct str word = without_stars(p->wanted);
    const char **names = arena_new(c->arena, const char *, n + 1);

    for (size_t i = 0; i < n; i++)
        names[i] = arena_strz(c->arena, p->of(&fns[i]));
    const struct str near = opt_suggest(word, names);
    if (near.n > 0)
        return near;
    for (size_t i = 0; word.n > 0 && i < n; i++)
        if (holds_nocase(p->of(&fns[i]), word))
            return p->of(&fns[i]);
    return (struct str){0};
}

static void say_none(const struct cli *c, const struct filter_part *p, const struct fn_ref *fns,
                     size_t n)
{
    const struct str near = nearest(c, p, fns, n);

    log_event(LOG_WARN, "--%s: no function in the store %s \"" STR_FMT "\"%s" STR_FMT "%s", p->flag,
              p->said, STR_ARG(p->wanted), near.n > 0 ? "; did you mean \"" : "", STR_ARG(near),
              near.n > 0 ? "\"?" : "");
}

enum status cli_say_if_no_function(const struct cli *c, struct store *s, struct err *e)
{
    const struct fn_filter f = cli_filter(c);
    const struct filter_part parts[] = {
        {"function", "matches", f.name_glob, {.name_glob = f.name_glob}, cli_fn_name},
        {"region", "is in", f.region, {.region = f.region}, cli_fn_region},
        {"account", "is of", f.account, {.account = f.account}, cli_fn_account},
        {"provider",
         "is of",
         str_from(provider_name(f.provider)),
         {.provider = f.provider},
         provider_of},
    };
    struct fn_ref *fns = NULL;
    size_t n = 0, n_said = 0;

    if (fn_filter_is_all(&f) || c->settings->is_quiet)
        return OK;
    if (request_known_fns(s, c->arena, &fns, &n, e) != OK)
        return err_wrap(e, "known functions");
    if (n == 0 || has_any(fns, n, &f))
        return OK;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!has_any(fns, n, &parts[i].alone)) {
            say_none(c, &parts[i], fns, n);
            n_said++;
        }
    if (n_said == 0)
        log_event(LOG_WARN, "no function in the store passes --function, --region, --account and "
                            "--provider together");
    return OK;
}
