/* Files to batches. A file is read in steps (file_bytes.c) and decoded. Each batch ends with a
 * cursor: which file, by the hash of its head, and where its decoder can go on. */
#include "collector/file_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/decode.h"
#include "collector/file_bytes.h"
#include "collector/file_hints.h"
#include "collector/file_token.h"
#include "collector/generic/generic.h"
#include "collector/lines.h"
#include "core/base/mem.h"

enum {
    HEAD_BYTES = 64 << 10,  /* names the file, shows its format */
    TAIL_BYTES = 200,       /* shown of what stands before damage */
    SURVEY_BYTES = 2 << 20, /* of all heads together, at least HEAD_BYTES of each */
    FIRST_BYTES =
        80 << 10, /* read at once: a file that is no longer than its head is named whole */
    MORE_BYTES = 192 << 10, /* where nothing was looked at before */
    BATCH_BYTES = 384 << 10,
    /* A bomb: so many plain bytes for one packed, so long without one event. */
    BOMB_RATIO = 200,
    BOMB_BYTES = 256 << 20,
};

struct reading {
    struct file_source *f;
    struct file_bytes bytes;
    struct str path;
    const struct decoder_ops *decoder;
    void *state;
    struct import_defaults defaults;
    uint64_t done_before; /* bytes of the files before */
    struct file_names names;
    struct str scope;        /* of its cursor */
    struct str scope_before; /* when it was last read, shorter; its beginning may be read again */
    struct stand_ins stand_ins;
    int64_t newest_ns;
    struct file_days days; /* its events went to */
    uint64_t quiet_bytes;  /* since the last event */
    bool is_ended, is_damaged;
    bool is_held;        /* its last event is still being written */
    bool is_head_all;    /* nothing comes behind the head */
    bool is_empty;       /* no event so far, not even one that was kept aside */
    bool is_guessed;     /* the function is named after the file */
    bool has_own_stream; /* and so is the stream */
    struct arena arena;  /* of this file */
};

static bool is_stopped(const struct file_source *f)
{
    return f->options->stop != NULL && atomic_load(f->options->stop);
}

static void quarantine_here(struct reading *r, uint64_t offset, const char *reason, struct str raw)
{
    struct batch *b = r->f->batch;
    struct str place = arena_printf(&b->arena, STR_FMT ": byte %" PRIu64, STR_ARG(r->path), offset);
    batch_quarantine(b, place, str_from(reason), raw);
}

/* --- cursor --- */

/* For other files of this run that begin alike: their cursors are not stored yet. */
static void note_stand_ins(struct reading *r, struct str scope, struct str stand_ins)
{
    struct file_source *f = r->f;
    bool is_new;
    uint64_t *at = map_put(&f->stood_in, arena_str(&f->arena, scope), &is_new);

    if (is_new) {
        *at = f->n_stood_in;
        f->stood_in_rows = arena_grow(&f->arena, f->stood_in_rows, f->n_stood_in, &f->cap_stood_in,
                                      sizeof(*f->stood_in_rows));
        f->n_stood_in++;
    }
    f->stood_in_rows[*at] = arena_str(&f->arena, stand_ins);
}

static void put_cursor(struct reading *r)
{
    AUTO(buf_clear) struct buf token = {.max = 1u << 14}, stand_ins = {.max = 1u << 12};
    uint64_t size;

    if (r->decoder->mark == NULL || r->days.is_too_many || !plain_size(r->bytes.reader, &size))
        return;
    assert(r->scope.n > 0);
    stand_ins_write(&r->stand_ins, &stand_ins);
    file_token_write(&(struct file_token){.decoder = str_from(r->decoder->name),
                                          .mark = r->decoder->mark(r->state),
                                          .raw = plain_raw_bytes(r->bytes.reader),
                                          .hash = plain_hash(r->bytes.reader),
                                          .is_done = r->is_ended && !r->is_damaged && !r->is_held,
                                          .stand_ins = buf_str(&stand_ins),
                                          .days = r->days},
                     &token);
    const struct str scopes[] = {r->scope, r->scope_before};
    for (size_t i = 0; i < ARRAY_LEN(scopes) && scopes[i].n > 0; i++) {
        if (r->is_ended && r->stand_ins.n > 0)
            note_stand_ins(r, scopes[i], buf_str(&stand_ins));
        batch_cursor(r->f->batch, &(struct cursor){.source = STR("import"),
                                                   .scope = scopes[i],
                                                   .token = buf_str(&token),
                                                   .watermark_ns = r->newest_ns});
    }
}

