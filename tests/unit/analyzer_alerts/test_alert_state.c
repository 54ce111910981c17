/* The life of an alert: every cell of the table, what is said, and that hysteresis never flaps. */
#include "tests/test.h"

#include "analyzer/alerts/alert_state.h"
#include "core/base/macros.h"
#include "core/base/rng.h"

#define T0 INT64_C(1000000000000)

/* state before, input, state after, firing and resolved said; N: was notified before. */
struct cell {
    enum alert_state from;
    enum alert_input in;
    enum alert_state to;
    bool was_notified, says_firing, says_resolved;
};

#define INA ALERT_INACTIVE
#define PEN ALERT_PENDING
#define FIR ALERT_FIRING
#define ACK ALERT_ACKNOWLEDGED
#define SIL ALERT_SILENCED
#define RES ALERT_RESOLVED

/* clang-format off */
static const struct cell cells[] = {
    {INA, IN_MISSING, INA, 0, 0, 0}, {INA, IN_CLEAR, INA, 0, 0, 0}, {INA, IN_CLEARED, INA, 0, 0, 0},
    {INA, IN_BAND, INA, 0, 0, 0}, {INA, IN_HOLDS, PEN, 0, 0, 0}, {INA, IN_DUE, FIR, 0, 1, 0},
    {INA, IN_DUE_MUTED, SIL, 0, 0, 0}, {INA, IN_PASSED, RES, 0, 0, 0}, {INA, IN_ACK, INA, 0, 0, 0},
    {INA, IN_EXPIRE, INA, 0, 0, 0},
    {PEN, IN_MISSING, PEN, 0, 0, 0}, {PEN, IN_CLEAR, INA, 0, 0, 0}, {PEN, IN_CLEARED, INA, 0, 0, 0},
    {PEN, IN_BAND, INA, 0, 0, 0}, {PEN, IN_HOLDS, PEN, 0, 0, 0}, {PEN, IN_DUE, FIR, 0, 1, 0},
    {PEN, IN_DUE_MUTED, SIL, 0, 0, 0}, {PEN, IN_PASSED, RES, 0, 0, 0}, {PEN, IN_ACK, PEN, 0, 0, 0},
    {PEN, IN_EXPIRE, PEN, 0, 0, 0},
    {FIR, IN_MISSING, FIR, 1, 0, 0}, {FIR, IN_CLEAR, FIR, 1, 0, 0}, {FIR, IN_CLEARED, RES, 1, 0, 1},
    {FIR, IN_BAND, FIR, 1, 0, 0}, {FIR, IN_HOLDS, FIR, 1, 0, 0}, {FIR, IN_DUE, FIR, 1, 0, 0},
    {FIR, IN_DUE_MUTED, SIL, 1, 0, 0}, {FIR, IN_PASSED, FIR, 1, 0, 0}, {FIR, IN_ACK, ACK, 1, 0, 0},
    {FIR, IN_EXPIRE, FIR, 1, 0, 0},
    {ACK, IN_MISSING, ACK, 1, 0, 0}, {ACK, IN_CLEAR, ACK, 1, 0, 0}, {ACK, IN_CLEARED, RES, 1, 0, 1},
    {ACK, IN_BAND, ACK, 1, 0, 0}, {ACK, IN_HOLDS, ACK, 1, 0, 0}, {ACK, IN_DUE, ACK, 1, 0, 0},
    {ACK, IN_DUE_MUTED, ACK, 1, 0, 0}, {ACK, IN_PASSED, ACK, 1, 0, 0}, {ACK, IN_ACK, ACK, 1, 0, 0},
    {ACK, IN_EXPIRE, ACK, 1, 0, 0},
    {SIL, IN_MISSING, SIL, 0, 0, 0}, {SIL, IN_CLEAR, SIL, 0, 0, 0}, {SIL, IN_CLEARED, RES, 0, 0, 0},
    {SIL, IN_CLEARED, RES, 1, 0, 1}, /* silenced after it was told: the end is told too */
    {SIL, IN_BAND, SIL, 0, 0, 0}, {SIL, IN_HOLDS, SIL, 0, 0, 0}, {SIL, IN_DUE, FIR, 0, 1, 0},
    {SIL, IN_DUE_MUTED, SIL, 0, 0, 0}, {SIL, IN_PASSED, SIL, 0, 0, 0}, {SIL, IN_ACK, ACK, 0, 0, 0},
    {SIL, IN_EXPIRE, SIL, 0, 0, 0},
    {RES, IN_MISSING, RES, 0, 0, 0}, {RES, IN_CLEAR, RES, 0, 0, 0}, {RES, IN_CLEARED, RES, 0, 0, 0},
    {RES, IN_BAND, RES, 0, 0, 0}, {RES, IN_HOLDS, PEN, 0, 0, 0}, {RES, IN_DUE, FIR, 0, 1, 0},
    {RES, IN_DUE_MUTED, SIL, 0, 0, 0}, {RES, IN_PASSED, RES, 0, 0, 0}, {RES, IN_ACK, RES, 0, 0, 0},
    {RES, IN_EXPIRE, INA, 0, 0, 0},
};
/* clang-format on */

