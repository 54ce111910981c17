/* The option table at work: one row per setting, read from files, environment and flags. What a
 * type means is in opt_types; everything else walks rows. Help, mdoc and completion are in
 * opt_help.c. */
#include "core/base/opt.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/opt_types.h"

static bool is_end(const struct opt_def *d)
{
    return !d->key && !d->flag;
}

static void *field_of(const struct opt_set *set, size_t i)
{
    return (char *)set->target + set->defs[i].offset;
}

/* --- setting a value --- */

static enum status set_value(struct opt_set *set, size_t i, struct str text, struct err *e)
{
    const struct opt_value_ctx ctx = {set->arena, set->now_ns};

    return opt_types[set->defs[i].type].parse(&ctx, &set->defs[i], text, field_of(set, i), e);
}

static void note_origin(struct opt_set *set, size_t i, enum opt_origin origin, struct str place)
{
    set->origins[i] = origin;
    set->places[i] = place;
}

enum status opt_init(struct opt_set *set, const struct opt_def *defs, void *target,
                     struct arena *arena, int64_t now_ns, struct err *e)
{
    size_t n = 0;

    while (!is_end(&defs[n]))
        n++;
    *set = (struct opt_set){.defs = defs, .target = target, .arena = arena, .now_ns = now_ns};
    set->origins = arena_new(arena, enum opt_origin, n + 1);
    set->places = arena_new(arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++)
        if (defs[i].default_text && set_value(set, i, str_from(defs[i].default_text), e) != OK)
            return err_wrap(e, "default of %s", defs[i].key ? defs[i].key : defs[i].flag);
    return OK;
}

enum opt_origin opt_origin_of(const struct opt_set *set, const void *field)
{
    for (size_t i = 0; !is_end(&set->defs[i]); i++)
        if (field_of(set, i) == field && set->origins[i] != ORIGIN_DEFAULT)
            return set->origins[i];
    return ORIGIN_DEFAULT;
}

bool opt_is_set(const struct opt_set *set, const void *field)
{
    return opt_origin_of(set, field) != ORIGIN_DEFAULT;
}

/* A list given by a stronger source replaces the weaker one's; given again by the same source it
 * grows. */
static void begin_list(struct opt_set *set, size_t i, enum opt_origin origin)
{
    if (set->defs[i].type == OPT_LIST && set->origins[i] != origin)
        memset(field_of(set, i), 0, sizeof(struct opt_list));
}

/* --- suggestions --- */

#define LONGEST_WORD 64

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein distance of two short words; one row of the matrix at a time. */
static size_t distance(struct str a, struct str b)
{
    size_t row[LONGEST_WORD + 1];

    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = above;
        }
    }
    return row[b.n];
}

/* Two neighbours changed places: the commonest slip, and two edits. */
static bool is_swap(struct str a, struct str b)
{
    size_t i = 0;

    if (a.n != b.n)
        return false;
    while (i < a.n && a.p[i] == b.p[i])
        i++;
    return i + 1 < a.n && a.p[i] == b.p[i + 1] && a.p[i + 1] == b.p[i] &&
           str_eq(str_skip(a, i + 2), str_skip(b, i + 2));
}

struct str opt_suggest(struct str word, const char *const *candidates)
{
    struct str best = {0};
    size_t best_distance = SIZE_MAX;

    for (; word.n <= LONGEST_WORD && *candidates; candidates++) {
        struct str c = str_from(*candidates);
        if (c.n > LONGEST_WORD)
            continue;
        size_t d = distance(word, c);
        if (d < best_distance && (d <= (c.n + 2) / 3 || is_swap(word, c))) {
            best = c;
            best_distance = d;
        }
    }
    return best;
}

static struct str suggest_name(const struct opt_set *set, struct str word, bool is_flag)
{
    const char **names;
    size_t n = 0, k = 0;

    while (!is_end(&set->defs[n]))
        n++;
    names = arena_new(set->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const char *name = is_flag ? set->defs[i].flag : set->defs[i].key;
        if (name)
            names[k++] = name;
    }
    return opt_suggest(word, names);
}

/* --- configuration files --- */

struct yaml_walk {
    struct opt_set *set;
    const char *name;
    enum opt_origin origin;
    const char *const *foreign;
    struct err *e;
};

