/* Inside of collector/aws/: segment documents of X-Ray. Pure. */
#ifndef FNSCOPE_COLLECTOR_AWS_XRAY_SEGMENTS_H
#define FNSCOPE_COLLECTOR_AWS_XRAY_SEGMENTS_H

#include "core/model/batch.h"

/* Adds the spans of one document, which is a segment or a lone subsegment with all below it. `of`
 * says account and region; the function is read from the document. False: damaged, nothing was
 * added. Views point into the batch's arena or the document. */
bool xray_segment(struct str document, struct str trace_id, const struct fn_ref *of,
                  struct batch *b);

#endif
