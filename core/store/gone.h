/* Private to core/store: what counters have counted and is stored no more (gone.c). */
#ifndef FNSCOPE_CORE_STORE_GONE_H
#define FNSCOPE_CORE_STORE_GONE_H

#include "core/store/store_private.h"

/* In the transaction of the day file: the day's sums of a function were counted again. */
enum status gone_note_fall(struct day *d, uint32_t fn, const struct stats *was,
                           const struct stats *now, struct err *e);
/* In one transaction of meta.db: keeps what a day counted, and marks it as removed. From then on
 * nobody sees its file, which store_finish_removals() unlinks. */
enum status gone_keep_day(struct store *s, int64_t number, struct err *e);
/* How often a day was removed so far. */
enum status gone_removals(struct store *s, int64_t *out, struct err *e);
/* What a day's points add up to, by series; of metrics that add up. */
struct series_sum {
    uint32_t series;
    int64_t sum;
};
struct series_sums {
    struct series_sum *rows;
    size_t n;
};
enum status live_sum_day(struct store *s, struct day *d, struct arena *a, struct series_sums *out,
                         struct err *e);
/* Unlinks the files of days so marked, also of a process that ended in between. */
enum status store_finish_removals(struct store *s, struct err *e);
/* Takes the days so marked out of those that are known. */
enum status gone_hide_days(struct store *s, struct err *e);
enum status gone_read_days(struct store *s, struct arena *a, int64_t **numbers, size_t *n,
                           struct err *e);

#endif
