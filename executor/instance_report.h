/* Private to executor/instance*.c: what is written about an environment and its invocations. */
#ifndef FNSCOPE_EXECUTOR_INSTANCE_REPORT_H
#define FNSCOPE_EXECUTOR_INSTANCE_REPORT_H

#include "executor/instance.h"

struct platform_facts report_facts(const struct instance *in);
void report_line(struct instance *in, enum platform_line kind, const struct platform_facts *f);
void report_init_end(struct instance *in, const char *status, struct str error_type);
void report_end(struct instance *in); /* of in->run: END and REPORT */
/* {"errorType":T,"errorMessage":"RequestId: R Error: M"} becomes the answer. */
void report_platform_error(struct run *r, const char *type, struct str message);
/* The same for a process that ended: in->end says how. */
void report_exit_error(struct instance *in);

#endif
