/* The door to the test library (cmocka): what a unit test includes. Keeps the library replaceable.
 * Each check stops its test with file, line and the expression. */
#ifndef FNSCOPE_TESTS_TEST_H
#define FNSCOPE_TESTS_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/str.h"

static inline void check_int(int64_t got, int64_t want, const char *text, const char *file,
                             int line)
{
    if (got == want)
        return;
    print_error("%s = %" PRId64 ", expected %" PRId64 "\n", text, got, want);
    _fail(file, line);
}

static inline void check_str(struct str got, struct str want, const char *text, const char *file,
                             int line)
{
    if (str_eq(got, want))
        return;
    print_error("%s = \"" STR_FMT "\"\nexpected \"" STR_FMT "\"\n", text, STR_ARG(got),
                STR_ARG(want));
    _fail(file, line);
}

static inline void check_true(bool got, const char *text, const char *file, int line)
{
    if (got)
        return;
    print_error("not true: %s\n", text);
    _fail(file, line);
}

static inline void check_ok(enum status s, const struct err *e, const char *text, const char *file,
                            int line)
{
    if (s == OK)
        return;
    print_error("%s: %s: %s\n", text, status_name(s), e->msg);
    _fail(file, line);
}

#define CHECK_INT(got, want) check_int((int64_t)(got), (int64_t)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_Z(got, want)   check_str(str_from(got), str_from(want), #got, __FILE__, __LINE__)
#define CHECK(x)             check_true((x), #x, __FILE__, __LINE__)
#define CHECK_OK(call, e)    check_ok((call), (e), #call, __FILE__, __LINE__)
#define CHECK_STATUS(call, want)                                                                   \
    check_int((int64_t)(call), (int64_t)(want), #call, __FILE__, __LINE__)

#define TEST_MAIN(tests)                                                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        return cmocka_run_group_tests((tests), NULL, NULL);                                        \
    }

#endif
