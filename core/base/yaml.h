/* YAML through libyaml into a tree that keeps line and column of every node. Aliases, anchors,
 * tags, duplicate keys and several documents are errors; scalars stay text. JSON is accepted as it
 * is. */
#ifndef FNSCOPE_CORE_BASE_YAML_H
#define FNSCOPE_CORE_BASE_YAML_H

#include "core/base/arena.h"
#include "core/base/err.h"

enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_TABLE };

struct yaml_node {
    enum yaml_type type;
    struct str key;        /* in a table */
    struct str text;       /* of a scalar */
    bool is_plain;         /* scalar without quotes: null, ~ and empty mean "not set" */
    unsigned line, column; /* from 1 */
    struct yaml_node *child, *next;
};

/* name is for messages: "config.yaml:12:3: ...". The tree lives in the arena; *root is NULL for a
 * text that says nothing. */
MUST_CHECK enum status yaml_parse(struct arena *a, struct str text, const char *name,
                                  struct yaml_node **root, struct err *e);
const struct yaml_node *yaml_get(const struct yaml_node *table, struct str key);

#endif
