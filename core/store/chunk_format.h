/* Private to core/store: a log chunk since migration 14 (what was before: chunk.c).
 *
 * Most of a line was said before: when it was, whose request it is of, and the words around the
 * values that change. So a line is the number of a template and the values for its gaps; what is
 * left for zstd is little. Every line comes back byte for byte, whatever it holds.
 *
 * A chunk's blob, numbers as varints:
 *   byte 0x02            an older one begins with zstd's magic number, 0x28
 *   lines, bytes of each part
 *   ids, hex, numbers    as they are: they hardly get smaller
 *   zstd frame           of the other parts, one after another
 *   8 bytes              checksum of all before
 *
 * Parts, each in the order of lines (templates: of first use):
 *   heads      template's number * 2 + 1 if the stream is another than the line's before
 *   times      difference to the line's before: zigzag(ms) * 2, or zigzag(ns) * 2 + 1
 *   streams    svarint difference, where heads say so
 *   texts      of GAP_TEXT
 *   templates  length, byte severity | kind << 4, text with gaps; the n-th new number is the n-th
 *   ids, hex, numbers   of the gaps below
 *
 * A gap is a byte below GAP_KINDS in a template's text. A line that holds such bytes itself, or is
 * long, is one GAP_TEXT; so are lines once a chunk has very many templates. */
#ifndef FNSCOPE_CORE_STORE_CHUNK_FORMAT_H
#define FNSCOPE_CORE_STORE_CHUNK_FORMAT_H

#include "core/store/store_private.h"

enum { CHUNK_FORMAT = 2, CHUNK_SUM_BYTES = 8 };

enum chunk_part {
    PART_HEADS,
    PART_TIMES,
    PART_STREAMS,
    PART_TEXTS,
    PART_TEMPLATES,
    PARTS_PRESSED, /* those before it */
    PART_IDS = PARTS_PRESSED,
    PART_HEX,
    PART_NUMBERS,
    CHUNK_PARTS
};

enum chunk_gap {
    GAP_ID_OTHER,  /* UUID: 16 bytes of ids */
    GAP_NUMBER,    /* digits: a number, they stand behind its first digit, which is 1 */
    GAP_HEX,       /* with the byte n behind it: 2 n digits, n bytes of hex */
    GAP_TEXT,      /* a number n, n bytes of texts */
    GAP_TIME,      /* the line's own time, "2026-01-15T12:00:00.000Z" */
    GAP_TIME_NEAR, /* a time of the same day: a signed number, in ms from the line's own */
    GAP_ID,        /* UUID: the last GAP_ID_NEW of this stream */
    GAP_ID_NEW,    /* UUID: 16 bytes of ids */
    GAP_KINDS
};

enum {
    CHUNK_UUID = 36,      /* digits of a UUID, with its dashes */
    CHUNK_TIME = 24,      /* letters of a time */
    CHUNK_DATE = 11,      /* those before its clock */
    CHUNK_CUT_MOST = 4096 /* a longer line is not cut */
};

/* The last UUID of each stream; streams whose ids end alike share one. */
enum { LAST_IDS = 64 };
struct last_ids {
    char of_stream[LAST_IDS][CHUNK_UUID]; /* first byte 0: none yet */
};

/* --- one line to pieces (chunk_words.c) --- */

struct cut_line {
    const char *body; /* n <= CHUNK_CUT_MOST bytes, and spaces as CHUNK_CUT_ROOM(n) says */
    size_t n;
    int64_t ms;       /* its time within the day */
    const char *date; /* CHUNK_DATE bytes of that day */
    const char *last_id;
    /* Where the pieces go: the ends of what is there, with room for CHUNK_CUT_ROOM(n) each. */
    char *template_end;
    char *ids, *hex, *numbers, *texts;
    const char *new_id; /* set where there is a GAP_ID_NEW: CHUNK_UUID bytes */
};
#define CHUNK_CUT_ROOM(n) ((n) + 64)

/* False: the line holds bytes that stand for gaps; nothing was cut. */
bool line_cut(struct cut_line *line);

/* What of the line is not in its template: [from, to). */
struct cut_gap {
    size_t from, to;
    enum chunk_gap kind;
    uint8_t width; /* of GAP_HEX */
};

