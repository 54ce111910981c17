/* What the tests of prices share: the price book, one function in us-east-1 and attempts of it. */
#ifndef FNSCOPE_TESTS_COST_FIXTURE_H
#define FNSCOPE_TESTS_COST_FIXTURE_H

#include "analyzer/analyzer.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"
#include "tests/test.h"

#define MB (UINT64_C(1) << 20)

static struct pricebook *book;
static struct fn_ref fn;
static struct origin origin;
static struct cost_context context;

static inline int setup(void **state)
{
    UNUSED(state);
    struct err e;
    if (book == NULL && pricebook_load(SOURCE_ROOT "/data/prices", &book, &e) != OK) {
        print_error("%s\n", e.msg);
        return 1;
    }
    fn = (struct fn_ref){PROVIDER_AWS, STR(""), STR("us-east-1"), STR("checkout"), NULL};
    origin = (struct origin){.fn = &fn};
    context = (struct cost_context){
        .book = book, .default_region = STR("us-east-1"), .default_arch = ARCH_X86_64};
    return 0;
}

static inline int free_book(void **state)
{
    UNUSED(state);
    pricebook_free(book);
    return 0;
}

static inline struct invocation attempt(int64_t billed_ms, uint64_t mb)
{
    struct invocation inv = {
        .origin = &origin,
        .id = STR("8f6a"),
        .outcome = OUTCOME_OK,
        .start = START_WARM,
        .arch = ARCH_X86_64,
        .attempt = 1,
        .billed_ns = billed_ms * NS_PER_MS,
        .duration_ns = billed_ms * NS_PER_MS,
        .memory_bytes = mb * MB,
        .is_final = true,
    };
    CHECK_STATUS(time_parse_human(STR("2026-06-01"), 0, &inv.start_ns, NULL), OK);
    return inv;
}

static inline money priced(struct invocation *inv)
{
    static struct cost_memo before;
    static const struct pricebook *of;
    struct err e;
    struct invocation alone = *inv;

    if (of != context.book)
        before = (struct cost_memo){0};
    of = context.book;
    CHECK_OK(cost_invocation(&context, NULL, &alone, &e), &e);
    CHECK_OK(cost_invocation(&context, &before, inv, &e), &e);
    CHECK_INT(inv->cost, alone.cost); /* whatever came before */
    CHECK_INT(inv->is_priced, alone.is_priced);
    return inv->cost;
}

/* Prices nobody charges, so that amounts leave the range: an error, never a wrap. */
static inline struct pricebook *absurd_book(void)
{
    struct err e;
    struct pricebook *p = NULL;
    CHECK_OK(pricebook_load(TESTS_DIR "/data/pricing/absurd", &p, &e), &e);
    return p;
}

#endif
