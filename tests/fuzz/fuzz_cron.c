/* Schedules and zone files: the next firing lies after the instant asked for and is found again
 * from just before it. */
#include <stdlib.h>

#include "executor/cron.h"
#include "tests/fuzz/fuzz.h"

static void check_schedule(struct str text, const struct zone *zone)
{
    struct cron c;
    int64_t t = INT64_C(1790000000000000000), next, again;

    if (cron_parse(text, &c, NULL) != OK)
        return;
    for (int i = 0; i < 20 && cron_next(&c, zone, 0, t, &next); i++) {
        if (next <= t || !cron_next(&c, zone, 0, next - 1, &again) || again != next)
            abort();
        t = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct zone *zone = NULL;

    if (size == 0 || size > 4000)
        return 0;
    /* An expression, a NUL, and maybe a zone file. */
    struct str expression = str_cut(&text, '\0');
    if (zone_parse(text, &zone, NULL) != OK)
        zone = NULL;
    check_schedule(expression, zone);
    zone_free(zone);
    return 0;
}