static void test_every_cell(void **state)
{
    bool seen[ALERT_STATES][ALERT_INPUTS] = {{false}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        const struct cell *c = &cells[i];
        struct alert a = {
            .state = c->from, .since_ns = 1, .is_notified = c->was_notified, .sent_ns = T0};
        const struct alert_facts f = {.now_ns = T0 + 1,
                                      .data_ns = T0,
                                      .value = 7,
                                      .worst = 9,
                                      .started_ns = 5,
                                      .ended_ns = 6,
                                      .by = STR("ann")};
        struct alert_says says;
        bool is_changed = alert_step(&a, c->in, &f, &says);
        if (a.state != c->to || says.firing != c->says_firing ||
            says.resolved != c->says_resolved) {
            print_error("cell %zu: %s x %d gave %s, said %d %d\n", i, alert_state_name(c->from),
                        (int)c->in, alert_state_name(a.state), says.firing, says.resolved);
            fail();
        }
        CHECK(is_changed || c->from == c->to);
        CHECK_INT(says.passed, c->in == IN_PASSED && c->to == RES);
        CHECK_INT(a.since_ns, c->from == c->to ? 1 : T0 + 1); /* only a change moves it */
        CHECK_INT(a.is_missing, c->in == IN_MISSING);
        CHECK(a.state != ALERT_ACKNOWLEDGED || c->from == ALERT_ACKNOWLEDGED ||
              str_eq(a.acked_by, STR("ann")));
        seen[c->from][c->in] = true;
    }
    for (size_t s = 0; s < ALERT_STATES; s++)
        for (size_t in = 0; in < ALERT_INPUTS; in++)
            CHECK(seen[s][in]);
}

static struct alert firing_since(int64_t now_ns, int64_t repeat_ns)
{
    struct alert a = {.state = ALERT_INACTIVE, .threshold = 5};
    const struct alert_facts f = {
        .now_ns = now_ns, .value = 6, .worst = 6, .started_ns = now_ns, .repeat_ns = repeat_ns};
    struct alert_says says;

    CHECK(alert_step(&a, IN_DUE, &f, &says) && says.firing);
    return a;
}

static void test_reminders(void **state)
{
    struct alert a = firing_since(T0, 100);
    struct alert_facts f = {.now_ns = T0 + 99, .value = 6, .worst = 6, .repeat_ns = 100};
    struct alert_says says;

    UNUSED(state);
    CHECK(!alert_step(&a, IN_DUE, &f, &says) && !says.firing);
    f.now_ns = T0 + 100;
    CHECK(alert_step(&a, IN_DUE, &f, &says) && says.firing);
    f.now_ns = T0 + 199;
    CHECK(!alert_step(&a, IN_DUE, &f, &says) && !says.firing);
    f.repeat_ns = 0;
    f.now_ns = T0 + 1000;
    CHECK(!alert_step(&a, IN_DUE, &f, &says) && !says.firing);
}

