/* Private to reports: lines of Prometheus' text format, and the families of points. */
#ifndef FNSCOPE_REPORTS_PROMETHEUS_H
#define FNSCOPE_REPORTS_PROMETHEUS_H

#include "reports/reports.h"

struct prom_label {
    const char *name;
    struct str value; /* empty: left out */
};
void prom_sample(struct buf *out, const char *name, const struct prom_label *labels, size_t n,
                 struct str value);
void prom_head(struct buf *out, const char *name, const char *type, const char *help);
struct str prom_scaled(struct arena *a, wide v, unsigned scale); /* v of 10^-scale, exact */
struct str prom_count(struct arena *a, uint64_t v);
enum { PROM_LABELS = 4 };
/* provider, account, region, and the name as what it is: "function", "queue". */
void prom_labels(struct prom_label *l, const char *what, const struct fn_ref *of);

/* The functions that are shown. */
struct prom_fns {
    const struct fn_ref **refs;
    size_t n;
};
/* What the provider's metrics alone tell of functions and regions: export_points.c. */
MUST_CHECK enum status prom_points(struct store *s, const struct prometheus_options *o,
                                   const struct prom_fns *fns, struct arena *a, struct buf *out,
                                   struct err *e);

#endif
