/* Inside of collector/generic/: records in which other tools hold an event's text under names of
 * their own. Pure. */
#ifndef FNSCOPE_COLLECTOR_GENERIC_SHIPPED_H
#define FNSCOPE_COLLECTOR_GENERIC_SHIPPED_H

#include "core/base/arena.h"
#include "core/base/str.h"

struct shipped {
    struct str message, time;
    struct str place; /* the object that says where it is from; empty: none does */
};

/* Whether the object is one of Datadog, Loki (logcli -o jsonl), Elasticsearch, Splunk, OTLP or
 * journald. Views into it, or into `a` where something was unescaped. */
bool shipped_read(struct str object, struct arena *a, struct shipped *out);

#endif
