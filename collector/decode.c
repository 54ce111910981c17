/* The list of decoders, detection by content, and the dispatch of one event to its provider. */
#include "collector/decode.h"

#include <stddef.h>

#include "collector/aws/aws.h"
#include "collector/generic/generic.h"

/* In the order of preference where two are equally sure. */
const struct decoder_ops *const decoders[] = {
    &aws_cloudwatch_json, &aws_subscription, &aws_tail_text, &generic_ndjson, &generic_text, NULL,
};

const struct decoder_ops *decoder_detect(struct str head)
{
    const struct decoder_ops *best = &generic_text;
    int sure = 0;

    for (size_t i = 0; decoders[i] != NULL; i++) {
        int here = decoders[i]->accepts(head);
        if (here <= sure)
            continue;
        sure = here;
        best = decoders[i];
    }
    return best;
}

const struct decoder_ops *decoder_find(struct str name)
{
    for (size_t i = 0; decoders[i] != NULL; i++)
        if (str_eq(name, str_from(decoders[i]->name)))
            return decoders[i];
    return NULL;
}

/* Lambda is the only provider whose lines are read so far; its reader leaves text it does not know
 * alone, so it serves every origin. */
void decode_event(struct decode_memo *before, struct log_record *r, struct batch *out)
{
    aws_decode_lambda(before, r, out);
}
