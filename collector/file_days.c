/* The days of a file, as few runs: most files hold one day or some in a row. */
#include "collector/file_days.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/clock.h"

enum { MAX_DAYS = 1 << 16 }; /* of one run: what no file holds is no token of ours */

static int64_t day_of_time(int64_t t_ns)
{
    return t_ns / NS_PER_DAY - (t_ns % NS_PER_DAY < 0);
}

/* The first run that ends at the day before `day` or later. */
static size_t find_run(const struct file_days *d, int64_t day)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->runs[middle].last + 1 < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop_run(struct file_days *d, size_t at)
{
    memmove(&d->runs[at], &d->runs[at + 1], (d->n - at - 1) * sizeof(d->runs[0]));
    d->n--;
}

static void insert_run(struct file_days *d, size_t at, int64_t day)
{
    if (d->n == FILE_DAYS_MAX_RUNS) {
        d->is_too_many = true;
        return;
    }
    memmove(&d->runs[at + 1], &d->runs[at], (d->n - at) * sizeof(d->runs[0]));
    d->runs[at] = (struct day_run){day, day};
    d->n++;
}

void file_days_add(struct file_days *d, int64_t t_ns)
{
    const struct day_run *newest = d->n > 0 ? &d->runs[d->n - 1] : NULL;
    int64_t day = day_of_time(t_ns);

    if (newest != NULL && day >= newest->first && day <= newest->last)
        return;
    size_t at = find_run(d, day);
    assert(at <= d->n);
    if (at == d->n || d->runs[at].first > day + 1) {
        insert_run(d, at, day);
        return;
    }
    struct day_run *r = &d->runs[at];
    r->first = day < r->first ? day : r->first;
    r->last = day > r->last ? day : r->last;
    if (at + 1 < d->n && d->runs[at + 1].first == r->last + 1) {
        r->last = d->runs[at + 1].last;
        drop_run(d, at + 1);
    }
}

void file_days_write(const struct file_days *d, struct buf *out)
{
    if (d->n == 0)
        buf_add_c(out, '-');
    for (size_t i = 0; i < d->n; i++) {
        buf_addf(out, "%s%" PRId64, i > 0 ? "," : "", d->runs[i].first);
        if (d->runs[i].last > d->runs[i].first)
            buf_addf(out, "-%" PRId64, d->runs[i].last);
    }
}

bool file_days_read(struct file_days *d, struct str text)
{
    *d = (struct file_days){0};
    if (str_eq(text, STR("-")))
        return true;
    while (text.n > 0) {
        struct str run = str_cut(&text, ',');
        struct str first = str_cut(&run, '-');
        struct day_run r;
        if (d->n == FILE_DAYS_MAX_RUNS || !str_to_i64(first, &r.first))
            return false;
        r.last = r.first;
        if (run.n > 0 && !str_to_i64(run, &r.last))
            return false;
        if (r.last < r.first || r.last - r.first > MAX_DAYS ||
            (d->n > 0 && r.first <= d->runs[d->n - 1].last + 1))
            return false;
        d->runs[d->n++] = r;
    }
    return d->n > 0;
}

bool file_days_are_there(const struct file_days *d, bool (*has_day)(void *ctx, int64_t day),
                         void *ctx)
{
    for (size_t i = 0; i < d->n; i++)
        for (int64_t day = d->runs[i].first; day <= d->runs[i].last; day++)
            if (!has_day(ctx, day))
                return false;
    return true;
}
