/* A row of the price book and a line of a bill. */
#ifndef FNSCOPE_CORE_MODEL_PRICE_H
#define FNSCOPE_CORE_MODEL_PRICE_H

#include "core/model/enums.h"
#include "core/model/money.h"

struct price {
    enum provider provider;
    struct str meter;  /* "Lambda-GB-Second", "Request": usage type without the region prefix */
    struct str region; /* "eu-west-1"; "*" for all */
    struct str unit;   /* "GB-s", "request", "GB" */
    wide tier_begin, tier_end;          /* quantity of 10^-12 unit per month; tier_end 0: no end */
    money unit_price;                   /* 10^-12 of the currency per unit */
    int64_t valid_from_ns, valid_to_ns; /* valid_to 0: still valid */
    struct str currency;
    struct str source;     /* where the figure is from */
    struct str retrieved;  /* date, "2026-09-19" */
    struct str confidence; /* "two", "one", "inferred", "recalled" */
};

struct cost_line {
    struct str meter, unit;
    wide quantity;             /* 10^-12 unit, exact */
    const struct price *price; /* NULL: unpriced */
    money amount;              /* rounded once to 10 decimals (bills) or exact 10^-12 (receipts) */
    struct str rounding;       /* one sentence: how quantity was made */
    bool is_estimated;
    bool lacks_plan; /* of a bill: the savings plan covers it, but there is no rate: list price */
};

/* Lines of a receipt or bill with their sum; the lines live in an arena. */
struct cost_lines {
    struct cost_line *lines;
    size_t n;
    size_t n_in_cost; /* of a receipt: the first ones make up its total, others stand beside */
    money total;      /* of a receipt: what the invocation costs, log ingestion not in it */
};

#endif
