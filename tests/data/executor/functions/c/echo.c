/* Answers with its event. */
#include "fnexec_runtime.h"

static int handle(const struct fnexec_event *in, struct fnexec_answer *out)
{
    if (in->size >= 6 && memcmp(in->data, "\"fail\"", 6) == 0)
        return fnexec_answer_set(out, "as asked", 8) + 1;
    printf("event of %s\n", in->request_id);
    return fnexec_answer_set(out, in->data, in->size);
}

int main(void)
{
    return fnexec_run(handle);
}
