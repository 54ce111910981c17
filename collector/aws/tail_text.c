/* Output of `aws logs tail`, formats detailed, short and json: lines that begin with a time that
 * only this command writes. The lines are read by collector/lines.c. */
#include "collector/aws/aws.h"
#include "collector/lines.h"

/* "2026-10-08T16:36:11.100000+00:00 stream message" or "2026-10-08T16:36:11 message". */
static int accepts_tail(struct str head)
{
    enum { TIME_LENGTH = 19 };
    enum line_form form = lines_detect(head);
    size_t plus = str_find(str_sub(head, 0, 64), STR("+00:00"));

    if (form == FORM_STREAM)
        return plus < 64 ? 80 : 40;
    bool is_short = head.n > TIME_LENGTH && head.p[TIME_LENGTH] == ' ' && head.p[10] == 'T';
    return form == FORM_TIME && is_short ? 60 : 0;
}

const struct decoder_ops aws_tail_text = {
    .name = "tail",
    .help = "output of aws logs tail",
    .is_of_lines = true,
    .state_size = sizeof(struct lines_state),
    .accepts = accepts_tail,
    .decode = lines_decode,
    .close = lines_close,
    .mark = lines_mark,
    .resume = lines_resume,
};
