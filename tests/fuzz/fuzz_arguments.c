/* A command line, a word a line (the first names the command): options of every type with their
 * times, durations, sizes, choices and lists. */
#include <assert.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_WORDS = 32 };

static const struct command *pick(struct str name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (str_eq(name, str_from(commands[i]->name)))
            return commands[i];
    return commands[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf shown = {.max = 1u << 20};
    struct str rest = {(const char *)data, size};
    const struct opt_def *defs;
    struct opt_list words = {0};
    struct opt_set set;
    struct err e = {0};
    size_t block_size, offset;
    char *argv[MAX_WORDS + 1] = {0};
    int argc = 0;

    const struct command *cmd = pick(str_cut(&rest, '\n'));
    while (rest.n > 0 && argc < MAX_WORDS)
        argv[argc++] = arena_strz(&a, str_cut(&rest, '\n'));
    if (settings_defs(&a, cmd, &defs, &block_size, &offset, &e) != OK)
        return 0;
    enum status s =
        opt_init(&set, defs, arena_zalloc(&a, 1, block_size), &a, INT64_C(1700000000000000000), &e);
    assert(s == OK);
    s = opt_apply_argv(&set, argc, argv, &words, &e);
    assert(s != OK || words.count <= (size_t)argc);
    assert(s == OK || e.msg[0] != '\0');
    for (size_t i = 0; defs[i].key || defs[i].flag; i++)
        opt_value_text(&shown, &set, i);
    return 0;
}
