/* Inside of collector/: reads files one after another and hands out batches of records. Runs on the
 * source thread. */
#ifndef FNSCOPE_COLLECTOR_FILE_SOURCE_H
#define FNSCOPE_COLLECTOR_FILE_SOURCE_H

#include "collector/collector.h"
#include "collector/decode.h"
#include "collector/stand_in.h"
#include "collector/whereabouts.h"
#include "core/base/file.h"

/* Takes a batch over, with how far reading is. ERR_CANCELLED: nobody wants more. */
typedef enum status batch_taker(void *ctx, struct batch *b, const struct import_progress *at);

struct file_hint {
    struct str scope;                  /* the name of the head that was looked at, */
    const struct decoder_ops *decoder; /* and which decoder reads it; NULL: not looked at */
    bool is_named;                     /* by the person */
    struct import_defaults defaults;
    struct stream_clues clues; /* the stream is named after the file: what may tell it */
    bool is_guessed;           /* the function is named after the file */
    bool lacks_times;          /* lines of its head have no time, */
    bool is_untimed;           /* and none near them has */
    bool is_there;
    bool is_found; /* in a folder: nobody named it */
    bool is_once;  /* a pipe or a device: what is read of it is gone */
};

struct file_source {
    const struct import_options *options;
    batch_taker *take;
    void *take_ctx;
    struct arena arena; /* of the paths */
    struct file_list files;
    struct file_hint *hints; /* of each file, from its head; whereabouts are of all together */
    struct whereabouts whereabouts;
    /* What stood in for the lines of files without a time read so far: name -> place in the rows.
     */
    struct map stood_in;
    struct str *stood_in_rows;
    size_t n_stood_in, cap_stood_in;
    struct stand_in_runs halves; /* of whose runs a file had a half */
    struct import_progress at;
    struct batch *batch; /* being filled; small files share one */
    size_t batch_bytes;
};

/* Lists what is to be read: folders are walked. ERR_NOT_FOUND names the path. */
MUST_CHECK enum status file_source_open(struct file_source *f, struct err *e);
/* Counts a path that cannot be read, and says why in the log. */
void file_pass_over(struct file_source *f, const char *reason);
/* Reads everything. OK; ERR_CANCELLED when stopped; else what the taker or a decoder said. */
MUST_CHECK enum status file_source_run(struct file_source *f, struct err *e);
void file_source_close(struct file_source *f);

#endif
