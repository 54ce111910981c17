/* Private to analyzer/correlate*.c: what the correlator keeps in memory. */
#ifndef FNSCOPE_ANALYZER_CORRELATE_PRIVATE_H
#define FNSCOPE_ANALYZER_CORRELATE_PRIVATE_H

#include "analyzer/analyzer.h"
#include "analyzer/assembly.h"
#include "core/base/intern.h"

struct env {
    struct origin origin; /* texts interned */
    struct fn_ref fn;
    struct assembly *newest; /* list of this environment's requests */
    struct loose *loose;
    size_t n_loose, cap_loose, n_assemblies, n_startless;
    struct env *lru_next, *lru_prev;
};

/* What was given out of one attempt. */
struct given {
    int64_t start_ns;
    uint64_t hash; /* of its content */
};

struct assembly {
    struct env *env;
    uint64_t key;
    char *id; /* request id, own copy, id_n bytes */
    size_t id_n;
    struct pieces pieces;
    struct given *given;
    size_t n_given;
    uint32_t n_log, n_error_log;
    bool is_dirty, is_startless;
    struct str *traces; /* trace ids of its pieces, own copies: one as a rule */
    size_t n_traces;
    struct invocation *stored; /* rows found in the store that pieces point to */
    struct assembly *env_next, *env_prev, *lru_next, *lru_prev, *dirty_next, *same_id;
};

struct correlator {
    struct correlator_options options;
    struct intern texts;
    struct idmap envs, assemblies,
        ids; /* hash -> struct pointer; ids: head of the list of one request id */
    struct assembly *lru_first, *lru_last, *dirty;
    struct env *env_first, *env_last;
    size_t n_assemblies, n_envs;
    struct arena scratch;
};

struct str corr_keep(struct correlator *c, struct str s);
void corr_add_loose(struct env *v, const struct loose *l);
enum status corr_env(struct correlator *c, const struct log_record *r, struct env **out,
                     struct err *e);
enum status corr_assembly(struct correlator *c, struct env *v, const struct log_record *r,
                          struct assembly **out, struct err *e);
struct str corr_id(const struct assembly *a);
uint64_t corr_id_key(const struct fn_ref *fn, struct str id);
void corr_mark_dirty(struct correlator *c, struct assembly *a);
void corr_evict(struct correlator *c);
void corr_free_assembly(struct correlator *c, struct assembly *a);
void corr_free_env(struct correlator *c, struct env *v);
struct str corr_keep_trace(struct assembly *a, struct str trace);
void corr_env_remove(struct correlator *c, struct env *v);
void corr_env_append(struct correlator *c, struct env *v);

#endif
