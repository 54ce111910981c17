/* Inside of collector/aws/: which labels the platform lines of the Text log format have. Tables
 * only; sources: Lambda's guide ("Configuring JSON and plain text log formats") and lines seen. */
#ifndef FNSCOPE_COLLECTOR_AWS_LAMBDA_LABELS_H
#define FNSCOPE_COLLECTOR_AWS_LAMBDA_LABELS_H

#include "core/model/record.h"

/* VALUE_NAME is a word, which only tabs around it allow blanks. */
enum value_type { VALUE_MS, VALUE_MB, VALUE_WORD, VALUE_NAME, VALUE_TEXT, VALUE_LIST, VALUE_BOOL };

struct label {
    struct str name;
    size_t offset; /* of the member of struct platform_event */
    enum value_type type;
    unsigned has; /* enum platform_has */
};

struct line_kind {
    struct str head; /* the line's first word and its blank or tab */
    enum platform_kind kind;
    bool has_id;            /* "RequestId: <uuid>" follows */
    bool is_open;           /* unknown labels are kept: AWS announces that the line may grow */
    bool is_distinct;       /* nothing but a platform line begins so: others are forgeries */
    unsigned char required; /* this many labels from the start of the table must be there */
    unsigned char n;
    const struct label *labels;
};

/* By the first word and the blank or tab behind it; NULL: no line with labels. */
const struct line_kind *lambda_line_kind(struct str line);

#endif
