/* Private to core/base/opt*.c: what each option type reads, prints and is called in help. */
#ifndef FNSCOPE_CORE_BASE_OPT_TYPES_H
#define FNSCOPE_CORE_BASE_OPT_TYPES_H

#include "core/base/opt.h"

struct opt_value_ctx {
    struct arena *arena;
    int64_t now_ns;
};

struct opt_type_ops {
    const char *value_name; /* for help; NULL: takes no value */
    enum status (*parse)(const struct opt_value_ctx *ctx, const struct opt_def *d, struct str text,
                         void *field, struct err *e);
    void (*print)(const struct opt_def *d, const void *field, struct buf *out);
};

extern const struct opt_type_ops opt_types[];

#endif
