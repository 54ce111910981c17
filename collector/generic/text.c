/* Text in any of the usual line forms, or none: takes every file nobody else wants. */
#include "collector/generic/generic.h"
#include "collector/lines.h"

static int accepts_text(struct str head)
{
    return lines_detect(head) == FORM_BARE ? 1 : 50;
}

const struct decoder_ops generic_text = {
    .name = "text",
    .help = "lines: a time in any usual form, group, stream, message; S3 exports; console CSV; "
            "bare messages",
    .is_of_lines = true,
    .state_size = sizeof(struct lines_state),
    .accepts = accepts_text,
    .decode = lines_decode,
    .close = lines_close,
    .mark = lines_mark,
    .resume = lines_resume,
};
