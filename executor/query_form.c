/* Forms to JSON and JSON to XML. */
#include "executor/query_form.h"

#include "core/base/jsonpull.h"

#define MAX_DEPTH    12
#define MAX_CHILDREN 2048

static const struct query_name *find_json(const struct query_name *names, const char *op,
                                          struct str key)
{
    for (const struct query_name *n = names; n->json; n++)
        if (str_eq(str_from(n->json), key) && (!n->op || str_eq(str_from(n->op), str_from(op))))
            return n;
    return NULL;
}

static const struct query_name *find_query(const struct query_name *names, const char *op,
                                           struct str key)
{
    for (const struct query_name *n = names; n->json; n++)
        if (str_eq(str_from(n->query), key) && (!n->op || str_eq(str_from(n->op), str_from(op))))
            return n;
    return NULL;
}

static const char *key_name(enum query_kind kind)
{
    return kind == QUERY_MAP_KEY ? "Key" : "Name";
}

/* --- form to JSON --- */

struct node {
    struct str name, value;
    bool has_value, is_index;
    int64_t index;
    struct node *child, *last, *next;
    size_t n_children;
};

struct form {
    struct arena *arena;
    const struct query_name *names;
    const char *op;
    struct json_out out;
};

/* A client sends an entry's fields one after the other: the last child is the likely one. */
static struct node *child_of(struct form *f, struct node *parent, struct str name)
{
    if (parent->last && str_eq(parent->last->name, name))
        return parent->last;
    for (struct node *n = parent->child; n; n = n->next)
        if (str_eq(n->name, name))
            return n;
    if (parent->n_children == MAX_CHILDREN)
        return NULL;
    struct node *n = arena_new(f->arena, struct node, 1);
    n->name = name;
    n->is_index = str_to_i64(name, &n->index);
    *(parent->last ? &parent->last->next : &parent->child) = n;
    parent->last = n;
    parent->n_children++;
    return n;
}

static enum status insert_param(struct form *f, struct node *root, const struct api_param *p,
                                struct err *e)
{
    struct str path = p->name;
    struct node *n = root;

    for (unsigned depth = 0; path.n > 0; depth++) {
        n = depth < MAX_DEPTH ? child_of(f, n, str_cut(&path, '.')) : NULL;
        if (!n)
            return err_set(e, ERR_LIMIT, "parameter " STR_FMT ": too many or too deep",
                           STR_ARG(p->name));
    }
    n->value = p->value;
    n->has_value = true;
    return OK;
}

static void emit_node(struct form *f, const struct node *n);

static const struct node *find_child(const struct node *n, const char *name)
{
    for (const struct node *c = n->child; c; c = c->next)
        if (str_eq(c->name, str_from(name)))
            return c;
    return NULL;
}

/* A NUL would end the key: no key may hold one, nor any other of its kind, and so it is refused. */
static const char *key_text(struct form *f, struct str key)
{
    char *text = arena_strz(f->arena, key);

    for (size_t i = 0; i < key.n; i++)
        text[i] = text[i] ? text[i] : '\x01';
    return text;
}

static void emit_map(struct form *f, const struct node *list, enum query_kind kind)
{
    jout_open(&f->out, '{');
    for (const struct node *c = list->child; c; c = c->next) {
        const struct node *key = find_child(c, key_name(kind)), *value = find_child(c, "Value");
        if (!key)
            continue;
        jout_key(&f->out, key_text(f, key->value));
        if (value)
            emit_node(f, value);
        else
            jout_str(&f->out, STR(""));
    }
    jout_close(&f->out, '}');
}

/* In the order of their numbers, which is nearly always the order they came in. */
static void emit_list(struct form *f, const struct node *list)
{
    int64_t after = INT64_MIN;

    jout_open(&f->out, '[');
    for (size_t i = 0; i < list->n_children; i++) {
        const struct node *next = NULL;
        for (const struct node *c = list->child; c; c = c->next)
            if (c->index > after && (!next || c->index < next->index)) {
                next = c;
                if (c->index == after + 1)
                    break;
            }
        if (!next)
            break;
        after = next->index;
        emit_node(f, next);
    }
    jout_close(&f->out, ']');
}

static bool is_list(const struct node *n)
{
    for (const struct node *c = n->child; c; c = c->next)
        if (!c->is_index)
            return false;
    return n->child != NULL;
}

static void emit_object(struct form *f, const struct node *n)
{
    jout_open(&f->out, '{');
    for (const struct node *c = n->child; c; c = c->next) {
        const struct query_name *row = is_list(c) ? find_query(f->names, f->op, c->name) : NULL;
        jout_key(&f->out, row ? row->json : arena_strz(f->arena, c->name));
        if (row && row->kind != QUERY_LIST)
            emit_map(f, c, row->kind);
        else
            emit_node(f, c);
    }
    jout_close(&f->out, '}');
}

