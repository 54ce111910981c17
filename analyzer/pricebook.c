/* The price book: reads the dated rows of data/prices (format: data/prices/README.md), owns them,
 * finds the ones in force. Knows no provider's rules. A look-up is one hash of region and meter,
 * since every invocation makes three. */
#include "analyzer/pricebook.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/macros.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

enum { MAX_FILE_BYTES = 64 << 20, MAX_TIERS = 16, MAX_KEY = 160 };

struct pricebook {
    struct arena arena;
    struct price *rows; /* sorted: provider, region, meter, valid_from, tier_begin */
    size_t n, cap;
    struct map index; /* provider, region and meter (or no meter) -> first row */
};

/* What a file says once for all its rows. */
struct file_head {
    const char *path;
    enum provider provider;
};

static int cmp_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int cmp_price(const void *pa, const void *pb)
{
    const struct price *a = pa, *b = pb;
    int d = cmp_i64(a->provider, b->provider);
    if (d == 0)
        d = str_cmp(a->region, b->region);
    if (d == 0)
        d = str_cmp(a->meter, b->meter);
    if (d == 0)
        d = cmp_i64(a->valid_from_ns, b->valid_from_ns);
    if (d == 0 && a->tier_begin != b->tier_begin)
        d = a->tier_begin < b->tier_begin ? -1 : 1;
    return d;
}

static enum status need_str(struct pricebook *p, const struct json *row, const char *key,
                            struct str *out, struct err *e)
{
    struct str s = {0};
    if (!json_str(json_get(row, key), &s) || s.n == 0)
        return err_set(e, ERR_PARSE, "\"%s\" is missing or no text", key);
    *out = arena_str(&p->arena, s);
    return OK;
}

static enum status read_date(const struct json *row, const char *key, bool is_needed, int64_t *out,
                             struct err *e)
{
    struct str s = {0};
    const struct json *v = json_get(row, key);
    if (v == NULL && !is_needed)
        return OK;
    if (!json_str(v, &s) || s.n != 10 || time_parse_human(s, 0, out, NULL) != OK)
        return err_set(e, ERR_PARSE, "\"%s\" is no date like 2026-09-19", key);
    return OK;
}

/* Quantities are decimals of units; kept in 10^-12 of them, so beyond the range of money. */
static bool read_quantity(const struct json *v, wide *out)
{
    int64_t millis = 0;
    if (!json_scaled(v, 3, &millis) || millis < 0)
        return false;
    *out = (wide)millis * (MONEY_UNIT / 1000);
    return true;
}

static enum status read_tier(struct pricebook *p, const struct json *tier, struct price *row,
                             struct err *e)
{
    struct str s = {0};
    const struct json *to = json_get(tier, "to");

    if (!read_quantity(json_get(tier, "from"), &row->tier_begin))
        return err_set(e, ERR_PARSE, "a tier's \"from\" is no quantity");
    row->tier_end = 0;
    if (to != NULL && (!read_quantity(to, &row->tier_end) || row->tier_end <= row->tier_begin))
        return err_set(e, ERR_PARSE, "a tier's \"to\" is not above its \"from\"");
    if (!json_str(json_get(tier, "price"), &s))
        return err_set(e, ERR_PARSE, "a tier's \"price\" is no text");
    if (money_parse(s, &row->unit_price, e) != OK)
        return err_wrap(e, "price");
    if (row->unit_price < 0)
        return err_set(e, ERR_PARSE, "a price is negative");
    if (json_get(tier, "confidence") != NULL)
        return need_str(p, tier, "confidence", &row->confidence, e);
    return OK;
}

static void append(struct pricebook *p, const struct price *row)
{
    p->rows = mem_grow(p->rows, p->n, &p->cap, sizeof(*p->rows));
    p->rows[p->n++] = *row;
}

static enum status read_tiers(struct pricebook *p, const struct json *tiers, struct price *row,
                              struct err *e)
{
    const size_t n = json_count(tiers);
    const struct str confidence = row->confidence;
    wide expected = 0;

    if (!json_has_elements(tiers) || n == 0 || n > MAX_TIERS)
        return err_set(e, ERR_PARSE, "\"tiers\" is no list of 1 to %d", MAX_TIERS);
    for (size_t i = 0; i < n; i++) {
        row->confidence = confidence;
        if (read_tier(p, json_at(tiers, i), row, e) != OK)
            return err_wrap(e, "tier %zu", i + 1);
        if (row->tier_begin != expected || (row->tier_end == 0 && i + 1 < n))
            return err_set(e, ERR_PARSE, "tier %zu does not begin where the one before ends",
                           i + 1);
        expected = row->tier_end;
        append(p, row);
    }
    return OK;
}

