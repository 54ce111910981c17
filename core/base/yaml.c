/* libyaml's events to a tree with positions. */
#include "core/base/yaml.h"

#include <string.h>

#include <yaml.h>

#include "core/base/map.h"

#define MAX_BYTES ((size_t)1 << 20)
#define MAX_DEPTH 32

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *name;
    struct err *e;
};

static enum status at_mark(struct reader *r, yaml_mark_t mark, const char *what)
{
    return err_set(r->e, ERR_CONFIG, "%s:%zu:%zu: %s", r->name, mark.line + 1, mark.column + 1,
                   what);
}

static enum status parser_error(struct reader *r)
{
    const char *problem = r->parser.problem ? r->parser.problem : "not readable as YAML";

    if (strstr(problem, "cannot start any token"))
        problem = "a character that cannot stand here (tabs may not indent; quote text with "
                  "special characters)";
    return at_mark(r, r->parser.problem_mark, problem);
}

static enum status next_event(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? OK : parser_error(r);
}

static struct yaml_node *new_node(struct reader *r, enum yaml_type type, yaml_mark_t mark)
{
    struct yaml_node *n = arena_new(r->arena, struct yaml_node, 1);

    n->type = type;
    n->line = (unsigned)mark.line + 1;
    n->column = (unsigned)mark.column + 1;
    return n;
}

static struct str scalar_text(struct reader *r, const yaml_event_t *event)
{
    const char *p = (const char *)event->data.scalar.value;

    return arena_str(r->arena, (struct str){p, event->data.scalar.length});
}

/* Anchors and tags are refused by name: they hide what a file says. */
static enum status check_plain(struct reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return at_mark(r, event->start_mark, "aliases are not allowed: write the value out");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return at_mark(r, event->start_mark,
                       "anchors are not allowed: write the value out where it is used");
    return tag ? at_mark(r, event->start_mark, "tags are not allowed") : OK;
}

static enum status read_value(struct reader *r, const yaml_event_t *event, int depth,
                              struct yaml_node **out);

static enum status read_list(struct reader *r, struct yaml_node *list, int depth)
{
    struct yaml_node **tail = &list->child;

    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) != OK)
            return ERR_CONFIG;
        bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
        enum status s = is_end ? OK : read_value(r, &event, depth + 1, tail);
        yaml_event_delete(&event);
        if (is_end || s != OK)
            return s;
        tail = &(*tail)->next;
    }
}

/* One "key: value" whose key event is at hand. */
static enum status read_member(struct reader *r, const yaml_event_t *key, struct map *seen,
                               struct yaml_node **tail, int depth)
{
    yaml_event_t event;

    if (key->type != YAML_SCALAR_EVENT)
        return at_mark(r, key->start_mark, "a key must be plain text");
    struct str name = scalar_text(r, key);
    bool is_new;
    uint64_t *line = map_put(seen, name, &is_new);
    if (!is_new)
        return err_set(r->e, ERR_CONFIG,
                       "%s:%zu:%zu: \"" STR_FMT "\" stands here again, first in line %llu", r->name,
                       key->start_mark.line + 1, key->start_mark.column + 1, STR_ARG(name),
                       (unsigned long long)*line);
    *line = key->start_mark.line + 1;
    if (next_event(r, &event) != OK)
        return ERR_CONFIG;
    enum status s = read_value(r, &event, depth + 1, tail);
    yaml_event_delete(&event);
    if (s != OK)
        return s;
    (*tail)->key = name;
    (*tail)->line = (unsigned)key->start_mark.line + 1;
    (*tail)->column = (unsigned)key->start_mark.column + 1;
    return OK;
}

static enum status read_table(struct reader *r, struct yaml_node *table, int depth)
{
    AUTO(map_clear) struct map seen = {0}; /* keys and their lines */
    struct yaml_node **tail = &table->child;

    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) != OK)
            return ERR_CONFIG;
        bool is_end = event.type == YAML_MAPPING_END_EVENT;
        enum status s = is_end ? OK : check_plain(r, &event);
        if (!is_end && s == OK)
            s = read_member(r, &event, &seen, tail, depth);
        yaml_event_delete(&event);
        if (is_end || s != OK)
            return s;
        tail = &(*tail)->next;
    }
}

static enum status read_value(struct reader *r, const yaml_event_t *event, int depth,
                              struct yaml_node **out)
{
    enum status s = check_plain(r, event);

    if (s != OK)
        return s;
    if (depth > MAX_DEPTH)
        return at_mark(r, event->start_mark, "nested too deeply");
    if (event->type == YAML_SCALAR_EVENT) {
        *out = new_node(r, YAML_SCALAR, event->start_mark);
        (*out)->text = scalar_text(r, event);
        (*out)->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        return OK;
    }
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    *out = new_node(r, is_list ? YAML_LIST : YAML_TABLE, event->start_mark);
    return is_list ? read_list(r, *out, depth) : read_table(r, *out, depth);
}

/* Stream start, one document with one value, stream end. *root stays NULL for an empty stream. */
static enum status read_stream(struct reader *r, struct yaml_node **root)
{
    bool has_document = false;

    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) != OK)
            return ERR_CONFIG;
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        bool is_frame =
            event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT;
        enum status s = OK;
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            s = has_document
                    ? at_mark(r, event.start_mark, "only one document is allowed in a file")
                    : OK;
            has_document = true;
        } else if (!is_end && !is_frame) {
            s = read_value(r, &event, 0, root);
        }
        yaml_event_delete(&event);
        if (is_end || s != OK)
            return s;
    }
}

static bool says_nothing(const struct yaml_node *n)
{
    return n->type == YAML_SCALAR && n->is_plain && n->text.n == 0;
}

enum status yaml_parse(struct arena *a, struct str text, const char *name, struct yaml_node **root,
                       struct err *e)
{
    struct err local = {0};
    struct reader r = {.arena = a, .name = name, .e = e ? e : &local};
    struct yaml_node *tree = NULL;

    if (text.n > MAX_BYTES)
        return err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", name, MAX_BYTES);
    if (!yaml_parser_initialize(&r.parser))
        return err_set(e, ERR_BUG, "%s: the YAML reader cannot start", name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    enum status s = read_stream(&r, &tree);
    yaml_parser_delete(&r.parser);
    if (s != OK)
        return s;
    *root = tree && says_nothing(tree) ? NULL : tree;
    return OK;
}

const struct yaml_node *yaml_get(const struct yaml_node *table, struct str key)
{
    if (!table || table->type != YAML_TABLE)
        return NULL;
    for (const struct yaml_node *n = table->child; n; n = n->next)
        if (str_eq(n->key, key))
            return n;
    return NULL;
}
