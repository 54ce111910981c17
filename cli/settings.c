/* Reads the layers of settings in their order: built-in, system file, user file, environment,
 * flags. Knows options only as rows; what they mean is the commands' business. */
#include "cli/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"

#define CONFIG_MAX_BYTES (1u << 20)
#define BLOCK_ALIGN      16u

/* --- the merged table ----------------------------------------------------------------------------
 */

struct def_list {
    struct arena *arena;
    struct opt_def *rows;
    size_t n, cap;
};

static void add_def(struct def_list *l, const struct opt_def *d, size_t shift)
{
    l->rows = arena_grow(l->arena, l->rows, l->n, &l->cap, sizeof(*l->rows));
    l->rows[l->n] = *d;
    l->rows[l->n].offset += shift;
    l->n++;
}

static bool is_end(const struct opt_def *d)
{
    return !d->key && !d->flag;
}

static bool same_name(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool replaces(const struct opt_def *own, const struct opt_def *common)
{
    for (const struct opt_def *d = own; d && !is_end(d); d++)
        if (same_name(d->flag, common->flag) || same_name(d->key, common->key))
            return true;
    return false;
}

bool command_ignores(const struct command *cmd, const struct opt_def *common)
{
    if (cmd->form && same_name(common->flag, "format"))
        return true;
    for (size_t i = 0; cmd->unused && cmd->unused[i]; i++)
        if (same_name(cmd->unused[i], common->flag))
            return true;
    return false;
}

static size_t align_up(size_t n)
{
    return (n + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

/* Common rows first. A replaced row keeps its key and default, but has no flag any more. */
static void add_common(struct def_list *l, const struct command *cmd)
{
    for (const struct opt_def *d = common_options; !is_end(d); d++) {
        struct opt_def row = *d;
        bool is_refused = cmd->form && same_name(d->flag, "format"); /* with a reason */
        if (replaces(cmd->options, d) || (command_ignores(cmd, d) && !is_refused)) {
            row.flag = NULL;
            row.letter = 0;
        }
        if (!is_end(&row))
            add_def(l, &row, 0);
    }
}

/* Another command's keys are known to the file but not to this command line. */
static void add_foreign_keys(struct def_list *l, const struct command *cmd, size_t shift)
{
    for (const struct opt_def *d = cmd->options; d && !is_end(d); d++) {
        struct opt_def row = *d;
        row.flag = NULL;
        row.letter = 0;
        if (row.key)
            add_def(l, &row, shift);
    }
}

enum status settings_defs(struct arena *a, const struct command *cmd, const struct opt_def **out,
                          size_t *block_size, size_t *options_offset, struct err *e)
{
    struct def_list l = {.arena = a};
    size_t size = align_up(sizeof(struct settings));

    UNUSED(e);
    *options_offset = size;
    add_common(&l, cmd);
    for (const struct opt_def *d = cmd->options; d && !is_end(d); d++)
        add_def(&l, d, size);
    size += align_up(cmd->options_size);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i] == cmd)
            continue;
        add_foreign_keys(&l, commands[i], size);
        size += align_up(commands[i]->options_size);
    }
    add_def(&l, &(struct opt_def){0}, 0);
    *out = l.rows;
    *block_size = size;
    return OK;
}

/* --- the layers ----------------------------------------------------------------------------------
 */

struct str settings_user_file(const struct cli *c)
{
    if (c->settings->config_path.n > 0)
        return c->settings->config_path;
    struct str dir = file_xdg(c->arena, "CONFIG");
    return arena_printf(c->arena, STR_FMT "/config.yaml", STR_ARG(dir));
}

static enum status apply_file(struct cli *c, const char *path, enum opt_origin origin,
                              struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = CONFIG_MAX_BYTES};
    struct yaml_node *root = NULL;

    if (file_read(path, &text, e) != OK)
        return err_wrap(e, "configuration");
    if (yaml_parse(c->arena, arena_str(c->arena, buf_str(&text)), path, &root, e) != OK)
        return e ? e->code : ERR_CONFIG;
    c->config_name = path;
    if (!root)
        return OK;
    if (opt_apply_yaml(c->set, root, path, origin, foreign_sections, e) != OK)
        return e ? e->code : ERR_CONFIG;
    c->config = root;
    return OK;
}