static void name_file(struct reading *r, struct str head)
{
    const bool is_whole = r->is_head_all && head.n == r->bytes.carry.n;

    file_names_make(&r->names, head, is_whole, &r->f->options->defaults, &r->arena);
    r->scope = file_name(&r->names, r->names.n > 0 ? r->names.n - 1 : 0, &r->arena);
}

/* --- batches --- */

static enum status hand_over(struct file_source *f)
{
    struct batch *b = f->batch;

    assert(b != NULL && b->counts.read_bytes == 0);
    b->counts.read_bytes = f->batch_bytes;
    f->batch = batch_new();
    batch_expect_like(f->batch, b);
    f->batch_bytes = 0;
    return f->take(f->take_ctx, b, &f->at);
}

static bool is_full(const struct file_source *f)
{
    enum { MAX_CURSORS = 1000 };
    size_t most = f->options->batch_bytes > 0 ? f->options->batch_bytes : BATCH_BYTES;
    return f->batch_bytes >= most || f->batch->n_cursors >= MAX_CURSORS;
}

/* Newest time among the records added since `from`, and their days. */
static void note_times(struct reading *r, size_t from)
{
    const struct batch *b = r->f->batch;
    for (size_t i = from; i < b->n_records; i++) {
        if (b->records[i].time_ns > r->newest_ns)
            r->newest_ns = b->records[i].time_ns;
        file_days_add(&r->days, b->records[i].time_ns);
    }
}

/* For the progress bar. */
static void count_read(struct reading *r)
{
    r->f->at.bytes_done = r->done_before + plain_raw_bytes(r->bytes.reader);
}

static enum status next_piece(struct reading *r, struct str *piece, struct err *e)
{
    size_t n;
    enum status s = file_bytes_next(&r->bytes, &r->f->batch->arena, piece, &n, e);

    count_read(r);
    r->f->batch_bytes += n;
    r->quiet_bytes += n;
    r->is_ended = n == 0;
    return s;
}

/* Did the guess come to use? Events that name their function do not need it. */
static void note_guess(struct reading *r, size_t from)
{
    const struct batch *b = r->f->batch;

    r->f->at.own_stream += r->has_own_stream && b->n_records > from;
    r->has_own_stream &= b->n_records == from;
    for (size_t i = from; r->is_guessed && i < b->n_records; i++)
        if (b->records[i].origin->log_group.n == 0 &&
            str_eq(b->records[i].origin->fn->name, r->defaults.function)) {
            r->is_guessed = false;
            r->f->at.guessed++;
        }
}

static bool is_unfinished(const struct reading *r, struct str piece)
{
    return r->is_ended && !r->is_damaged && r->decoder->is_of_lines && piece.n > 0 &&
           piece.p[piece.n - 1] != '\n' &&
           plain_is_being_written(r->bytes.reader, r->f->options->defaults.now_ns);
}

static enum status decode_piece(struct reading *r, struct str piece, struct err *e)
{
    struct batch *b = r->f->batch;
    struct decode_input in = {
        .path = r->path,
        .offset = r->bytes.offset,
        .bytes = piece,
        .is_last = r->is_ended,
        .is_damaged = r->is_damaged,
        .is_unfinished = is_unfinished(r, piece),
        .defaults = &r->defaults,
    };
    size_t used = 0, before = b->n_records;
    uint64_t aside = b->counts.quarantined + b->counts.control_messages;

    enum status s = r->decoder->decode(r->state, &in, b, &used, e);
    if (s != OK)
        return s;
    if (!file_bytes_take(&r->bytes, piece, used))
        return err_set(e, ERR_BUG, STR_FMT ": the decoder %s leaves %zu bytes of %zu",
                       STR_ARG(r->path), r->decoder->name, piece.n - used, piece.n);
    r->is_held = in.is_unfinished && r->bytes.carry.n > 0;
    note_times(r, before);
    note_guess(r, before);
    if (b->n_records > before)
        r->quiet_bytes = 0;
    if (b->n_records > before || b->counts.quarantined + b->counts.control_messages > aside)
        r->is_empty = false;
    return OK;
}

static bool is_bomb(const struct reading *r)
{
    uint64_t raw = plain_raw_bytes(r->bytes.reader);
    return r->quiet_bytes > BOMB_BYTES &&
           (r->bytes.offset + r->bytes.carry.n) / (raw + 1) > BOMB_RATIO;
}