static bool find_key(const struct opt_set *set, struct str key, size_t *at)
{
    for (size_t i = 0; !is_end(&set->defs[i]); i++)
        if (set->defs[i].key && str_eq(key, str_from(set->defs[i].key))) {
            *at = i;
            return true;
        }
    return false;
}

/* Is there a key below this section? */
static bool is_section(const struct opt_set *set, struct str path)
{
    for (size_t i = 0; !is_end(&set->defs[i]); i++) {
        struct str key = str_from(set->defs[i].key);
        if (key.n > path.n && str_starts(key, path) && key.p[path.n] == '.')
            return true;
    }
    return false;
}

static size_t count_dots(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '.';
    return n;
}

/* The first parts of a key, as many as the path has: "store" of store.url. */
static const char *section_of(const struct yaml_walk *w, const char *key, size_t dots)
{
    struct str rest = str_from(key);

    for (size_t i = 0; i <= dots; i++)
        str_cut(&rest, '.');
    size_t used = strlen(key) - rest.n - (rest.n > 0);
    return arena_strz(w->set->arena, (struct str){key, used});
}

/* Keys and sections of the path's own level, and at the top what belongs to others. */
static struct str suggest_key(const struct yaml_walk *w, struct str path)
{
    size_t n = 0, k = 0, dots = count_dots(path);
    const char *const *foreign = w->foreign;

    while (!is_end(&w->set->defs[n]))
        n++;
    while (w->foreign[k])
        k++;
    const char **names = arena_new(w->set->arena, const char *, n + k + 1);
    k = 0;
    for (size_t i = 0; i < n; i++)
        if (w->set->defs[i].key)
            names[k++] = section_of(w, w->set->defs[i].key, dots);
    for (; dots == 0 && *foreign; foreign++)
        names[k++] = *foreign;
    struct str near = opt_suggest(path, names);
    return near.n > 0 ? near : suggest_name(w->set, path, false);
}

static enum status unknown_key(const struct yaml_walk *w, struct str path,
                               const struct yaml_node *n)
{
    struct str near = suggest_key(w, path);

    if (near.n > 0)
        return err_set(w->e, ERR_CONFIG,
                       "%s:%u:%u: unknown key \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?",
                       w->name, n->line, n->column, STR_ARG(path), STR_ARG(near));
    return err_set(w->e, ERR_CONFIG,
                   "%s:%u:%u: unknown key \"" STR_FMT "\"; the manual page lists the known ones",
                   w->name, n->line, n->column, STR_ARG(path));
}

static enum status apply_scalar(const struct yaml_walk *w, size_t i, struct str text,
                                const struct yaml_node *n)
{
    if (set_value(w->set, i, text, w->e) != OK)
        return err_set(w->e, ERR_CONFIG, "%s:%u:%u: %s: %s", w->name, n->line, n->column,
                       w->set->defs[i].key, arena_strz(w->set->arena, str_from(w->e->msg)));
    note_origin(w->set, i, w->origin,
                arena_printf(w->set->arena, "%s:%u:%u", w->name, n->line, n->column));
    return OK;
}

static enum status apply_node(const struct yaml_walk *w, size_t i, const struct yaml_node *n)
{
    bool is_list = w->set->defs[i].type == OPT_LIST;

    if (n->type == YAML_TABLE || (n->type == YAML_LIST && !is_list))
        return err_set(w->e, ERR_CONFIG, "%s:%u:%u: %s takes %s", w->name, n->line, n->column,
                       w->set->defs[i].key, is_list ? "a list" : "one value");
    begin_list(w->set, i, w->origin);
    if (n->type == YAML_SCALAR)
        return apply_scalar(w, i, n->text, n);
    for (const struct yaml_node *item = n->child; item; item = item->next) {
        if (item->type != YAML_SCALAR)
            return err_set(w->e, ERR_CONFIG, "%s:%u:%u: %s: an item must be one value", w->name,
                           item->line, item->column, w->set->defs[i].key);
        if (apply_scalar(w, i, item->text, item) != OK)
            return w->e->code;
    }
    return OK;
}

