/* Inside of collector/ and its provider folders: files of text lines. Finds which of the usual line
 * forms a file has, joins continuation lines to the event they belong to, and hands on events. */
#ifndef FNSCOPE_COLLECTOR_LINES_H
#define FNSCOPE_COLLECTOR_LINES_H

#include "collector/event.h"
#include "collector/open_requests.h"

/* The form of a file is fixed by its head and kept, so that text inside a message that looks like
 * a line start of another form is not taken for one. */
enum line_form {
    FORM_UNKNOWN,
    FORM_TABBED,       /* "ISO<tab>group<tab>stream<tab>message" */
    FORM_TABBED_PAIR,  /* "ISO<tab>stream<tab>message" */
    FORM_STREAM,       /* "ISO stream message": aws logs tail, detailed and json */
    FORM_TIME,         /* "ISO message": aws logs tail --format short, S3 export */
    FORM_CSV,          /* a header line naming columns, quoted fields */
    FORM_BARE,         /* messages only */
    FORM_STREAM_FIRST, /* "stream ISO message" (sam logs), "group stream ISO message" (awslogs) */
    FORM_LOOSE,        /* "ISO<tab>message", "2026-01-15 10:00:00.123 message", "[ISO] (stream)
                          message" (saw), epoch time in front: proved by platform lines behind it */
    FORM_JOINED,       /* messages only, a tab in front of each but the first: --output text */
    FORM_ESCAPED, /* "epoch<tab>message", "epoch<tab>stream<tab>message" with tabs and line ends
                     inside as \t and \n: jq's @tsv */
    LINE_FORMS    /* numbers are stored: new forms go to the end */
};

enum { CSV_MAX_COLUMNS = 16 };

enum csv_column {
    COLUMN_OTHER,
    COLUMN_TIME,
    COLUMN_MESSAGE,
    COLUMN_STREAM,
    COLUMN_GROUP,
    COLUMN_SEEN,
    COLUMN_REQUEST
};

struct csv_columns {
    enum csv_column of[CSV_MAX_COLUMNS];
    size_t n;
    char separator; /* ',', ';' or a tab */
};

struct lines_state {
    struct event_maker maker;
    enum line_form form;
    struct csv_columns columns;
    int64_t last_time_ns; /* of the last line that had one: stands in for bare lines */
    bool has_last_time;
    struct open_requests open; /* says whose lines without an id are */
    bool is_timeless;          /* some lines had no time */
    bool is_skipping;          /* inside a line longer than PENDING_MAX_BYTES */
    struct decode_mark anchor; /* where that line stands */
    uint64_t n_lines;          /* before the open event, or the piece */
};

/* The form most lines of the head have. */
enum line_form lines_detect(struct str head);
/* Whether anything in the head speaks for a log: lines of a form, a time, a platform line. */
bool lines_look_like_log(struct str head);
enum status lines_decode(void *state, const struct decode_input *in, struct batch *out,
                         size_t *used, struct err *e);
void lines_close(void *state);
struct decode_mark lines_mark(const void *state);
void lines_resume(void *state, const struct decode_mark *m);

/* csv.c: the header `text` begins with, and one record at a time. 0: the record does not end in s.
 * Tabs separate fields only where some are in quotes, too: else messages have tabs of their own. */
bool csv_header(struct str text, struct csv_columns *columns);
size_t csv_record(struct str s, const struct csv_columns *columns, struct arena *a,
                  struct raw_event *ev, bool *is_complete);

#endif
