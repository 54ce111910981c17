/* Names of functions: parts, and what is none. */
#include "tests/test.h"

#include "executor/function_name.h"

static const struct {
    const char *text, *region, *account, *name, *qualifier; /* name NULL: no name */
} cases[] = {
    {"f", "", "", "f", ""},
    {"f:$LATEST", "", "", "f", "$LATEST"},
    {"f:live", "", "", "f", "live"},
    {"function:f", "", "", "f", ""},
    {"function", "", "", "function", ""},
    {"123456789012", "", "", "123456789012", ""},
    {"123456789012:f", "", "123456789012", "f", ""},
    {"123456789012:function:f:1", "", "123456789012", "f", "1"},
    {"eu-west-1:123456789012:function:f", "eu-west-1", "123456789012", "f", ""},
    {"arn:aws:lambda:eu-west-1:123456789012:function:f", "eu-west-1", "123456789012", "f", ""},
    {"arn:aws-us-gov:lambda:us-gov-east-1:123456789012:function:f:7", "us-gov-east-1",
     "123456789012", "f", "7"},
    {"arn:aws:lambda:us-iso-east-1:123456789012:function:f", "us-iso-east-1", "123456789012", "f",
     ""},
    {"arn:aws:lambda:eusc-de-east-1:123456789012:function:f", "eusc-de-east-1", "123456789012", "f",
     ""},
    {"arn:aws:lambda:eu-west-1:123456789012:function", "eu-west-1", "123456789012", "function", ""},
    /* as recorded of AWS */
    {"*", NULL, NULL, NULL, NULL},
    {"my-function!", NULL, NULL, NULL, NULL},
    {"invalid-account:function:my-function", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:invalid-region:123456789012:function:f", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda::123456789012:function:f", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:eu-west-1::function:f", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:eu-west-1:123456789012:function:f:1:2", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:eu-west-1:123456789012:function:f:$OLDEST", NULL, NULL, NULL, NULL},
    {"function:my-function:$LATEST:extra", NULL, NULL, NULL, NULL},
    {"", NULL, NULL, NULL, NULL},
    {"f:", NULL, NULL, NULL, NULL},
    {"f:a b", NULL, NULL, NULL, NULL},
    {"f g", NULL, NULL, NULL, NULL},
    {"f/g", NULL, NULL, NULL, NULL},
    {"arn:aws:s3:::bucket", NULL, NULL, NULL, NULL},
    {"arn:gcp:lambda:eu-west-1:123456789012:function:f", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:eu-west-1:123456789012:layer:f:1", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:mars:123456789012:function:f", NULL, NULL, NULL, NULL},
    {"arn:aws:lambda:eu-west-1:function:f", NULL, NULL, NULL, NULL},
    {"12345:function:f", NULL, NULL, NULL, NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct function_name f = {0};
        bool is_name = function_name_parse(str_from(cases[i].text), &f);
        if (is_name != (cases[i].name != NULL)) {
            print_error("%s\n", cases[i].text);
            CHECK(false);
        }
        CHECK_STR(f.region, str_from(cases[i].region));
        CHECK_STR(f.account, str_from(cases[i].account));
        CHECK_STR(f.name, str_from(cases[i].name));
        CHECK_STR(f.qualifier, str_from(cases[i].qualifier));
    }
}

static void test_qualifiers(void **state)
{
    (void)state;
    CHECK(function_qualifier_is_valid(STR("$latest")));
    CHECK(function_qualifier_is_valid(STR("$LATEST.PUBLISHED")));
    CHECK(!function_qualifier_is_valid(STR("invalid!")));
    CHECK(!function_qualifier_is_valid(STR("")));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                          cmocka_unit_test(test_qualifiers)};
TEST_MAIN(tests)
