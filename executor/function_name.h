/* The ways to name a function in a call (API model 2015-03-31, FunctionName). Pure.
 *
 *     name                                            in this account and region
 *     123456789012:function:name                      partial ARN
 *     arn:aws:lambda:REGION:123456789012:function:name
 *
 * each with ":qualifier" behind it or without. */
#ifndef FNSCOPE_EXECUTOR_FUNCTION_NAME_H
#define FNSCOPE_EXECUTOR_FUNCTION_NAME_H

#include "core/base/str.h"

struct function_name {
    struct str region, account; /* empty: this one's */
    struct str name, qualifier; /* qualifier empty: none said */
};

/* What AWS's messages give as the rule. */
#define FUNCTION_NAME_PATTERN                                                                      \
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?"    \
    "(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
#define FUNCTION_QUALIFIER_PATTERN   "\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
#define FUNCTION_QUALIFIER_MAX_CHARS 128

/* False for what names no function; views into `text`. */
bool function_name_parse(struct str text, struct function_name *out);
/* $LATEST, a version or an alias, by its characters; its length is another rule. */
bool function_qualifier_is_valid(struct str text);

#endif
