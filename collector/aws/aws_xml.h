/* Inside of collector/aws/: the few XML answers AWS still gives (STS, the Query protocol, errors):
 * elements found by their tags, entities undone. No document is built. Pure. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_XML_H
#define FNSCOPE_COLLECTOR_AWS_AWS_XML_H

#include "core/base/arena.h"

/* False when there is no such element, or it is not closed. */
bool aws_xml_text(struct str xml, const char *element, struct arena *a, struct str *out);
/* The five named entities undone. */
struct str aws_xml_unescape(struct str s, struct arena *a);
/* What stands inside the next element of the name, as it is; elements of the same name inside are
 * part of it. *rest moves behind it. False: there is none, or it is not closed. */
bool aws_xml_next(struct str *rest, const char *element, struct str *inner);

#endif
