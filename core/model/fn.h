/* A function and the place its records come from. */
#ifndef FNSCOPE_CORE_MODEL_FN_H
#define FNSCOPE_CORE_MODEL_FN_H

#include "core/base/arena.h"
#include "core/model/enums.h"

/* Interned per batch or per reader: compare by pointer only within one owner, by fn_eq elsewhere.
 * The identity is (provider, account, region, name); version and alias belong to the invocation.
 * A stored function may have got a region, account or name later: `born` is what it was called when
 * it was first stored, which hashes in files stand for (fn_book.h). */
struct fn_ref {
    enum provider provider;
    struct str account;        /* "123456789012"; empty: not known */
    struct str region;         /* "eu-west-1"; empty: not known */
    struct str name;           /* "checkout" */
    const struct fn_ref *born; /* NULL: called so from the first */
};
bool fn_eq(const struct fn_ref *a, const struct fn_ref *b); /* called the same now */
uint64_t fn_hash(const struct fn_ref *f);             /* stable; stored is that of fn_born() */
const struct fn_ref *fn_born(const struct fn_ref *f); /* never NULL */
/* What its provider bills in: "CNY" in AWS's regions of China, else "USD". The price book's rows
 * say it themselves; this is for whoever has none. Source: amazonaws.cn, pricing. */
struct str fn_currency(const struct fn_ref *f);
bool fn_is_usd(const struct fn_ref *f);
struct fn_ref *fn_copy(struct arena *a, const struct fn_ref *f); /* with its birth */

/* One log stream = one execution environment of one function (faas.instance). A batch holds an
 * array of them; records point into it. */
struct origin {
    const struct fn_ref *fn;
    struct str log_group; /* empty: not known */
    struct str instance;  /* log stream name; empty: not known */
    struct str version;   /* from the stream name or initStart: "$LATEST", "72" */
    uint64_t hash;        /* stable, names the environment in files */
    uint32_t place;       /* in the list of the batch that owns it: for tables beside the batch */
};
/* Of a stream that Lambda named the group tells nothing: its name is the environment's alone, and
 * one export of its log says the group, another does not. */
uint64_t origin_hash(const struct origin *o);
/* As stores had it before schema 17: with the group always. */
uint64_t origin_hash_with_group(const struct origin *o);
bool origin_eq(const struct origin *a, const struct origin *b);

/* What is configured, for prices and limits; bits say what is known. */
struct fn_config {
    struct fn_ref fn;
    int64_t valid_from_ns;
    enum arch arch;
    uint64_t memory_bytes;            /* 0: not known */
    uint64_t ephemeral_storage_bytes; /* 0: not known (then the free 512 MB are assumed) */
    int64_t timeout_ns;               /* 0: not known */
    int64_t reserved_concurrency;     /* -1: none */
    struct str runtime;               /* "python3.12", empty: not known */
    struct str version, code_sha256;
    struct str dead_letter; /* where failed events go: a queue's name or an ARN; empty: nowhere */
    int64_t valid_until_ns; /* when it was replaced or the function removed; 0: still valid */
    bool is_assumed;        /* a default stood in for arch or region */
};

#endif
