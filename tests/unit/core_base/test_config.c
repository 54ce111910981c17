/* YAML with places, and options from all their sources in the order of their rank. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/base/opt.h"

struct settings {
    struct str url;
    int64_t keep_ns, limit;
    int format;
    bool is_quiet;
    struct opt_list tags;
};

static const char *const formats[] = {"table", "json", NULL};
#define AT(member) offsetof(struct settings, member)
static const struct opt_def defs[] = {
    {.key = "store.url",
     .flag = "store",
     .type = OPT_STRING,
     .offset = AT(url),
     .default_text = "/var",
     .help = "x"},
    {.key = "store.keep", .flag = "keep", .type = OPT_DURATION, .offset = AT(keep_ns), .help = "x"},
    {.key = "output.format",
     .flag = "format",
     .letter = 'o',
     .type = OPT_CHOICE,
     .offset = AT(format),
     .choices = formats,
     .help = "x"},
    {.flag = "limit",
     .letter = 'n',
     .type = OPT_INT,
     .offset = AT(limit),
     .min = 1,
     .max = 100,
     .default_text = "10",
     .help = "x"},
    {.flag = "quiet", .letter = 'q', .type = OPT_BOOL, .offset = AT(is_quiet), .help = "x"},
    {.key = "tags", .flag = "tag", .type = OPT_LIST, .offset = AT(tags), .help = "x"},
    {0},
};

struct ground {
    struct arena arena;
    struct settings s;
    struct opt_set set;
    struct err e;
};

static void begin(struct ground *g)
{
    *g = (struct ground){0};
    CHECK_OK(opt_init(&g->set, defs, &g->s, &g->arena, 0, &g->e), &g->e);
}

static enum status apply_yaml(struct ground *g, const char *text)
{
    static const char *const foreign[] = {"sources", NULL};
    struct yaml_node *root = NULL;

    CHECK_OK(yaml_parse(&g->arena, str_from(text), "c.yaml", &root, &g->e), &g->e);
    return opt_apply_yaml(&g->set, root, "c.yaml", ORIGIN_USER_FILE, foreign, &g->e);
}

static void test_order(void **state)
{
    UNUSED(state);
    char c0[] = "cmd", a0[] = "--store=/flag", a1[] = "-qn5", a2[] = "word", a3[] = "--tag",
         a4[] = "a", a5[] = "--", a6[] = "-x";
    char *argv[] = {c0, a0, a1, a2, a3, a4, a5, a6, NULL};
    char env[] = "FNSCOPE_STORE_KEEP=2h", *envp[] = {env, NULL};
    struct opt_list words = {0};
    struct ground g;

    begin(&g);
    CHECK_STR(g.s.url, STR("/var"));
    CHECK_OK(
        apply_yaml(&g, "store:\n  url: /file\n  keep: 1h\noutput: {format: json}\nsources: [x]\n"),
        &g.e);
    CHECK_STR(g.s.url, STR("/file"));
    CHECK_INT(g.s.format, 1);
    CHECK_OK(opt_apply_env(&g.set, envp, &g.e), &g.e);
    CHECK_INT(g.s.keep_ns, INT64_C(7200000000000));
    CHECK_OK(opt_apply_argv(&g.set, 8, argv, &words, &g.e), &g.e);
    CHECK_STR(g.s.url, STR("/flag"));
    CHECK(g.s.is_quiet && g.s.limit == 5 && g.s.tags.count == 1);
    CHECK_INT(words.count, 2);
    CHECK_STR(words.items[1], STR("-x"));
    CHECK_INT(g.set.origins[0], ORIGIN_FLAG);
    CHECK_INT(g.set.origins[2], ORIGIN_USER_FILE);
    CHECK_STR(g.set.places[2], STR("c.yaml:4:10"));
    CHECK(opt_is_set(&g.set, &g.s.url) && g.set.origins[1] == ORIGIN_ENV);
    arena_clear(&g.arena);
}

static void refused_yaml(const char *text, const char *message)
{
    struct ground g;

    begin(&g);
    CHECK_STATUS(apply_yaml(&g, text), ERR_CONFIG);
    if (!strstr(g.e.msg, message))
        fail_msg("%s\nexpected %s", g.e.msg, message);
    arena_clear(&g.arena);
}

static void test_refused_settings(void **state)
{
    UNUSED(state);
    refused_yaml("stoore:\n  url: x\n", "c.yaml:1:1");
    refused_yaml("stoore:\n  url: x\n", "did you mean \"store\"");
    refused_yaml("store:\n  ulr: x\n", "store.url");
    refused_yaml("suorces: [x]\n", "did you mean \"sources\"");
    refused_yaml("store:\n  keep: soon\n", "c.yaml:2:");
    refused_yaml("output:\n  format: jsno\n", "json");
    refused_yaml("store: [x]\n", "c.yaml:1:");
}

static void refused_words(const char *word, const char *message)
{
    char name[] = "cmd", copy[40];
    char *argv[] = {name, copy, NULL};
    struct opt_list words;
    struct ground g;

    begin(&g);
    snprintf(copy, sizeof(copy), "%s", word);
    CHECK_STATUS(opt_apply_argv(&g.set, 2, argv, &words, &g.e), ERR_USAGE);
    if (!strstr(g.e.msg, message))
        fail_msg("%s\nexpected %s", g.e.msg, message);
    arena_clear(&g.arena);
}

static void test_refused_words(void **state)
{
    UNUSED(state);
    refused_words("--stoer=x", "--store");
    refused_words("--limit=0", "limit");
    refused_words("--limit=1e3", "limit");
    refused_words("--keep", "keep");
    refused_words("-z", "z");
    refused_words("--quiet=maybe", "quiet");
}

static void test_yaml(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"a: 1\na: 2\n", "y:2:1: \"a\" stands here again, first in line 1"},
        {"a: &x 1\n", "anchors are not allowed"},
        {"a: *x\n", "aliases are not allowed"},
        {"a: !!int 1\n", "tags are not allowed"},
        {"--- a\n--- b\n", "only one document"},
        {"a:\n\tb: 1\n", "y:2:1"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "y:1:"},
    };
    AUTO(arena_clear) struct arena a = {0};
    struct yaml_node *root = NULL;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK(yaml_parse(&a, str_from(bad[i].text), "y", &root, &e) != OK);
        if (!strstr(e.msg, bad[i].message))
            fail_msg("%s\nexpected %s", e.msg, bad[i].message);
    }
    CHECK_OK(yaml_parse(&a, STR("# nothing\n"), "y", &root, &e), &e);
    CHECK(root == NULL);
    CHECK_OK(yaml_parse(&a, STR("a: [x, 'y']\nb: {c: ~}\n"), "y", &root, &e), &e);
    const struct yaml_node *list = yaml_get(root, STR("a"));
    CHECK(list->type == YAML_LIST && list->child->is_plain && !list->child->next->is_plain);
    CHECK_INT(yaml_get(yaml_get(root, STR("b")), STR("c"))->column, 5);
    CHECK(yaml_get(NULL, STR("a")) == NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_refused_settings),
    cmocka_unit_test(test_refused_words),
    cmocka_unit_test(test_yaml),
};
TEST_MAIN(tests)
