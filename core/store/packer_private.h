/* Private to core/store/packer*.c: the packer's state. */
#ifndef FNSCOPE_CORE_STORE_PACKER_PRIVATE_H
#define FNSCOPE_CORE_STORE_PACKER_PRIVATE_H

#include "core/model/fn_book.h"
#include "core/store/id_filter.h"
#include "core/store/seen.h"
#include "core/store/store_private.h"

struct open_chunk {
    int64_t day, t0_ns, t1_ns;
    unsigned shard, level_mask;
    uint64_t fns;
    struct kept_lines lines;
    size_t text_bytes;
    uint64_t *seen;
    size_t n, cap;
    struct line_tally tally;
};

/* Which of the packer's chunks a day and shard fill: 1 above their places, 0: none yet. */
struct chunk_index {
    struct idmap places;
    size_t n_taken; /* the first ones; those behind are spare */
    int64_t day;    /* of of_day: mostly all lines are of one */
    size_t of_day[CHUNK_SHARDS];
};

/* Where the lines of a function go, and its mark among those whose lines go there. */
struct origin_shard {
    unsigned shard;
    uint64_t fn_bit; /* one bit; 0: not known yet */
};

/* What the packer knows of one origin of the batch at hand, so that a record costs one look-up by
 * place. fn is 0 until a record or fact wants the ids: a batch of repeats brings no new rows. */
struct origin_ids {
    uint32_t fn, stream;
    struct origin_shard at;
    int64_t last_day; /* that the store hears of for the stream */
    uint16_t homes;   /* other shards where its repeats may be, a bit each */
};

/* Of origins met before what does not change, by their hash: most batches have the same ones. */
enum { KNOWN_ORIGINS = 512 };
struct known_origin {
    uint64_t hash, fn_hash; /* of its own; of the function's birth */
    uint32_t fn, stream;    /* fn 0: none is known */
};

/* The text asked for last, mostly "$LATEST", if it is short. */
struct known_text {
    char text[24];
    size_t n; /* 0: none is known */
    uint32_t id;
};

struct packer {
    struct store *store, *reader;
    struct pack *current;
    uint64_t next_pack;
    struct fn_book book;                      /* the functions of `fns` */
    struct idmap fns, streams, texts, series; /* hash -> id; of functions that of their birth */
    struct idmap moved; /* id -> function of the book that is called otherwise since we began */
    struct idmap homes; /* hash of a stream's name -> shards of the functions it was stored under */
    struct idmap guessed_days; /* those in which attempts without times are stored */
    struct idmap stream_days;  /* id of a stream -> last day that the store has heard of */
    uint64_t n_adopted;        /* of the batch at hand */
    uint32_t next_fn, next_stream, next_text, next_series;
    struct open_chunk *chunks;
    size_t n_chunks, cap_chunks;
    struct chunk_index open;
    struct seen seen;
    int64_t removed_before; /* days before it are forgotten */
    struct id_filter *filters;
    size_t n_filters, cap_filters;
    /* What packs bring, in their order: few are asked for, only then they are looked up. */
    struct noted {
        uint64_t key, pack; /* hash of a fact's request id, of a stream with events */
    } * noted;
    size_t n_noted, cap_noted;
    size_t noted_limit;   /* at which committed ones are dropped */
    struct idmap pending; /* key -> last pack that brings it, of the first n_found ones */
    size_t n_found;
    struct origin_ids *origins; /* by place in the batch at hand */
    size_t n_origins, cap_origins;
    struct known_origin known[KNOWN_ORIGINS];
    struct known_text last_text;
    struct arena scratch;
};

/* Ids of dimensions, given when first asked for; the rows ride in the current pack. */
uint32_t packer_fn(struct packer *p, const struct fn_ref *f);
enum status packer_load_fns(struct packer *p, struct err *e); /* of what is stored */
/* The batch's functions become those of the store: fn_book.h. */
void packer_settle(struct packer *p, struct batch *b);
/* Of the origin: `at` and `homes` are known. Until the next origin is asked for. */
const struct origin_ids *packer_shard(struct packer *p, const struct origin *o);
/* A stream's name leads to the functions it was stored under: the same export may have been read
 * under another function's name or region before. */
void packer_note_home(struct packer *p, struct str instance, const struct fn_ref *fn);
enum status packer_load_homes(struct packer *p, struct err *e); /* of what is stored */
/* All of it, for something of this day. Until the next origin is asked for. */
const struct origin_ids *packer_origin(struct packer *p, const struct origin *o, int64_t day);
/* Days of attempts without times, which are looked up from any day. */
void packer_note_guessed(struct packer *p, int64_t day);
enum status packer_load_guessed(struct packer *p, struct err *e); /* of what is stored */
uint32_t packer_text(struct packer *p, struct str s);             /* 0 for the empty text */
/* Copies a batch's metric points, queues, sources and spans into the current pack. */
void packer_live(struct packer *p, const struct batch *b);
/* Remembers that the pack being filled brings a fact of this id, so that a look-up waits for it;
 * the filter is that of the fact's day. */
void packer_note_id(struct packer *p, struct id_filter *f, struct str id);
/* The same for an event of this environment. */
void packer_note_event(struct packer *p, const struct origin *o);
/* The filter of a day, filled from its file when the day is first touched; NULL on a read error. */
struct id_filter *packer_filter(struct packer *p, int64_t day, struct err *e);

#endif