static enum status walk_table(const struct yaml_walk *w, const struct yaml_node *table,
                              struct str prefix)
{
    for (const struct yaml_node *n = table->child; n; n = n->next) {
        struct str path = prefix.n ? arena_printf(w->set->arena, STR_FMT "." STR_FMT,
                                                  STR_ARG(prefix), STR_ARG(n->key))
                                   : n->key;
        size_t i;
        enum status s;
        if (find_key(w->set, path, &i))
            s = apply_node(w, i, n);
        else if (n->type == YAML_TABLE && is_section(w->set, path))
            s = walk_table(w, n, path);
        else if (is_section(w->set, path))
            s = err_set(w->e, ERR_CONFIG,
                        "%s:%u:%u: " STR_FMT ": keys with values are expected here", w->name,
                        n->line, n->column, STR_ARG(path));
        else
            s = unknown_key(w, path, n);
        if (s != OK)
            return s;
    }
    return OK;
}

static bool is_foreign(struct str key, const char *const *foreign)
{
    for (; *foreign; foreign++)
        if (str_eq(key, str_from(*foreign)))
            return true;
    return false;
}

enum status opt_apply_yaml(struct opt_set *set, const struct yaml_node *root, const char *name,
                           enum opt_origin origin, const char *const *foreign, struct err *e)
{
    struct err local = {0};
    struct yaml_walk w = {set, name, origin, foreign, e ? e : &local};

    if (root->type != YAML_TABLE)
        return err_set(e, ERR_CONFIG, "%s:%u:%u: \"key: value\" lines are expected here", name,
                       root->line, root->column);
    for (const struct yaml_node *n = root->child; n; n = n->next) {
        struct yaml_node one = {.type = YAML_TABLE};
        struct yaml_node copy = *n;
        if (is_foreign(n->key, foreign))
            continue;
        copy.next = NULL;
        one.child = &copy;
        enum status s = walk_table(&w, &one, (struct str){0});
        if (s != OK)
            return s;
    }
    return OK;
}

/* --- environment --- */

/* store.url -> FNSCOPE_STORE_URL= */
static bool is_variable_of(struct str variable, const char *key)
{
    struct str prefix = STR("FNSCOPE_");
    struct str name = str_skip(variable, prefix.n);

    if (!str_starts(variable, prefix) || name.n <= strlen(key) || name.p[strlen(key)] != '=')
        return false;
    for (size_t i = 0; key[i]; i++) {
        char want = key[i] >= 'a' && key[i] <= 'z' ? (char)(key[i] - 'a' + 'A')
                    : key[i] == '.'                ? '_'
                                                   : key[i];
        if (name.p[i] != want)
            return false;
    }
    return true;
}

static enum status apply_variable(struct opt_set *set, size_t i, struct str variable, struct err *e)
{
    size_t eq = str_find_char(variable, '=');
    struct str name = str_sub(variable, 0, eq), rest = str_skip(variable, eq + 1);

    begin_list(set, i, ORIGIN_ENV);
    if (set->defs[i].type != OPT_LIST) {
        if (set_value(set, i, rest, e) != OK)
            return err_wrap(e, STR_FMT, STR_ARG(name));
    }
    while (set->defs[i].type == OPT_LIST && rest.n > 0)
        if (set_value(set, i, str_cut(&rest, ','), e) != OK)
            return err_wrap(e, STR_FMT, STR_ARG(name));
    note_origin(set, i, ORIGIN_ENV, arena_str(set->arena, name));
    return OK;
}

enum status opt_apply_env(struct opt_set *set, char *const *envp, struct err *e)
{
    for (; envp && *envp; envp++) {
        struct str variable = str_from(*envp);
        if (!str_starts(variable, STR("FNSCOPE_")))
            continue;
        for (size_t i = 0; !is_end(&set->defs[i]); i++) {
            if (!set->defs[i].key || !is_variable_of(variable, set->defs[i].key))
                continue;
            enum status s = apply_variable(set, i, variable, e);
            if (s != OK)
                return s;
        }
    }
    return OK;
}

/* --- command line --- */

struct argv_walk {
    struct opt_set *set;
    int argc, at;
    char *const *argv;
    struct err *e;
};

static bool find_flag(const struct opt_set *set, struct str flag, size_t *at)
{
    for (size_t i = 0; !is_end(&set->defs[i]); i++)
        if (set->defs[i].flag && str_eq(flag, str_from(set->defs[i].flag))) {
            *at = i;
            return true;
        }
    return false;
}

