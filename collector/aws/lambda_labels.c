/* The labels of platform lines, kind by kind, in the order in which the platform writes them. */
#include "collector/aws/lambda_labels.h"

#include <stddef.h>

#include "core/base/macros.h"

#define AT(member) offsetof(struct platform_event, member)

/* Billed Duration is in every REPORT of the Text format, of failed initializations and time-outs
 * too: only managed instances are not billed by it, and they log in JSON (Lambda's guide,
 * "Configuring JSON and plain text log formats"). The trace id is the record's; it is parked in
 * trace_header until the line is accepted. */
static const struct label report_labels[] = {
    {{"Duration", 8}, AT(duration_ns), VALUE_MS, PH_DURATION},
    {{"Billed Duration", 15}, AT(billed_ns), VALUE_MS, PH_BILLED},
    {{"Memory Size", 11}, AT(memory_bytes), VALUE_MB, PH_MEMORY},
    {{"Max Memory Used", 15}, AT(max_memory_bytes), VALUE_MB, PH_MAX_MEMORY},
    {{"Restore Duration", 16}, AT(restore_ns), VALUE_MS, PH_RESTORE},
    {{"Billed Restore Duration", 23}, AT(billed_restore_ns), VALUE_MS, PH_BILLED_RESTORE},
    {{"Init Duration", 13}, AT(init_ns), VALUE_MS, PH_INIT},
    {{"Phase", 5}, AT(phase), VALUE_WORD, 0},
    {{"Status", 6}, AT(status), VALUE_WORD, 0},
    {{"Error Type", 10}, AT(error_type), VALUE_NAME, 0},
    {{"XRAY TraceId", 12}, AT(trace_header), VALUE_WORD, 0},
    {{"SegmentId", 9}, AT(segment_id), VALUE_WORD, 0},
    {{"Sampled", 7}, AT(is_sampled), VALUE_BOOL, PH_SAMPLED},
};
static const struct label init_report_labels[] = {
    {{"Init Duration", 13}, AT(duration_ns), VALUE_MS, PH_DURATION},
    {{"Phase", 5}, AT(phase), VALUE_WORD, 0},
    {{"Status", 6}, AT(status), VALUE_WORD, 0},
    {{"Error Type", 10}, AT(error_type), VALUE_NAME, 0},
};
static const struct label restore_report_labels[] = {
    {{"Restore Duration", 16}, AT(duration_ns), VALUE_MS, PH_DURATION},
    {{"Billed Restore Duration", 23}, AT(billed_restore_ns), VALUE_MS, PH_BILLED_RESTORE},
    {{"Phase", 5}, AT(phase), VALUE_WORD, 0},
    {{"Status", 6}, AT(status), VALUE_WORD, 0},
    {{"Error Type", 10}, AT(error_type), VALUE_NAME, 0},
};
static const struct label runtime_labels[] = {
    {{"Runtime Version", 15}, AT(runtime_version), VALUE_WORD, 0},
    {{"Runtime Version ARN", 19}, AT(runtime_version_arn), VALUE_WORD, 0},
};
static const struct label start_labels[] = {
    {{"Version", 7}, AT(version), VALUE_WORD, 0},
};
static const struct label extension_labels[] = {
    {{"Name", 4}, AT(name), VALUE_TEXT, 0},
    {{"State", 5}, AT(state), VALUE_TEXT, 0}, /* "Ready", "Already subscribed" */
    {{"Events", 6}, AT(events), VALUE_LIST, 0},
    {{"Types", 5}, AT(events), VALUE_LIST, 0},
    {{"Error Type", 10}, AT(error_type), VALUE_NAME, 0},
};

#define LABELS(a) (unsigned char)ARRAY_LEN(a), (a)

static const struct line_kind line_kinds[] = {
    {{"START", 5}, PLATFORM_START, true, false, true, 1, LABELS(start_labels)},
    {{"END", 3}, PLATFORM_END, true, false, true, 0, 0, NULL},
    {{"REPORT", 6}, PLATFORM_REPORT, true, true, true, 3, LABELS(report_labels)},
    {{"INIT_START", 10}, PLATFORM_INIT_START, false, true, true, 1, LABELS(runtime_labels)},
    {{"INIT_REPORT", 11}, PLATFORM_INIT_REPORT, false, true, true, 1, LABELS(init_report_labels)},
    {{"RESTORE_START", 13}, PLATFORM_RESTORE_START, false, true, true, 1, LABELS(runtime_labels)},
    {{"RESTORE_REPORT", 14},
     PLATFORM_RESTORE_REPORT,
     false,
     true,
     true,
     1,
     LABELS(restore_report_labels)},
    {{"EXTENSION", 9}, PLATFORM_EXTENSION, false, true, false, 2, LABELS(extension_labels)},
    {{"TELEMETRY", 9}, PLATFORM_TELEMETRY, false, true, false, 2, LABELS(extension_labels)},
    {{"LOGS", 4}, PLATFORM_LOGS, false, true, false, 2, LABELS(extension_labels)},
};

const struct line_kind *lambda_line_kind(struct str line)
{
    for (size_t i = 0; i < ARRAY_LEN(line_kinds); i++) {
        const struct line_kind *k = &line_kinds[i];
        if (line.n > k->head.n && line.p[0] == k->head.p[0] && str_starts(line, k->head) &&
            (line.p[k->head.n] == ' ' || line.p[k->head.n] == '\t'))
            return k;
    }
    return NULL;
}