static void emit_node(struct form *f, const struct node *n)
{
    if (!n->child)
        jout_str(&f->out, n->value);
    else if (is_list(n))
        emit_list(f, n);
    else if (n->n_children == 1 && str_eq(n->child->name, STR("member")))
        emit_list(f, n->child);
    else
        emit_object(f, n);
}

enum status query_to_json(const struct query_fields *fields, const struct query_name *names,
                          struct arena *a, struct buf *out, struct err *e)
{
    struct form f = {.arena = a, .names = names, .op = fields->op};
    struct node root = {0};

    for (size_t i = 0; i < fields->n; i++) {
        enum status s = insert_param(&f, &root, &fields->params[i], e);
        if (s != OK)
            return s;
    }
    jout_init(&f.out, out, false);
    emit_object(&f, &root);
    return buf_check(out, "the request", e);
}

/* --- JSON to XML --- */

struct xml {
    struct jp j;
    const struct query_name *names;
    const char *op;
    struct arena *arena;
    struct buf *out;
};

static void write_content(struct xml *x, const struct query_name *row);

static void write_scalar(struct xml *x, enum jp_type type)
{
    struct str text = {0};

    if (type == JP_STRING)
        jp_string(&x->j, &text);
    else
        jp_raw(&x->j, &text);
    if (type != JP_NULL)
        api_xml_text(x->out, text);
}

static void write_element(struct xml *x, const char *name)
{
    buf_addf(x->out, "<%s>", name);
    write_content(x, NULL);
    buf_addf(x->out, "</%s>", name);
}

static void write_map_entry(struct xml *x, const struct query_name *row, struct str key)
{
    if (row->kind == QUERY_MAP_ENTRY) {
        buf_add_z(x->out, "<entry>");
        api_xml_element(x->out, "key", key);
        write_element(x, "value");
        buf_add_z(x->out, "</entry>");
        return;
    }
    buf_addf(x->out, "<%s>", row->query);
    api_xml_element(x->out, key_name(row->kind), key);
    write_element(x, "Value");
    buf_addf(x->out, "</%s>", row->query);
}

static void write_list(struct xml *x, const struct query_name *row)
{
    if (jp_enter(&x->j, '['))
        while (jp_element(&x->j))
            write_element(x, row ? row->query : "member");
}

static void write_member(struct xml *x, struct str key)
{
    const struct query_name *row = find_json(x->names, x->op, key);
    const char *name = arena_strz(x->arena, key);
    bool is_flat = row && jp_peek(&x->j) == (row->kind == QUERY_LIST ? JP_ARRAY : JP_OBJECT);

    if (!is_flat) {
        write_element(x, name);
        return;
    }
    if (row->kind == QUERY_MAP_ENTRY)
        buf_addf(x->out, "<%s>", name);
    write_content(x, row);
    if (row->kind == QUERY_MAP_ENTRY)
        buf_addf(x->out, "</%s>", name);
}

static void write_content(struct xml *x, const struct query_name *row)
{
    enum jp_type type = jp_peek(&x->j);
    struct str member;

    if (type == JP_ARRAY) {
        write_list(x, row);
    } else if (type != JP_OBJECT) {
        write_scalar(x, type);
    } else if (jp_enter(&x->j, '{')) {
        while (jp_member(&x->j, &member))
            if (row)
                write_map_entry(x, row, member);
            else
                write_member(x, member);
    }
}

enum status query_from_json(struct str json, const struct query_name *names, const char *op,
                            struct arena *a, struct buf *out, struct err *e)
{
    struct xml x = {.names = names, .op = op, .arena = a, .out = out};

    jp_init(&x.j, json, a);
    write_content(&x, NULL);
    if (x.j.error)
        return err_set(e, ERR_BUG, "answer of %s: %s", op, x.j.error);
    return buf_check(out, "the answer", e);
}

/* --- for handlers --- */

#define MAX_INPUT_BYTES ((size_t)16 << 20)

const struct json *api_input(struct api_call *c, const struct query_name *names)
{
    AUTO(buf_clear) struct buf text = {0};
    struct err e;

    if (c->input || c->protocol != API_QUERY)
        return c->input;
    buf_init(&text, MAX_INPUT_BYTES);
    const struct query_fields fields = {c->params, c->n_params, c->op->name};
    if (query_to_json(&fields, names, c->arena, &text, &e) != OK ||
        json_parse(buf_str(&text), &c->doc, &e) != OK) {
        api_error(c, 400, "MalformedQueryString", "MalformedQueryString", "%s", e.msg);
        return NULL;
    }
    c->input = json_root(c->doc);
    return c->input;
}

void api_output(struct api_call *c, const struct query_name *names)
{
    struct err e;

    if (c->protocol != API_QUERY)
        return;
    struct buf json = c->out;
    buf_init(&c->out, json.max);
    enum status s = query_from_json(buf_str(&json), names, c->op->name, c->arena, &c->out, &e);
    buf_clear(&json);
    if (s != OK)
        api_error(c, 500, "InternalFailure", NULL, "%s", e.msg);
}
