/* Adds up the numbers of its event: {"line": [1, 2, 3]} gives {"sum": 6, "count": 3}. */
#include <ctype.h>

#include "fnexec_runtime.h"

static int handle(const struct fnexec_event *in, struct fnexec_answer *out)
{
    long long sum = 0, count = 0, value = 0;
    int in_number = 0, sign = 1;
    char text[96];

    for (size_t i = 0; i <= in->size; i++) {
        char c = i < in->size ? in->data[i] : ' ';
        if (isdigit((unsigned char)c)) {
            value = value * 10 + (c - '0');
            in_number = 1;
            continue;
        }
        sum += in_number ? sign * value : 0;
        count += in_number;
        sign = c == '-' ? -1 : 1;
        value = in_number = 0;
    }
    printf("%lld numbers\n", count);
    int n = snprintf(text, sizeof(text), "{\"sum\":%lld,\"count\":%lld}", sum, count);
    return fnexec_answer_set(out, text, (size_t)n);
}

int main(void)
{
    return fnexec_run(handle);
}