static void test_peak_is_the_worst(void **state)
{
    struct alert a = firing_since(T0, 0);
    struct alert_facts f = {.now_ns = T0 + 1, .value = 3, .worst = 20};
    struct alert_says says;

    UNUSED(state);
    CHECK(alert_step(&a, IN_DUE, &f, &says));
    CHECK_INT(a.peak, 20);
    f.worst = 10;
    CHECK(!alert_step(&a, IN_DUE, &f, &says));
    CHECK_INT(a.peak, 20);
    struct alert low = {.state = ALERT_FIRING, .threshold = 5, .peak = 3};
    f.worst = 1;
    CHECK(alert_step(&low, IN_DUE, &f, &says));
    CHECK_INT(low.peak, 1);
}

/* It is one message, and no "resolved" is owed for it; or none. */
static void test_passed_is_told_once(void **state)
{
    struct alert a = {.state = ALERT_PENDING, .threshold = 5};
    struct alert_facts f = {.now_ns = T0, .worst = 9, .value = 1, .started_ns = 5, .ended_ns = 6};
    struct alert_says says;

    UNUSED(state);
    CHECK(alert_step(&a, IN_PASSED, &f, &says) && says.passed && !says.firing && !says.resolved);
    CHECK(!a.is_notified && a.sent_ns == T0);
    CHECK_INT(a.peak, 9);
    CHECK_INT(a.value, 1);
    CHECK_INT(a.resolved_ns, 6);
    f.is_untold = true;
    f.started_ns = 7;
    CHECK(alert_step(&a, IN_PASSED, &f, &says) && !says.passed && a.sent_ns == 0);
}

static void test_missing_is_said_once(void **state)
{
    struct alert a = firing_since(T0, 0);
    const struct alert_facts f = {.now_ns = T0 + 1};
    const struct alert_facts data = {.now_ns = T0 + 2, .value = 6, .worst = 6};
    struct alert_says says;

    UNUSED(state);
    CHECK(alert_step(&a, IN_MISSING, &f, &says) && a.is_missing);
    CHECK(!alert_step(&a, IN_MISSING, &f, &says) && a.is_missing);
    CHECK_INT(a.value, 6); /* the last one known */
    CHECK(alert_step(&a, IN_DUE, &data, &says) && !a.is_missing);
}

/* Whatever comes, "firing" and "resolved" alternate for those who listen, and nothing but CLEARED
 * ends an episode. */
static void test_never_flaps(void **state)
{
    UNUSED(state);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rng rng;
        struct alert a = {.state = ALERT_INACTIVE};
        bool is_open = false;
        rng_seed(&rng, seed);
        for (int i = 0; i < 200; i++) {
            const enum alert_input in = (enum alert_input)rng_below(&rng, ALERT_INPUTS);
            const struct alert_facts f = {
                .now_ns = T0 + i, .value = (int64_t)rng_below(&rng, 9), .started_ns = T0 + i};
            const bool was_active = alert_is_active(a.state);
            struct alert_says says;
            alert_step(&a, in, &f, &says);
            if (was_active && !alert_is_active(a.state))
                CHECK_INT(in, IN_CLEARED);
            CHECK(!says.resolved || is_open || says.firing);
            if (says.firing && !says.resolved)
                is_open = true;
            if (says.resolved)
                is_open = false;
            if (in == IN_BAND || in == IN_CLEAR || in == IN_HOLDS)
                CHECK(!says.firing && !says.resolved);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell),        cmocka_unit_test(test_reminders),
        cmocka_unit_test(test_peak_is_the_worst), cmocka_unit_test(test_missing_is_said_once),
        cmocka_unit_test(test_never_flaps),       cmocka_unit_test(test_passed_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