/* Flags come last, but the file's name must be known before the files are read, and the present
 * before any time that is told from it ("24h"). */
static struct str find_flag(int argc, char *const *argv, struct str flag)
{
    struct str value = {0};

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        struct str word = str_from(argv[i]);
        if (str_eq(word, flag) && i + 1 < argc)
            value = str_from(argv[i + 1]);
        else if (str_starts(word, flag) && word.n > flag.n && word.p[flag.n] == '=')
            value = str_skip(word, flag.n + 1);
    }
    return value;
}

static enum status apply_files(struct cli *c, struct err *e)
{
    bool is_explicit = c->settings->config_path.n > 0;
    const char *user = arena_strz(c->arena, settings_user_file(c));

    if (file_exists(SETTINGS_SYSTEM_FILE) &&
        apply_file(c, SETTINGS_SYSTEM_FILE, ORIGIN_SYSTEM_FILE, e) != OK)
        return e ? e->code : ERR_CONFIG;
    if (is_explicit && !file_exists(user))
        return err_set(e, ERR_CONFIG, "--config %s: there is no such file", user);
    if (is_explicit || file_exists(user))
        return apply_file(c, user, ORIGIN_USER_FILE, e);
    return OK;
}

/* The present: --clock, or SOURCE_DATE_EPOCH (reproducible-builds.org), or what the machine says.
 */
static enum status find_present(struct str flag, int64_t *fixed_ns, struct err *e)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    const struct clock system = clock_system();
    int64_t seconds;

    *fixed_ns = 0;
    if (flag.n > 0)
        return time_parse_human(flag, clock_now(&system), fixed_ns, e) == OK
                   ? OK
                   : err_wrap(e, "--clock");
    if (!epoch || !*epoch)
        return OK;
    if (!str_to_i64(str_from(epoch), &seconds) || seconds < 0 || seconds > INT64_MAX / NS_PER_SEC)
        return err_set(e, ERR_USAGE, "SOURCE_DATE_EPOCH is not a number of seconds: %s", epoch);
    *fixed_ns = seconds * NS_PER_SEC;
    return OK;
}

static void choose_color(struct cli *c)
{
    const char *no_color = getenv("NO_COLOR");
    bool is_off = c->settings->no_color || (no_color && *no_color) || c->settings->color == 2;

    c->use_color = !is_off && (c->settings->color == 1 || c->out_is_tty);
}

enum status settings_load(struct cli *c, int argc, char *const *argv, char *const *envp,
                          struct err *e)
{
    const struct opt_def *defs;
    size_t size, offset;
    int64_t fixed_ns;

    assert(c->command && argc >= 1);
    c->start = (struct cli_start){argc, argv, envp};
    c->words = (struct opt_list){0};
    if (settings_defs(c->arena, c->command, &defs, &size, &offset, e) != OK)
        return ERR_BUG;
    char *block = arena_zalloc(c->arena, 1, size);
    c->settings = (struct settings *)(void *)block;
    c->options = block + offset;
    c->set = arena_new(c->arena, struct opt_set, 1);
    if (find_present(find_flag(argc, argv, STR("--clock")), &fixed_ns, e) != OK)
        return ERR_USAGE;
    c->clock = fixed_ns ? clock_fixed(fixed_ns) : clock_system();
    if (opt_init(c->set, defs, block, c->arena, clock_now(&c->clock), e) != OK)
        return e ? e->code : ERR_BUG;
    c->settings->config_path = find_flag(argc, argv, STR("--config"));
    if (apply_files(c, e) != OK)
        return e ? e->code : ERR_CONFIG;
    if (opt_apply_env(c->set, envp, e) != OK ||
        opt_apply_argv(c->set, argc, argv, &c->words, e) != OK)
        return err_wrap(e, "%s", c->command->name);
    if (c->command->form && cli_own_form(c, c->command->name, c->command->form, e) != OK)
        return ERR_USAGE;
    c->settings->clock_ns = fixed_ns;
    choose_color(c);
    return OK;
}
