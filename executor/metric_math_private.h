/* Between metric_math.c (text to tree) and metric_math_ops.c (what operators and functions do). */
#ifndef FNSCOPE_EXECUTOR_METRIC_MATH_PRIVATE_H
#define FNSCOPE_EXECUTOR_METRIC_MATH_PRIVATE_H

#include "executor/metric_math.h"

#define MATH_MAX_ARGS 3

/* What a part of an expression is; known before there is a value. */
enum math_kind { MATH_NUMBER, MATH_SERIES, MATH_LIST, MATH_WORD };

struct math_op;
struct math_node {
    const struct math_op *op; /* NULL: a leaf */
    enum math_kind kind;
    double number;
    struct str word;    /* REPEAT, LINEAR */
    size_t query;       /* of a series */
    const bool *wanted; /* of a list: by query */
    size_t n_wanted;
    const struct math_node *args[MATH_MAX_ARGS];
    size_t n_args;
};

struct math {
    const struct math_node *root;
};

/* A value while it is worked with: a number, a series, or the series of a list. */
struct math_value {
    enum math_kind kind;
    double number;
    struct math_series series;
    struct math_series *list;
    size_t n_list;
};

typedef double two_fn(double a, double b);
typedef double one_fn(double a);
typedef struct math_value math_fn(const struct math_values *v, const struct math_node *n,
                                  const struct math_value *args);

struct math_op {
    const char *name;
    size_t least, most; /* arguments */
    /* What it gives for arguments of these kinds; false: it does not take them. */
    bool (*kind)(const struct math_node *const *args, size_t n, enum math_kind *out);
    math_fn *run; /* NULL: point by point, by one of the next two */
    two_fn *two;
    one_fn *one;
    bool is_mean;
};

const struct math_op *math_operator(struct str symbol); /* of two sides */
const struct math_op *math_function(struct str name);   /* in capitals; NULL: none */
struct math_value math_evaluate(const struct math_values *v, const struct math_node *n);

#endif