/* A damaged file ends at the damage: what came before is decoded as if it were all. */
static enum status read_step(struct reading *r, struct err *e)
{
    struct str piece;
    struct err damage = {0};

    enum status s = next_piece(r, &piece, &damage);
    if (s != OK) {
        r->is_ended = r->is_damaged = true;
        if (s != ERR_CANCELLED) /* else nobody can go on in a pipe: what came of it is all */
            quarantine_here(r, r->bytes.offset + piece.n, damage.msg,
                            str_skip(piece, piece.n > TAIL_BYTES ? piece.n - TAIL_BYTES : 0));
    } else if (is_bomb(r)) {
        r->is_ended = r->is_damaged = true;
        quarantine_here(r, r->bytes.offset, "a decompression bomb: 256 MB without one event",
                        STR(""));
        return OK;
    }
    return decode_piece(r, piece, e);
}

static enum status read_rest(struct reading *r, struct err *e)
{
    while (!r->is_ended) {
        enum status s = read_step(r, e);
        bool is_stop = is_stopped(r->f);
        if (s == OK && (is_full(r->f) || is_stop || r->is_ended))
            put_cursor(r);
        if (s == OK && (is_full(r->f) || is_stop))
            s = hand_over(r->f);
        if (s == OK && is_stop)
            s = ERR_CANCELLED;
        if (s != OK)
            return s;
    }
    return OK;
}

/* --- the head of a file, and going on where a run before ended --- */

static enum status read_head(struct reading *r, size_t most, struct err *e)
{
    size_t n;
    enum status s = file_bytes_head(&r->bytes, most, &n, e);

    count_read(r);
    r->is_head_all = n < most;
    r->f->batch_bytes += n;
    r->quiet_bytes = n;
    return s;
}

/* Looking at a head costs as much as decoding some hundred lines: once is enough. */
static void choose_decoder(struct reading *r, struct file_hint *hint)
{
    if (hint->decoder == NULL || !str_eq(hint->scope, r->scope)) {
        const char *format = r->f->options->format;
        hint->scope = arena_str(&r->f->arena, r->scope);
        hint->decoder = format != NULL ? decoder_find(str_from(format)) : NULL;
        hint->is_named = hint->decoder != NULL;
        if (!hint->is_named)
            hint->decoder = decoder_detect(str_sub(buf_str(&r->bytes.carry), 0, HEAD_BYTES));
    }
    r->decoder = hint->decoder;
    r->bytes.is_copied = r->decoder->copies;
}

/* Of "./1.json" and "../1.json" the folder's name says more than its dots. */
static struct str path_with_names(struct reading *r)
{
    if (!str_starts(r->path, STR("./")) && !str_starts(r->path, STR("../")))
        return r->path;
    AUTO(mem_free_ptr) char *real = realpath(arena_strz(&r->f->arena, r->path), NULL);
    return real != NULL ? arena_str(&r->f->arena, str_from(real)) : r->path;
}

/* What the file's head and path say, into memory that outlives it. */
static void find_hint(struct reading *r, struct file_hint *hint)
{
    uint64_t size;
    struct decode_input head = {
        .path = plain_size(r->bytes.reader, &size) ? path_with_names(r) : STR("-"),
        .bytes = buf_str(&r->bytes.carry),
        .is_last = r->is_head_all,
        .defaults = &hint->defaults,
    };
    int64_t changed = plain_changed_ns(r->bytes.reader);

    hint->defaults = r->f->options->defaults;
    if (changed > 0)
        hint->defaults.now_ns = changed;
    struct file_heard heard = {.whereabouts = &r->f->whereabouts};
    hint->is_guessed = file_hints(&hint->defaults, r->decoder, &head, &r->f->arena, &heard);
    hint->clues = heard.clues;
    hint->lacks_times = heard.lacks_times;
    hint->is_untimed = heard.is_untimed;
    hint->is_there = true;
}

static void find_defaults(struct reading *r, struct file_hint *hint)
{
    if (!hint->is_there) /* what is read once, or was not there before */
        find_hint(r, hint);
    r->defaults = hint->defaults;
    r->defaults.whereabouts = &r->f->whereabouts;
    r->defaults.book = &r->f->whereabouts.book;
    r->defaults.stand_ins = hint->lacks_times ? &r->stand_ins : NULL;
    r->is_guessed = hint->is_guessed;
    r->has_own_stream =
        hint->clues.n > 0 && !stream_clues_follow(&hint->clues, &r->f->whereabouts.streams,
                                                  r->f->options, &r->f->arena, &r->defaults);
    r->is_guessed &= str_eq(r->defaults.function, hint->defaults.function);
}