static bool find_letter(const struct opt_set *set, char letter, size_t *at)
{
    for (size_t i = 0; !is_end(&set->defs[i]); i++)
        if (set->defs[i].letter == letter && set->defs[i].flag) {
            *at = i;
            return true;
        }
    return false;
}

static enum status apply_flag(const struct argv_walk *w, size_t i, struct str value)
{
    begin_list(w->set, i, ORIGIN_FLAG);
    if (set_value(w->set, i, value, w->e) != OK)
        return err_set(w->e, ERR_USAGE, "--%s: %s", w->set->defs[i].flag,
                       arena_strz(w->set->arena, str_from(w->e->msg)));
    note_origin(w->set, i, ORIGIN_FLAG, arena_printf(w->set->arena, "--%s", w->set->defs[i].flag));
    return OK;
}

/* The value of an option that takes one: what stands behind "=", or the next word. */
static enum status flag_value(struct argv_walk *w, size_t i, struct str attached, bool is_attached)
{
    if (is_attached)
        return apply_flag(w, i, attached);
    if (w->at + 1 >= w->argc)
        return err_set(w->e, ERR_USAGE, "--%s needs a value", w->set->defs[i].flag);
    w->at++;
    return apply_flag(w, i, str_from(w->argv[w->at]));
}

static enum status unknown_flag(const struct argv_walk *w, struct str name)
{
    struct str near = suggest_name(w->set, name, true);

    if (near.n > 0)
        return err_set(w->e, ERR_USAGE, "unknown option --" STR_FMT "; did you mean --" STR_FMT "?",
                       STR_ARG(name), STR_ARG(near));
    return err_set(w->e, ERR_USAGE, "unknown option --" STR_FMT, STR_ARG(name));
}

static enum status long_flag(struct argv_walk *w, struct str word)
{
    bool is_attached = str_find_char(word, '=') < word.n;
    struct str value = word, name = str_cut(&value, '=');
    size_t i;

    if (find_flag(w->set, name, &i)) {
        if (w->set->defs[i].type != OPT_BOOL)
            return flag_value(w, i, value, is_attached);
        return apply_flag(w, i, is_attached ? value : STR("true"));
    }
    if (str_starts(name, STR("no-")) && find_flag(w->set, str_skip(name, 3), &i) &&
        w->set->defs[i].type == OPT_BOOL && !is_attached)
        return apply_flag(w, i, STR("false"));
    return unknown_flag(w, name);
}

/* "-qv" are two letters, "-n5" is one with its value. */
static enum status letters(struct argv_walk *w, struct str word)
{
    for (size_t k = 0; k < word.n; k++) {
        size_t i;
        if (!find_letter(w->set, word.p[k], &i))
            return err_set(w->e, ERR_USAGE, "unknown option -%c", word.p[k]);
        if (w->set->defs[i].type != OPT_BOOL) {
            struct str rest = str_skip(word, k + 1);
            if (str_starts(rest, STR("=")))
                rest = str_skip(rest, 1);
            return flag_value(w, i, rest, k + 1 < word.n);
        }
        if (apply_flag(w, i, STR("true")) != OK)
            return w->e->code;
    }
    return OK;
}

static void add_word(struct opt_set *set, struct opt_list *words, size_t *cap, struct str word)
{
    words->items = arena_grow(set->arena, words->items, words->count, cap, sizeof(*words->items));
    words->items[words->count++] = word;
}

enum status opt_apply_argv(struct opt_set *set, int argc, char *const *argv, struct opt_list *words,
                           struct err *e)
{
    struct err local = {0};
    struct argv_walk w = {.set = set, .argc = argc, .argv = argv, .e = e ? e : &local};
    bool only_words = false;
    size_t cap = 0;

    *words = (struct opt_list){0};
    for (w.at = 1; w.at < argc; w.at++) {
        struct str word = str_from(argv[w.at]);
        enum status s = OK;
        if (only_words || word.n < 2 || word.p[0] != '-')
            add_word(set, words, &cap, word);
        else if (str_eq(word, STR("--")))
            only_words = true;
        else
            s = word.p[1] == '-' ? long_flag(&w, str_skip(word, 2))
                                 : letters(&w, str_skip(word, 1));
        if (s != OK)
            return s;
    }
    return OK;
}

void opt_value_text(struct buf *out, const struct opt_set *set, size_t i)
{
    opt_types[set->defs[i].type].print(&set->defs[i], field_of(set, i), out);
}
