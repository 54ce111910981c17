/* sim_store SCENARIO.ndjson: the same through the whole writing side. The scenario's lines in
 * random order, spread over random files, some of them in two; each file is an import of its own
 * with a store, packer and correlator of its own, cut into random batches. STORE_SHUFFLES times
 * (default 20): the dump of the store is that of one import in order. SEED=n runs that one alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/pipeline.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"

enum { MAX_LINES = 200 };

struct sim {
    struct str lines[MAX_LINES];
    size_t n_lines;
    struct pricebook *book;
    char folder[256];
};

static void stop(const char *what, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", what, e->msg);
    exit(2);
}

static void read_lines(struct sim *s, const char *path, struct buf *text)
{
    struct err e = {0};

    if (file_read(path, text, &e) != OK)
        stop(path, &e);
    for (struct str rest = buf_str(text); rest.n > 0 && s->n_lines < MAX_LINES;)
        s->lines[s->n_lines++] = str_cut(&rest, '\n');
}

static struct str path_of(struct arena *a, const struct sim *s, const char *name)
{
    return arena_printf(a, "%s/%s", s->folder, name);
}

static void import_file(const struct sim *s, struct str file, size_t batch_bytes)
{
    AUTO(arena_clear) struct arena a = {0};
    struct store_options so = {.url = path_of(&a, s, "store")};
    struct cost_context cost = {
        .book = s->book, .default_region = STR("us-east-1"), .default_arch = ARCH_X86_64};
    /* Said, since a file that holds no INIT_START does not tell its region and account. */
    struct import_options o = {.paths = {&file, 1},
                               .format = "auto",
                               .batch_bytes = batch_bytes,
                               .defaults = {.account = STR("123456789012"),
                                            .region = STR("us-east-2"),
                                            .function = STR("sample"),
                                            .now_ns = 1}};
    struct import_progress progress = {0};
    struct pipeline p = {0};
    struct store *store = NULL;
    struct err e = {0};

    if (store_open(&so, &store, &e) != OK || pipeline_open(&p, store, &cost, &e) != OK ||
        collector_import(&o, &pipeline_sink, &p, &progress, &e) != OK)
        stop("import", &e);
    pipeline_close(&p);
    store_close(store);
}

static void dump(const struct sim *s, struct buf *out)
{
    AUTO(arena_clear) struct arena a = {0};
    struct store_options so = {.url = path_of(&a, s, "store"), .is_read_only = true};
    struct store *store = NULL;
    struct err e = {0};

    if (store_open(&so, &store, &e) != OK || store_dump(store, out, &e) != OK)
        stop("dump", &e);
    store_close(store);
}

/* Everything the test made lies directly in its own folders. */
static void remove_all(const struct sim *s)
{
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    struct err e = {0};

    if (file_list(&a, s->folder, &files, &e) != OK)
        return;
    for (size_t i = 0; i < files.count; i++)
        remove(files.paths[i]);
    remove(arena_strz(&a, path_of(&a, s, "store")));
}

static void write_and_import(const struct sim *s, const size_t *order, size_t n, size_t batch_bytes)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf text = {.max = 1u << 20};
    struct str file = path_of(&a, s, "logs.ndjson");
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        buf_add_str(&text, s->lines[order[i]]);
        buf_add_c(&text, '\n');
    }
    if (file_write(arena_strz(&a, file), buf_str(&text), 0600, &e) != OK)
        stop("write", &e);
    import_file(s, file, batch_bytes);
}

static void run_seed(const struct sim *s, uint64_t seed)
{
    size_t order[2 * MAX_LINES], n = s->n_lines;
    struct rng r;

    rng_seed(&r, seed);
    n += rng_below(&r, 3) == 0 ? rng_below(&r, s->n_lines) : 0;
    for (size_t i = 0; i < n; i++)
        order[i] = i < s->n_lines ? i : rng_below(&r, s->n_lines);
    for (size_t i = n; i > 1; i--) {
        size_t k = rng_below(&r, i), swap = order[k];
        order[k] = order[i - 1];
        order[i - 1] = swap;
    }
    for (size_t from = 0; from < n;) {
        size_t part = 1 + rng_below(&r, n - from < 12 ? n - from : 12);
        write_and_import(s, order + from, part, 300 + rng_below(&r, 4000));
        from += part;
    }
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    uint64_t n;

    return text && str_to_u64(str_from(text), &n) ? n : otherwise;
}

static void print_difference(struct str want, struct str got)
{
    for (struct str rest = got; rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (str_find(want, line) == want.n)
            printf("got      " STR_FMT "\n", STR_ARG(line));
    }
    for (struct str rest = want; rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (str_find(got, line) == got.n)
            printf("expected " STR_FMT "\n", STR_ARG(line));
    }
}

static bool check_seeds(const struct sim *s, struct str want)
{
    uint64_t only = number_of("SEED", 0), last = only ? only : number_of("STORE_SHUFFLES", 10);

    for (uint64_t seed = only ? only : 1; seed <= last; seed++) {
        AUTO(buf_clear) struct buf got = {.max = 1u << 20};
        remove_all(s);
        run_seed(s, seed);
        dump(s, &got);
        if (str_eq(buf_str(&got), want))
            continue;
        printf("SEED=%llu\n", (unsigned long long)seed);
        print_difference(want, buf_str(&got));
        return false;
    }
    printf("%llu shuffles of %zu lines give one dump\n", (unsigned long long)last, s->n_lines);
    return true;
}

int main(int argc, char **argv)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20}, want = {.max = 1u << 20};
    struct sim s = {.folder = "/tmp/fnscope-sim-XXXXXX"};
    size_t order[MAX_LINES];
    struct err e = {0};

    if (argc != 2 || !mkdtemp(s.folder)) {
        fprintf(stderr, "usage: %s SCENARIO.ndjson\n", argv[0]);
        return 2;
    }
    if (pricebook_load(SOURCE_ROOT "/data/prices", &s.book, &e) != OK)
        stop("prices", &e);
    read_lines(&s, argv[1], &text);
    for (size_t i = 0; i < s.n_lines; i++)
        order[i] = i;
    write_and_import(&s, order, s.n_lines, 0);
    dump(&s, &want);
    bool is_good = check_seeds(&s, buf_str(&want));
    remove_all(&s);
    remove(s.folder);
    pricebook_free(s.book);
    return is_good ? 0 : 1;
}
