/* Inside of collector/aws/: the few XML answers AWS still gives (STS, errors): text of the first
 * element of a name, entities undone. No document is built. Pure. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_XML_H
#define FNSCOPE_COLLECTOR_AWS_AWS_XML_H

#include "core/base/arena.h"

/* False when there is no such element, or it is not closed. */
bool aws_xml_text(struct str xml, const char *element, struct arena *a, struct str *out);

#endif
