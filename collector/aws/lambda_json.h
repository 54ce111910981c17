/* Inside of collector/aws/: the two halves of the JSON log format. app_json.c reads an object's
 * members; what is shaped like a platform record is handed to lambda_json.c. */
#ifndef FNSCOPE_COLLECTOR_AWS_LAMBDA_JSON_H
#define FNSCOPE_COLLECTOR_AWS_LAMBDA_JSON_H

#include "collector/aws/aws.h"

/* One platform record: its type ("platform.report"), its time and the raw text of its record (the
 * type may stand behind it). Fills kind, ids and platform of *rec; false, and *rec as it was: not
 * well-formed. */
bool aws_platform_json(struct str type, struct str time, struct str raw, struct log_record *rec,
                       struct batch *b);

#endif
