/* The last section: every price row the costs above are made of, and how they were made. */
#include <stdlib.h>

#include "core/base/clock.h"
#include "reports/report_data.h"

static int compare_rows(const void *a, const void *b)
{
    const struct price *const *x = a, *const *y = b;
    int c = str_cmp((*x)->region, (*y)->region);

    return c != 0 ? c : str_cmp((*x)->meter, (*y)->meter);
}

/* How sure the price book is of the row. */
static struct str confidence_words(struct str word)
{
    static const char *const words[][2] = {
        {"two", "two agree"},
        {"one", "one source"},
        {"inferred", "inferred"},
        {"recalled", "unconfirmed"},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, str_from(words[i][0])))
            return str_from(words[i][1]);
    return word;
}

static void price_row(const struct report_data *r, struct table *t, const struct price *p)
{
    struct str price = text_money_exact(r->arena, p->unit_price);

    table_row(t);
    table_text_shown(t, 0, p->region, str_eq(p->region, STR("*")) ? STR("all") : p->region);
    table_text(t, 1, p->meter);
    table_money(t, 2, price, price);
    table_text(t, 3, p->currency);
    table_text_shown(
        t, 4, p->unit,
        arena_printf(r->arena, STR_FMT "/" STR_FMT, STR_ARG(p->currency), STR_ARG(p->unit)));
    table_text(t, 5, text_day(r->arena, p->valid_from_ns));
    table_text(t, 6, p->source);
    table_text(t, 7, confidence_words(p->confidence));
    table_text(t, 8, p->retrieved);
}

static void prices(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    static const struct table_column columns[] = {
        {.name = "region", .title = "Region"},
        {.name = "meter", .title = "Meter"},
        {.name = "unit_price", .title = "Unit price", .is_right = true},
        {.name = "currency", .is_hidden = true},
        {.name = "unit", .title = "Unit"},
        {.name = "valid_from", .title = "Since"},
        {.name = "source", .title = "Taken from", .max_width = 24},
        {.name = "confidence", .title = "Sources"},
        {.name = "retrieved", .is_hidden = true},
    };
    const struct price_set *used = &r->prices;
    struct table *t = doc_table(d, s, "prices", columns, ARRAY_LEN(columns));

    if (used->n > 1)
        qsort((void *)used->rows, used->n, sizeof(struct price *), compare_rows);
    for (size_t i = 0; i < used->n; i++)
        price_row(r, t, used->rows[i]);
}

void section_appendix(const struct report_data *r, struct doc *d)
{
    if (r->n == 0 || !r->options->cost->book)
        return;
    struct doc_section *s = doc_section(d, "appendix", "Prices used and method");
    prices(r, d, s);
    doc_text(d, s, TONE_PLAIN,
             STR("Cost of an invocation = billed milliseconds x configured MB / 1,024,000 x price "
                 "per GB-second + one request + ephemeral storage above 512 MB; quantities are "
                 "summed exactly, money is never floating point. Percentiles come from buckets "
                 "1.6 % wide. A failed attempt is one that did not end ok."));
}
