/* Inside of collector/: which time stands in for lines of a file that has none. The time of the
 * file's last change does, a nanosecond later for each byte before the run that the line is of: so
 * one run is one instant, each has its own, and they stand in their order. The file's time moves
 * when it grows or is copied; a line must keep the time it was stored with, or it would be stored
 * again. What is known of that, best first: the cursor of an earlier read says up to which place
 * which time stood in; the request the line is of has got one, also in another file of the import
 * that has the other half of its lines; the store knows the attempt by the request's id and what
 * its REPORT says: a request that is tried again has the same id. Thread of the file source. */
#ifndef FNSCOPE_COLLECTOR_STAND_IN_H
#define FNSCOPE_COLLECTOR_STAND_IN_H

#include "collector/collector.h"

enum {
    STAND_INS_MAX = 64, /* times a file grew; of more the oldest are forgotten */
    STAND_IN_RUNS = 32, /* environments that may have written into one file */
    STAND_IN_ID = 36,
};

struct stand_in_run {
    char id[STAND_IN_ID];
    uint64_t place;  /* offset of its first line */
    int64_t time_ns; /* 0: none yet */
    bool has_start, has_report;
    bool is_sure; /* its time was chosen in sight of its REPORT */
};
struct stand_in_runs {
    struct stand_in_run rows[STAND_IN_RUNS];
    size_t n;
};

struct stand_ins {
    struct stand_in {
        uint64_t until; /* offset in the plain stream */
        int64_t time_ns;
        bool is_flat;      /* of lines read by an earlier build: the same for all runs */
    } rows[STAND_INS_MAX]; /* ascending */
    size_t n;
    const struct import_lookups *lookups; /* NULL: the store is not asked */
    struct arena scratch;
    struct str ahead; /* whole lines of the file, from the record's on; empty: none are in sight */
    struct stand_in_runs runs;    /* that the file told of last */
    struct stand_in_runs *halves; /* of all files of the import; NULL: nobody asks for them */
    /* The run that began last: whose lines are that name none. */
    uint64_t place;
    int64_t begun_ns;
    bool is_open;
    unsigned n_unknown; /* requests in a row that the store did not know */
};

/* Corrects the time of a record that has none of its own, and is_time_guessed, which says whether
 * the time it holds is borrowed from a line near it or the file's. Records come in the order of the
 * file, all that have no time; `out` holds what of its REPORT is needed. */
void stand_in_give(struct stand_ins *s, struct log_record *r, uint64_t offset, struct batch *out);
/* Whether the lines show how the run that begins with the first of them ends: *report is its line,
 * empty where the next run begins without. */
bool stand_in_sees_end(struct str lines, struct str *report);
/* Whether the next line's time may depend on lines before it. */
bool stand_in_is_open(const struct stand_ins *s);
/* Whether the line there was the first of a run, where reading may begin again. */
bool stand_in_began_at(const struct stand_ins *s, uint64_t offset);
/* All lines of the file were given: what it lacks of its runs may stand in the next file. */
void stand_in_end(struct stand_ins *s);
/* "120@1700000000000000000,340@..."; "-" when there is none. With ':' for '@': flat. */
void stand_ins_write(const struct stand_ins *s, struct buf *out);
bool stand_ins_read(struct stand_ins *s, struct str text);
void stand_ins_clear(struct stand_ins *s);

#endif