enum resume { RESUME_START, RESUME_ON, RESUME_NOTHING_NEW };

/* A day that was removed since has lost what this file brought to it. */
static bool is_all_stored(const struct import_lookups *l, const struct file_days *d)
{
    return l->has_day == NULL || file_days_are_there(d, l->has_day, l->ctx);
}

static bool find_cursor(struct reading *r, struct str scope, struct cursor *c, struct file_token *t)
{
    const struct import_lookups *l = &r->f->options->lookups;

    return l->find_cursor != NULL && l->find_cursor(l->ctx, scope, &r->arena, c) &&
           file_token_read(c->token, t) && str_eq(t->decoder, str_from(r->decoder->name));
}

/* What a run before left: nothing known, a place to go on at, or the whole file. */
static enum resume resume_at(struct reading *r, const struct cursor *c, const struct file_token *t)
{
    uint64_t size;

    if (!is_all_stored(&r->f->options->lookups, &t->days) || !plain_size(r->bytes.reader, &size) ||
        !plain_begins_with(r->bytes.reader, t->raw, t->hash))
        return RESUME_START;
    if (t->is_done != 0 && size == t->raw)
        return RESUME_NOTHING_NEW;
    if (r->decoder->resume == NULL || t->mark.offset < r->bytes.offset)
        return RESUME_START;
    r->newest_ns = c->watermark_ns;
    r->days = t->days;
    return RESUME_ON;
}

static enum resume find_resume(struct reading *r, struct file_token *t)
{
    struct cursor c = {0};

    return find_cursor(r, r->scope, &c, t) ? resume_at(r, &c, t) : RESUME_START;
}

/* A file whose lines have no time must find what stood in for them, also where it has grown since
 * and its head is another one. */
static enum resume find_stand_ins(struct reading *r, const struct file_hint *hint,
                                  struct file_token *t)
{
    struct cursor c = {0};
    const uint64_t *row = NULL;
    bool is_known = false;

    r->stand_ins.lookups = &r->f->options->lookups;
    r->stand_ins.halves = &r->f->halves;
    for (size_t i = r->names.n; i-- > 0 && !is_known;) {
        const struct str scope = file_name(&r->names, i, &r->arena);
        row = map_get(&r->f->stood_in, scope);
        is_known = row != NULL || find_cursor(r, scope, &c, t);
        if (is_known && i + 1 < r->names.n)
            r->scope_before = scope;
    }
    if (row != NULL)
        t->stand_ins = r->f->stood_in_rows[*row];
    if (!is_known || !stand_ins_read(&r->stand_ins, t->stand_ins) || row != NULL ||
        (r->scope_before.n > 0 && !hint->is_untimed)) /* lines near may say more now */
        return RESUME_START;
    return resume_at(r, &c, t);
}

/* A folder may hold anything. Where nothing says which format it is, text that does not look like a
 * log would become a function named after a file. */
static bool is_foreign(const struct reading *r, const struct file_hint *hint)
{
    return hint->is_found && !hint->is_named && r->decoder == &generic_text &&
           r->bytes.carry.n > 0 &&
           !lines_look_like_log(str_sub(buf_str(&r->bytes.carry), 0, HEAD_BYTES));
}

static enum status decode_file(struct reading *r, struct file_hint *hint, struct err *e)
{
    struct file_token t = {0};

    choose_decoder(r, hint);
    if (is_foreign(r, hint)) {
        r->f->at.foreign++;
        return OK;
    }
    enum resume resume = find_resume(r, &t);
    if (resume == RESUME_NOTHING_NEW) {
        r->f->at.known++;
        return OK;
    }
    r->state = xcalloc(1, r->decoder->state_size);
    find_defaults(r, hint);
    if (hint->lacks_times)
        resume = find_stand_ins(r, hint, &t);
    if (resume == RESUME_ON) {
        if (!file_bytes_skip_to(&r->bytes, t.mark.offset))
            return OK; /* the same damage as before */
        r->decoder->resume(r->state, &t.mark);
    }
    r->is_empty = resume == RESUME_START;
    enum status s = read_rest(r, e);
    stand_in_end(&r->stand_ins);
    r->f->at.held += r->is_held;
    r->f->at.empty += s == OK && r->is_empty && !r->is_damaged && !r->is_held;
    return s;
}

