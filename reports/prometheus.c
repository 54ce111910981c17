/* Lines of the text format. */
#include "reports/prometheus.h"

#include "core/base/safe_text.h"

/* Foreign text without control characters, and the three characters the format escapes. */
static void add_label_value(struct buf *out, struct str v)
{
    AUTO(buf_clear) struct buf safe = {.max = 4096};

    safe_text(&safe, v, SAFE_KEEP_NONE);
    for (size_t i = 0; i < safe.n; i++) {
        if (safe.p[i] == '\\' || safe.p[i] == '"')
            buf_add_c(out, '\\');
        buf_add_c(out, safe.p[i]);
    }
}

void prom_sample(struct buf *out, const char *name, const struct prom_label *labels, size_t n,
                 struct str value)
{
    size_t shown = 0;

    buf_add_z(out, name);
    for (size_t i = 0; i < n; i++) {
        if (labels[i].value.n == 0)
            continue;
        buf_addf(out, "%s%s=\"", shown++ ? "," : "{", labels[i].name);
        add_label_value(out, labels[i].value);
        buf_add_c(out, '"');
    }
    buf_addf(out, "%s " STR_FMT "\n", shown ? "}" : "", STR_ARG(value));
}

void prom_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* v of 10^-scale, exact. */
struct str prom_scaled(struct arena *a, wide v, unsigned scale)
{
    AUTO(buf_clear) struct buf b = {.max = 128};

    wide_format_scaled(&b, v, scale);
    return arena_str(a, buf_str(&b));
}

struct str prom_count(struct arena *a, uint64_t v)
{
    return arena_printf(a, "%llu", (unsigned long long)v);
}

void prom_labels(struct prom_label *l, const char *what, const struct fn_ref *of)
{
    l[0] = (struct prom_label){"provider", str_from(provider_name(of->provider))};
    l[1] = (struct prom_label){"account", of->account};
    l[2] = (struct prom_label){"region", of->region};
    l[3] = (struct prom_label){what, of->name};
}