static enum status read_row(struct pricebook *p, const struct file_head *f, const struct json *in,
                            struct err *e)
{
    struct price row = {.provider = f->provider};
    const struct {
        const char *key;
        struct str *to;
    } texts[] = {
        {"meter", &row.meter},           {"region", &row.region}, {"unit", &row.unit},
        {"currency", &row.currency},     {"source", &row.source}, {"retrieved", &row.retrieved},
        {"confidence", &row.confidence},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (need_str(p, in, texts[i].key, texts[i].to, e) != OK)
            return e->code;
    if (read_date(in, "valid_from", true, &row.valid_from_ns, e) != OK ||
        read_date(in, "valid_to", false, &row.valid_to_ns, e) != OK)
        return e->code;
    if (row.valid_to_ns != 0 && row.valid_to_ns <= row.valid_from_ns)
        return err_set(e, ERR_PARSE, "\"valid_to\" is not after \"valid_from\"");
    return read_tiers(p, json_get(in, "tiers"), &row, e);
}

static enum status read_head(const struct json *root, struct file_head *f, struct err *e)
{
    struct str s = {0};
    int64_t version = 0;

    if (!json_str(json_get(root, "schema"), &s) || !str_eq(s, STR("fnscope.prices")))
        return err_set(e, ERR_PARSE, "no price book (\"schema\" is not \"fnscope.prices\")");
    if (!json_i64(json_get(root, "version"), &version) || version != 1)
        return err_set(e, ERR_PARSE, "its \"version\" is not 1: made for a newer fnscope");
    if (!json_str(json_get(root, "provider"), &s) || !provider_parse(s, &f->provider))
        return err_set(e, ERR_PARSE, "\"provider\" is unknown");
    return OK;
}

static enum status read_document(struct pricebook *p, const char *path, const struct json *root,
                                 struct err *e)
{
    struct file_head f = {.path = path};
    const struct json *rows = json_get(root, "rows");

    if (read_head(root, &f, e) != OK)
        return e->code;
    for (size_t i = 0; i < json_count(rows); i++)
        if (read_row(p, &f, json_at(rows, i), e) != OK)
            return err_wrap(e, "row %zu", i + 1);
    return OK;
}

static enum status read_file(struct pricebook *p, const char *path, struct err *e)
{
    AUTO(buf_clear) struct buf text;
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;

    buf_init(&text, MAX_FILE_BYTES);
    if (file_read(path, &text, e) != OK)
        return err_wrap(e, "price book");
    if (json_parse(buf_str(&text), &doc, e) != OK ||
        read_document(p, path, json_root(doc), e) != OK)
        return err_wrap(e, "price book %s", path);
    return OK;
}

/* Key of the index; empty when the names are too long to be in it. */
static struct str row_key(char text[MAX_KEY], enum provider provider, struct str region,
                          struct str meter)
{
    const size_t n = region.n + meter.n + 2;

    if (n > MAX_KEY)
        return (struct str){0};
    text[0] = (char)('0' + (int)provider);
    memcpy(text + 1, region.p, region.n);
    text[1 + region.n] = '|';
    if (meter.n > 0)
        memcpy(text + 2 + region.n, meter.p, meter.n);
    return (struct str){text, n};
}

static void index_row(struct pricebook *p, size_t row, struct str meter)
{
    char text[MAX_KEY];
    bool is_new = false;
    const struct str key = row_key(text, p->rows[row].provider, p->rows[row].region, meter);
    uint64_t *slot = map_put(&p->index, arena_str(&p->arena, key), &is_new);

    assert(key.n > 0);
    if (is_new)
        *slot = row;
}

static enum status check_overlap(const struct price *a, const struct price *b, struct err *e)
{
    if (a->provider != b->provider || !str_eq(a->region, b->region) || !str_eq(a->meter, b->meter))
        return OK;
    const bool is_same_row = a->valid_from_ns == b->valid_from_ns && b->tier_begin > a->tier_begin;
    const bool is_after = a->valid_to_ns != 0 && a->valid_to_ns <= b->valid_from_ns;
    if (is_same_row || is_after)
        return OK;
    return err_set(e, ERR_PARSE, "two rows of meter " STR_FMT " in region " STR_FMT " overlap",
                   STR_ARG(a->meter), STR_ARG(a->region));
}

static enum status index_rows(struct pricebook *p, struct err *e)
{
    if (p->n > 1)
        qsort(p->rows, p->n, sizeof(*p->rows), cmp_price);
    for (size_t i = 0; i < p->n; i++) {
        const struct price *row = &p->rows[i];
        if (row->region.n + row->meter.n + 2 > MAX_KEY)
            return err_set(e, ERR_PARSE, "the names of region and meter are too long: " STR_FMT,
                           STR_ARG(row->meter));
        if (i > 0 && check_overlap(row - 1, row, e) != OK)
            return e->code;
        index_row(p, i, row->meter);
        index_row(p, i, (struct str){0});
    }
    return OK;
}

static enum status load_into(struct pricebook *p, const char *dir, struct err *e)
{
    struct file_list files = {0};
    size_t n_read = 0;

