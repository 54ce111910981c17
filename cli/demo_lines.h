/* What an invocation of the demo looks like in the log: platform lines as AWS Lambda writes them,
 * application lines as the runtimes do. */
#ifndef FNSCOPE_CLI_DEMO_LINES_H
#define FNSCOPE_CLI_DEMO_LINES_H

#include "core/base/buf.h"
#include "core/base/rng.h"

enum demo_runtime { DEMO_NODE, DEMO_PYTHON, DEMO_JAVA, DEMO_GO };
enum demo_end { DEMO_OK, DEMO_ERROR, DEMO_TIMEOUT, DEMO_OOM };

struct demo_function {
    const char *name;
    enum demo_runtime runtime;
    unsigned memory_mb, typical_ms, per_hour, init_ms;
    const char *version;
};

struct demo_call {
    uint64_t id_high, id_low, trace;
    int64_t start_ns, duration_us, init_us;
    unsigned used_mb;
    enum demo_end end;
    const char *version, *stream;
};

/* Adds one subscription record with all events of the call; *events grows by their number. */
void demo_lines(struct buf *out, const struct demo_function *fn, const struct demo_call *c,
                struct rng *rng, uint64_t *events);

#endif
