/* Which stored function a record's function is, and when one gets the region it lacks. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/model/fn_book.h"

static struct fn_ref named(const char *account, const char *region, const char *name)
{
    return (struct fn_ref){.provider = PROVIDER_AWS,
                           .account = str_from(account),
                           .region = str_from(region),
                           .name = str_from(name)};
}

static void add(struct fn_book *b, const char *account, const char *region, const char *name)
{
    const struct fn_ref f = named(account, region, name);

    fn_book_add(b, &f);
}

static struct fn_ref settle(struct fn_book *b, struct fn_ref f, enum fn_settled wanted)
{
    CHECK_INT(fn_book_settle(b, &f), wanted);
    return f;
}

static void test_adopted_once(void **state)
{
    UNUSED(state);
    struct fn_book b = {0};
    struct fn_ref f;

    add(&b, "", "", "mail");
    f = settle(&b, named("", "", "mail"), FN_KNOWN);
    CHECK(f.born == NULL);
    f = settle(&b, named("", "eu-west-1", "mail"), FN_ADOPTED);
    CHECK_STR(f.region, STR("eu-west-1"));
    CHECK_STR(fn_born(&f)->region, STR(""));
    f = settle(&b, named("", "eu-west-1", "mail"), FN_KNOWN);
    CHECK(f.born != NULL);
    f = settle(&b, named("", "", "mail"), FN_KNOWN); /* as it was called before */
    CHECK_STR(f.region, STR("eu-west-1"));
    settle(&b, named("", "us-east-1", "mail"), FN_NEW);
    f = settle(&b, named("1", "eu-west-1", "mail"), FN_ADOPTED); /* once more */
    CHECK_STR(f.account, STR("1"));
    CHECK_STR(fn_born(&f)->region, STR(""));
    settle(&b, named("2", "eu-west-1", "mail"), FN_NEW);
    fn_book_clear(&b);
}

static void test_not_adopted(void **state)
{
    UNUSED(state);
    struct fn_book b = {0};
    struct fn_ref other = named("", "eu-west-1", "shop");

    add(&b, "1", "", "mail");
    add(&b, "", "eu-west-1", "mail");
    settle(&b, named("1", "eu-west-1", "mail"), FN_NEW);  /* either could be it */
    settle(&b, named("2", "us-east-1", "mail"), FN_NEW);  /* contradicts both */
    settle(&b, named("", "eu-west-1", "mailer"), FN_NEW); /* another name */
    add(&b, "", "", "shop");
    other.provider = PROVIDER_GCP;
    settle(&b, other, FN_NEW);
    fn_book_clear(&b);
}

/* What a person called otherwise: the old name leads to it, whatever is said with it. */
static void test_moved_by_name(void **state)
{
    UNUSED(state);
    struct fn_book b = {0};
    const struct fn_ref before = named("", "us-west-1", "wrong");
    struct fn_ref now = named("", "eu-west-1", "right");

    now.born = &before;
    fn_book_add(&b, &now);
    CHECK_STR(settle(&b, before, FN_KNOWN).name, STR("right"));
    CHECK_STR(settle(&b, named("", "eu-west-1", "right"), FN_KNOWN).name, STR("right"));
    settle(&b, named("", "us-west-1", "right"), FN_NEW);
    fn_book_clear(&b);
}

/* A reader of the store before the adoption and one behind it agree: the hash is that of the birth.
 */
static void test_birth_is_hashed(void **state)
{
    UNUSED(state);
    struct fn_book b = {0};
    const struct fn_ref nameless = named("", "", "mail");

    add(&b, "", "", "mail");
    const struct fn_ref f = settle(&b, named("", "eu-west-1", "mail"), FN_ADOPTED);
    const struct origin was = {.fn = &nameless, .instance = STR("s")};
    const struct origin is = {.fn = &f, .instance = STR("s")};
    CHECK_INT(origin_hash(&is), origin_hash(&was));
    CHECK(fn_hash(&f) != fn_hash(&nameless));
    fn_book_clear(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_adopted_once),
    cmocka_unit_test(test_not_adopted),
    cmocka_unit_test(test_moved_by_name),
    cmocka_unit_test(test_birth_is_hashed),
};
TEST_MAIN(tests)