    if (file_list(&p->arena, dir, &files, e) != OK)
        return err_wrap(e, "price book (name its folder with --prices DIR)");
    for (size_t i = 0; i < files.count; i++) {
        if (!str_ends(str_from(files.paths[i]), STR(".json")))
            continue;
        if (read_file(p, files.paths[i], e) != OK)
            return e->code;
        n_read++;
    }
    if (n_read == 0)
        return err_set(e, ERR_NOT_FOUND,
                       "price book: no *.json in %s: name its folder with --prices DIR", dir);
    if (index_rows(p, e) != OK)
        return err_wrap(e, "price book %s", dir);
    return OK;
}

enum status pricebook_load(const char *dir, struct pricebook **out, struct err *e)
{
    struct err own = {0};
    struct pricebook *p = xcalloc(1, sizeof(*p));

    arena_init(&p->arena);
    map_init(&p->index);
    const enum status s = load_into(p, dir, e != NULL ? e : &own);
    if (s != OK) {
        pricebook_free(p);
        return s;
    }
    *out = p;
    return OK;
}

void pricebook_free(struct pricebook *p)
{
    if (p == NULL)
        return;
    map_clear(&p->index);
    arena_clear(&p->arena);
    free(p->rows);
    free(p);
}

/* First row of a meter in exactly this region, or of the region; p->n when there is none. */
static size_t first_row(const struct pricebook *p, enum provider provider, struct str region,
                        struct str meter)
{
    char text[MAX_KEY];
    const struct str key = row_key(text, provider, region, meter);
    const uint64_t *slot = key.n > 0 && region.n > 0 ? map_get(&p->index, key) : NULL;
    return slot != NULL ? (size_t)*slot : p->n;
}

static bool is_in_force(const struct price *row, int64_t at_ns)
{
    return row->valid_from_ns <= at_ns && (row->valid_to_ns == 0 || at_ns < row->valid_to_ns);
}

/* First tier of the meter in force within exactly this region; p->n when there is none. */
static size_t find_in_region(const struct pricebook *p, enum provider provider, struct str meter,
                             struct str region, int64_t at_ns)
{
    const size_t first = first_row(p, provider, region, meter);

    for (size_t i = first; i < p->n; i++) {
        const struct price *row = &p->rows[i];
        if (i > first && (!str_eq(row->meter, meter) || !str_eq(row->region, region) ||
                          row->provider != provider))
            break;
        if (is_in_force(row, at_ns))
            return i;
    }
    return p->n;
}

const struct price *pricebook_find(const struct pricebook *p, enum provider provider,
                                   struct str meter, struct str region, int64_t at_ns)
{
    size_t i = find_in_region(p, provider, meter, region, at_ns);

    if (i == p->n)
        i = find_in_region(p, provider, meter, STR("*"), at_ns);
    return i < p->n ? &p->rows[i] : NULL;
}

bool pricebook_gives(const struct price *row, struct str meter, struct str region, int64_t at_ns)
{
    return is_in_force(row, at_ns) && str_eq(row->meter, meter) && str_eq(row->region, region);
}

/* The tiers of a row stand one after the other; the next row of a meter begins at 0 again. */
size_t pricebook_tiers(const struct pricebook *p, const struct price *first,
                       const struct price **rows, size_t max)
{
    assert(first >= p->rows && first < p->rows + p->n);
    size_t n = 0;

    for (const struct price *row = first; row < p->rows + p->n && n < max; row++) {
        if (row > first && (row->tier_begin == 0 || !str_eq(row->meter, first->meter)))
            break;
        rows[n++] = row;
    }
    return n;
}

bool pricebook_has_region(const struct pricebook *p, enum provider provider, struct str region)
{
    return !str_eq(region, STR("*")) && first_row(p, provider, region, STR("")) < p->n;
}

struct str pricebook_date(const struct pricebook *p, enum provider provider)
{
    struct str newest = {0};
    for (size_t i = 0; i < p->n; i++)
        if (p->rows[i].provider == provider && str_cmp(p->rows[i].retrieved, newest) > 0)
            newest = p->rows[i].retrieved;
    return newest;
}

size_t pricebook_each(const struct pricebook *p, size_t i, const struct price **row)
{
    if (i >= p->n)
        return 0;
    *row = &p->rows[i];
    return i + 1;
}

static bool is_listed(const char *const *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_from(names[i]), name))
            return true;
    return false;
}

const char **pricebook_regions(const struct pricebook *p, enum provider provider, struct arena *a)
{
    const char **names = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct price *row = &p->rows[i];
        if (row->provider != provider || str_eq(row->region, STR("*")) ||
            is_listed(names, n, row->region))
            continue;
        names = arena_grow(a, names, n, &cap, sizeof(*names));
        names[n++] = arena_strz(a, row->region);
    }
    names = arena_grow(a, names, n, &cap, sizeof(*names));
    names[n] = NULL;
    return names;
}