/* For a line that was as a known template says up to `at`, with `lead` letters right before, where
 * the template has a gap. Each cuts exactly what line_cut() would. */

/* The word with the first digit from `at` on. False: there is none before other bytes than letters,
 * or it is very long; what was added to the line's pieces is void. */
bool gap_cut(struct cut_line *o, size_t at, size_t lead, struct cut_gap *gap);
/* The end of a short GAP_NUMBER. 0: there is none, or that takes gap_cut() to tell. */
size_t number_cut(struct cut_line *o, size_t at, size_t lead);
/* A GAP_ID_NEW; a GAP_HEX of that width. False: there is none, or that takes gap_cut() to tell. */
bool new_id_cut(struct cut_line *o, size_t at);
bool hex_cut(struct cut_line *o, size_t at, size_t width);
/* A time: how far from the line's own, which time_off_cut() adds to the pieces. */
bool time_stands_at(const struct cut_line *o, size_t at, int64_t *off);
void time_off_cut(struct cut_line *o, int64_t off);

/* --- templates as a tree (chunk_tree.c) --- */

/* A text, the gap behind it, and what may follow: of the pieces after the same beginning the one
 * used last comes first. Edges are named by 1 above their place, 0 is none. */
struct template_edge {
    uint64_t head, head_mask; /* of the text's first 8 bytes */
    uint32_t text, n;         /* in the texts of templates */
    uint16_t next;
    uint16_t first; /* of those that follow; where the template ends, its number */
    uint8_t gap;    /* GAP_KINDS: the template ends */
    uint8_t width;  /* of GAP_HEX */
    uint16_t lead;  /* letters at the text's end */
};
/* Zeroed is an empty one; free edges. */
struct template_tree {
    struct template_edge *edges;
    size_t n_edges, cap_edges;
    uint16_t roots[256]; /* by a template's first byte */
};
void template_tree_empty(struct template_tree *t);
/* The template of n bytes at `at` behind `templates`: it is, or becomes, the first that is tried. A
 * tree that is full stays as it is. */
void template_tree_add(struct template_tree *t, const char *templates, size_t at, size_t n,
                       size_t number);
/* Cuts the line if it is of a template of the tree that was used not long ago. False: it may be of
 * any; what was added to its pieces is void. */
bool template_tree_cut(struct template_tree *t, const char *templates, uint8_t mark,
                       struct cut_line *c, size_t *number);

/* --- the chunk being filled (chunk_write.c) --- */

enum { TEMPLATES_MOST = 1280 };

struct known_template {
    uint64_t hash;
    uint32_t at, n;    /* in the writer's texts */
    uint64_t of_chunk; /* the last that has it, there by this number */
    uint16_t number;
};

/* Zeroed is ready for chunk_writer_begin(); chunk_writer_clear() frees. Templates stay known from
 * one chunk to the next, mostly they are the same: a chunk takes those that it uses. */
struct chunk_writer {
    struct buf parts[CHUNK_PARTS];
    int64_t day, last_ns, last_stream;
    size_t n_lines, text_bytes, n_templates;
    char date[CHUNK_DATE];
    uint64_t chunk;   /* counts them */
    struct buf texts; /* of the known templates, one after another */
    struct known_template *known;
    size_t n_known, cap_known;
    uint16_t *places; /* hash -> 1 above the place in known; 0: none; a power of two, half empty */
    size_t n_places;
    struct template_tree tree; /* of those that cut lines have */
    struct last_ids ids;
};
void chunk_writer_begin(struct chunk_writer *w, int64_t day); /* empties it */
void chunk_writer_add(struct chunk_writer *w, const struct chunk_line *line);
/* The blob of its lines; `pressed` is room to work in. */
MUST_CHECK enum status chunk_writer_pack(const struct chunk_writer *w, struct zstd_ctx *zstd,
                                         struct buf *pressed, struct buf *out, struct err *e);
void chunk_writer_clear(struct chunk_writer *w);

/* --- lines again (chunk_restore.c) --- */

struct chunk_parts {
    size_t n_lines;
    struct str part[CHUNK_PARTS];
};
/* The lines, their texts one after another in t->raw: text_bytes in all. False: damaged. */
bool chunk_restore(struct chunk_text *t, const struct chunk_parts *parts, size_t text_bytes);

#endif
