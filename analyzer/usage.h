/* Inside of analyzer/: the numbers of a usage file, before they become a bill's quantities. */
#ifndef FNSCOPE_ANALYZER_USAGE_H
#define FNSCOPE_ANALYZER_USAGE_H

#include "analyzer/analyzer.h"

/* Numbers of a usage file by meaning; several spellings lead to one. */
enum usage_number {
    U_MEMORY_MB,
    U_INVOCATIONS,
    U_AVG_MS,
    U_OD_INVOCATIONS,
    U_OD_AVG_MS,
    U_PC,
    U_PC_SECONDS,
    U_PC_INVOCATIONS,
    U_PC_AVG_MS,
    U_REQUESTS_BILLED,
    U_EVENT_KB,
    U_STORAGE_MB,
    U_FREE_REQUESTS_LEFT,
    U_FREE_GB_S_LEFT,
    U_STREAM_FREE_GB,
    U_STREAM_GB,
    U_SQS_EPU_HOURS,
    U_EPU_HOURS,
    U_TENANT_ENVIRONMENTS,
    U_SNAPSTART_CACHED_S,
    U_SNAPSTART_RESTORES,
    U_DURABLE_OPERATIONS,
    U_DURABLE_WRITTEN_GB,
    U_DURABLE_RETAINED_GB_MONTH,
    U_MANAGED_INVOCATIONS,
    U_EC2_ON_DEMAND,
    U_LOG_GB,
    U_PEAK_S,
    U_PEAK_VCPU,
    U_PEAK_GB,
    U_BASE_S,
    U_BASE_VCPU,
    U_BASE_GB,
    U_SUSPENDS,
    U_LAUNCHES,
    U_SNAPSHOT_GB,
    U_IMAGES_GB,
    U_SUSPENDED_S,
    USAGE_NUMBERS
};

/* All numbers are 10^-6: exact for the decimals people write. */
#define USAGE_SCALE 6
#define USAGE_ONE   INT64_C(1000000)

struct usage_stream {
    int64_t invocations, size; /* both 10^-6 */
    int64_t units_per_mb;      /* of size: 1024 where it is in KB */
};

struct usage_inputs {
    int64_t number[USAGE_NUMBERS];
    bool has[USAGE_NUMBERS];
    struct usage_stream *streams;
    size_t n_streams;
    enum arch arch;
    bool free_requests, free_compute;
    bool is_log_tb_binary;
    bool is_java; /* SnapStart is free for Java managed runtimes */
};

/* Adds the quantities a service bills for these inputs to in->usage. err is never NULL. */
typedef enum status usage_fn(const struct usage_inputs *u, struct arena *a, struct bill_input *in,
                             struct err *e);
usage_fn usage_lambda, usage_edge, usage_microvm, usage_logs;

#endif
