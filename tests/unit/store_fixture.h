/* A store in a fresh folder for unit tests that write batches and read them back. */
#ifndef FNSCOPE_TESTS_UNIT_STORE_FIXTURE_H
#define FNSCOPE_TESTS_UNIT_STORE_FIXTURE_H

#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/macros.h"
#include "core/store/store.h"

/* Makes a day file what schema 5 wrote, as long as each blob holds ids of one sixteenth of all. */
#define UNDO_MIGRATION_6                                                                           \
    "create table inv_id(b0 int, pack int, part int, entries blob, primary key(b0, pack, part))"   \
    " without rowid; insert into inv_id select id >> 24 & 255, id >> 32, id & 16777215, entries"   \
    " from id_blob; drop table id_run; drop table id_blob;"

/* Makes day files of version 7 those of version 6. */
#define UNDO_MIGRATION_7                                                                           \
    "alter table facts drop column sum; alter table seen drop column sum;"                         \
    " alter table id_blob drop column sum;"

struct fixture {
    struct arena arena;
    struct str path;
    struct store *store;
    struct err e;
};

/* Opens, or closes and opens again. */
static inline void fixture_open(struct fixture *f, bool is_read_only)
{
    const struct store_options o = {.url = f->path, .is_read_only = is_read_only};

    store_close(f->store);
    f->store = NULL;
    CHECK_OK(store_open(&o, &f->store, &f->e), &f->e);
}

static inline struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[] = "/tmp/fnscope-unit-XXXXXX";

    CHECK(mkdtemp(path) != NULL);
    f->path = arena_str(&f->arena, str_from(path));
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    struct file_list l;

    store_close(f->store);
    CHECK_OK(file_list(&f->arena, f->path.p, &l, &f->e), &f->e);
    for (size_t i = 0; i < l.count; i++)
        unlink(l.paths[i]);
    rmdir(f->path.p);
    arena_clear(&f->arena);
    free(f);
}

/* Packs and commits, then frees the batch. */
static inline void fixture_commit(struct fixture *f, struct batch *b)
{
    struct packer *p;
    struct pack *k;

    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK(k != NULL);
    CHECK_OK(store_commit(f->store, k, &f->e), &f->e);
    packer_free(p);
    batch_free(b);
}

#endif
