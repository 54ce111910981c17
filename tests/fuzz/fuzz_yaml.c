/* A configuration file: tree, then settings and functions: rules of every command. */
#include <assert.h>

#include "cli/common.h"
#include "cli/settings.h"
#include "core/base/mem.h"
#include "tests/fuzz/fuzz.h"

static size_t count_nodes(const struct yaml_node *node, unsigned depth)
{
    size_t n = 0;

    for (; node; node = node->next) {
        assert(node->line > 0 && node->column > 0 && depth < 1000);
        n += 1 + count_nodes(node->child, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct opt_def *defs;
    struct yaml_node *root = NULL;
    struct err e = {0};
    size_t block_size, offset;

    if (yaml_parse(&a, (struct str){(const char *)data, size}, "f.yaml", &root, &e) != OK) {
        assert(e.msg[0] != '\0');
        return 0;
    }
    count_nodes(root, 0);
    if (!root || settings_defs(&a, commands[0], &defs, &block_size, &offset, &e) != OK)
        return 0;
    struct opt_set set;
    void *target = arena_zalloc(&a, 1, block_size);
    enum status s = opt_init(&set, defs, target, &a, INT64_C(1700000000000000000), &e);
    assert(s == OK);
    if (opt_apply_yaml(&set, root, "f.yaml", ORIGIN_USER_FILE, foreign_sections, &e) != OK)
        assert(e.msg[0] != '\0');
    return 0;
}