static void quarantine_file(struct reading *r, const char *reason)
{
    quarantine_here(r, 0, reason, str_sub(buf_str(&r->bytes.carry), 0, 64));
}

static enum status read_open_file(struct reading *r, struct file_hint *hint, struct err *e)
{
    struct err found = {0};
    enum status s = read_head(r, hint->is_there ? FIRST_BYTES : MORE_BYTES, &found);
    struct str head = str_sub(buf_str(&r->bytes.carry), 0, HEAD_BYTES);

    const char *refusal = s != OK ? found.msg : file_refusal(head);
    if (refusal != NULL) {
        quarantine_file(r, refusal);
        return OK;
    }
    name_file(r, head);
    return decode_file(r, hint, e);
}

static void close_reading(struct reading *r)
{
    if (r->state != NULL && r->decoder->close != NULL)
        r->decoder->close(r->state);
    free(r->state);
    file_bytes_close(&r->bytes);
    stand_ins_clear(&r->stand_ins);
    arena_clear(&r->arena);
}

static enum status read_one(struct file_source *f, size_t i, struct err *e)
{
    const char *path = f->files.paths[i];
    struct reading r = {.f = f, .path = str_from(path), .done_before = f->at.bytes_done};
    struct plain_stop stop = {f->options->stop, f->options->client_fd};
    struct err found = {0};
    uint64_t size;

    f->at.path = r.path;
    enum status s = plain_open(path, f->options->fd, &stop, &r.bytes.reader, &found);
    if (s == OK)
        s = read_open_file(&r, &f->hints[i], e);
    else if (s != ERR_CANCELLED) {
        file_pass_over(f, found.msg);
        s = OK;
    }
    /* Whatever was skipped: the bar counts whole files. */
    if (s == OK && r.bytes.reader != NULL && plain_size(r.bytes.reader, &size))
        f->at.bytes_done = r.done_before + size;
    close_reading(&r);
    return s;
}

/* --- before reading: what the heads say of the functions in all files --- */

/* A file that cannot be read, or brings nothing new, says nothing here. */
static void survey_file(struct file_source *f, size_t i, size_t bytes)
{
    struct reading r = {.f = f, .path = str_from(f->files.paths[i])};
    struct file_token t;

    if (plain_open(f->files.paths[i], 0, &(struct plain_stop){0}, &r.bytes.reader, NULL) == OK &&
        read_head(&r, bytes, NULL) == OK) {
        struct str head = str_sub(buf_str(&r.bytes.carry), 0, HEAD_BYTES);
        name_file(&r, head);
        choose_decoder(&r, &f->hints[i]);
        if (file_refusal(head) == NULL && !is_foreign(&r, &f->hints[i]) &&
            find_resume(&r, &t) != RESUME_NOTHING_NEW)
            find_hint(&r, &f->hints[i]);
    }
    close_reading(&r);
}

/* Region and account are part of a function's identity, so they must be the same for all its files:
 * every head is heard before the first line is taken. */
static void survey(struct file_source *f)
{
    const struct import_options *o = f->options;
    size_t bytes = SURVEY_BYTES / (f->files.count + 1);

    f->whereabouts.book.places = o->lookups.places;
    bytes = bytes < HEAD_BYTES ? HEAD_BYTES : bytes > MORE_BYTES ? MORE_BYTES : bytes;
    for (size_t i = 0; i < o->n_known; i++)
        whereabouts_know(&f->whereabouts, &o->known[i]);
    for (size_t i = 0; i < f->files.count && !is_stopped(f); i++)
        if (o->fd <= 0 && !f->hints[i].is_once)
            survey_file(f, i, bytes);
    f->at.bytes_done = 0;
    f->batch_bytes = 0;
}

enum status file_source_run(struct file_source *f, struct err *e)
{
    survey(f);
    for (size_t i = 0; i < f->files.count; i++) {
        uint64_t unreadable = f->at.unreadable;
        enum status s = is_stopped(f) ? ERR_CANCELLED : read_one(f, i, e);
        if (s != OK)
            return s;
        f->at.files_done += f->at.unreadable == unreadable;
        if (is_full(f) && (s = hand_over(f)) != OK)
            return s;
    }
    return hand_over(f);
}

void file_source_close(struct file_source *f)
{
    batch_free(f->batch);
    whereabouts_clear(&f->whereabouts);
    map_clear(&f->stood_in);
    arena_clear(&f->arena);
}
