/* The store: what is written comes back, once; look-ups, sums, cursors, removal, damage. */
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define ID   "8d5958b5-559f-43f3-b278-b71dd7dd0e01"

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

static const struct origin *stream(struct batch *b, const char *name)
{
    struct origin o = {
        .fn = batch_fn(b, &orders), .log_group = STR("/g"), .instance = str_from(name)};

    return batch_origin(b, &o);
}

static struct invocation *add_invocation(struct batch *b, const char *env, const char *id,
                                         int64_t start_ns)
{
    struct invocation *inv = batch_invocation(b);

    *inv = (struct invocation){.origin = stream(b, env),
                               .id = str_from(id),
                               .version = STR("$LATEST"),
                               .outcome = OUTCOME_OK,
                               .start = START_WARM,
                               .start_ns = start_ns,
                               .duration_ns = 100 * NS_PER_MS,
                               .billed_ns = 100 * NS_PER_MS,
                               .memory_bytes = (uint64_t)128 << 20,
                               .max_memory_bytes = (uint64_t)64 << 20,
                               .attempt = 1,
                               .evidence = EV_START | EV_END | EV_REPORT,
                               .is_final = true};
    return inv;
}

static struct log_record *add_line(struct batch *b, const char *env, int64_t t_ns,
                                   uint64_t identity, const char *body)
{
    struct log_record *r = batch_record(b);

    *r = (struct log_record){.time_ns = t_ns,
                             .origin = stream(b, env),
                             .kind = RECORD_APP,
                             .severity = SEVERITY_INFO,
                             .body = str_from(body),
                             .message = str_from(body),
                             .identity = identity};
    return r;
}

static void test_every_member_comes_back(void **state)
{
    struct fixture *f = fixture_new();
    struct inv_rows r;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    struct invocation *inv = add_invocation(b, "s", "no uuid at all", NOON + 123456789);
    inv->trace_id = STR("odd-trace");
    inv->error_type = STR("KeyError");
    inv->outcome = OUTCOME_TIMEOUT;
    inv->start = START_SNAPSTART;
    inv->arch = ARCH_ARM64;
    inv->duration_ns = 1234567891;
    inv->init_ns = 7 * NS_PER_US;
    inv->restore_ns = 1;
    inv->billed_ns = 1235 * NS_PER_MS;
    inv->init_lead_ns = -5;
    inv->storage_bytes = (uint64_t)1 << 30;
    inv->attempt = 300;
    inv->evidence = EV_REPORT | EV_START_ESTIMATED | EV_OTHER_RUNTIME | EV_RESTORE_BILLED;
    inv->cost = 123456;
    inv->cost_restore = 123000;
    inv->is_priced = true;
    inv->pieces = STR("any\0bytes");
    const struct invocation want = *inv;
    fixture_commit(f, b);
    fixture_open(f, true);
    CHECK_OK(request_by_id(f->store, STR("no uuid at all"), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    const struct invocation *got = &r.rows[0];
    CHECK_STR(got->id, want.id);
    CHECK_STR(got->trace_id, want.trace_id);
    CHECK_STR(got->error_type, want.error_type);
    CHECK_STR(got->version, want.version);
    CHECK_STR(got->pieces, want.pieces);
    const int64_t pairs[][2] = {
        {got->outcome, want.outcome},
        {got->start, want.start},
        {got->arch, want.arch},
        {got->start_ns, want.start_ns},
        {got->duration_ns, want.duration_ns},
        {got->init_ns, want.init_ns},
        {got->restore_ns, want.restore_ns},
        {got->billed_ns, want.billed_ns},
        {got->init_lead_ns, want.init_lead_ns},
        {(int64_t)got->memory_bytes, (int64_t)want.memory_bytes},
        {(int64_t)got->max_memory_bytes, (int64_t)want.max_memory_bytes},
        {(int64_t)got->storage_bytes, (int64_t)want.storage_bytes},
        {got->attempt, want.attempt},
        {got->evidence, want.evidence},
        {got->cost, want.cost},
        {got->cost_restore, want.cost_restore},
        {got->is_priced, true},
        {got->is_final, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        CHECK_INT(pairs[i][0], pairs[i][1]);
    CHECK(fn_eq(got->origin->fn, &orders));
    CHECK_STR(got->origin->instance, STR("s"));
    fixture_free(f);
}

static size_t count_new(struct fixture *f, struct batch *b)
{
    struct packer *p;
    size_t n = 0;

    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    CHECK_OK(store_mark_repeats(p, b, &f->e), &f->e);
    for (size_t i = 0; i < b->n_records; i++)
        n += !b->records[i].is_repeat;
    packer_free(p);
    return n;
}

static void test_repeats(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    for (uint64_t i = 1; i <= 100; i++)
        add_line(b, "s", NOON + (int64_t)i, i, "line");
    fixture_commit(f, b);
    fixture_open(f, false);
    b = batch_new();
    for (uint64_t i = 51; i <= 150; i++)
        add_line(b, "s", NOON + (int64_t)i, i, "line");
    add_line(b, "s", NOON + 150, 150, "line"); /* twice in one batch */
    CHECK_INT(count_new(f, b), 50);
    batch_free(b);
    fixture_free(f);
}

/* A day removed under a running packer is one it may fill again. */
static void test_a_removed_day_is_no_repeat(void **state)
{
    struct fixture *f = fixture_new();
    struct packer *p;
    uint64_t days;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    for (int round = 0; round < 2; round++) {
        struct batch *b = batch_new();
        struct pack *k = NULL;
        add_line(b, "s", NOON, 1, "line");
        add_line(b, "s", NOON + NS_PER_DAY, 2, "line");
        CHECK_OK(store_mark_repeats(p, b, &f->e), &f->e);
        CHECK(!b->records[0].is_repeat);
        CHECK(b->records[1].is_repeat == (round == 1));
        CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
        CHECK_OK(store_commit(f->store, k, &f->e), &f->e);
        batch_free(b);
        CHECK(store_has_day(f->store, NOON / NS_PER_DAY));
        CHECK_OK(store_prune(f->store, NOON + NS_PER_DAY, &days, &f->e), &f->e);
        CHECK_INT(days, 1);
        CHECK(!store_has_day(f->store, NOON / NS_PER_DAY));
    }
    packer_free(p);
    fixture_free(f);
}

/* Two environments with one id in one instant: each row is its own. */
static void test_replacing(void **state)
{
    struct fixture *f = fixture_new();
    struct inv_rows r;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    add_invocation(b, "a", ID, NOON);
    add_invocation(b, "b", ID, NOON);
    fixture_commit(f, b);
    b = batch_new();
    struct invocation *inv =
        add_invocation(b, "a", ID, NOON - NS_PER_DAY); /* moves to another day */
    inv->has_stored = true;
    inv->stored_start_ns = NOON;
    fixture_commit(f, b);
    fixture_open(f, false);
    CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 2);
    CHECK_STR(r.rows[0].origin->instance, STR("a"));
    CHECK_INT(r.rows[0].start_ns, NOON - NS_PER_DAY);
    CHECK_STR(r.rows[1].origin->instance, STR("b"));
    b = batch_new();
    inv = add_invocation(b, "b", ID, NOON);
    inv->has_stored = inv->is_removed = true;
    inv->stored_start_ns = NOON;
    fixture_commit(f, b);
    CHECK_OK(request_by_id(f->store, STR("8d5958b5"), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    fixture_free(f);
}

/* One packer, batch after batch: what it knows of a batch's origins is of that batch only. */
static void test_batches_in_a_row(void **state)
{
    struct fixture *f = fixture_new();
    static const char *const names[] = {"a", "b", "a", "c"};
    struct packer *p;
    struct inv_rows r;
    struct pack *k = NULL;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct batch *b = batch_new();
        add_invocation(b, names[i], ID, NOON + (int64_t)i);
        CHECK_OK(store_pack(p, b, i + 1 == ARRAY_LEN(names), &k, &f->e), &f->e);
        batch_free(b);
    }
    CHECK_OK(store_commit(f->store, k, &f->e), &f->e);
    packer_free(p);
    fixture_open(f, true);
    CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, ARRAY_LEN(names));
    for (size_t i = 0; i < r.n; i++)
        CHECK_STR(r.rows[i].origin->instance, str_from(names[i]));
    fixture_free(f);
}

static void gather(struct fixture *f, struct packer *p, struct batch *b)
{
    struct pack *k = NULL;

    CHECK_OK(store_mark_repeats(p, b, &f->e), &f->e);
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK_OK(store_write(f->store, k, &f->e), &f->e);
    batch_free(b);
}

static size_t rows_of_id(struct fixture *f, const char *id)
{
    const struct store_options o = {.url = store_path(f->store), .is_read_only = true};
    struct store *reader;
    struct inv_rows r;

    CHECK_OK(store_open(&o, &reader, &f->e), &f->e);
    enum status s = request_by_id(reader, str_from(id), &f->arena, &r, &f->e);
    CHECK(s == OK || s == ERR_NOT_FOUND);
    store_close(reader);
    return s == OK ? r.n : 0;
}

static void count_finding(void *ctx, struct str file, struct str what)
{
    size_t *n = ctx;

    CHECK(file.n > 0 && what.n > 0);
    ++*n;
}

/* Several packs in one transaction, one of them of more days than stand open at a time: the second
 * replaces a row of the first, and sums are those of all. */
static void test_gathered_packs(void **state)
{
    enum { DAYS = 12, MORE = 9 };
    struct fixture *f = fixture_new();
    struct packer *p;
    struct inv_rows r;
    size_t n_findings = 0;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    struct batch *b = batch_new();
    add_line(b, "s", NOON, 1, "line");
    add_invocation(b, "s", ID, NOON);
    gather(f, p, b);
    if (!store_is_settled(f->store)) /* it is after a second: the machine may be slow */
        CHECK_INT(rows_of_id(f, ID), 0);
    b = batch_new();
    struct invocation *inv = add_invocation(b, "s", ID, NOON);
    inv->has_stored = true;
    inv->stored_start_ns = NOON;
    inv->duration_ns = 7 * NS_PER_SEC;
    gather(f, p, b);
    b = batch_new();
    for (int i = 0; i < DAYS; i++)
        add_invocation(b, "s", "of every day", NOON + i * NS_PER_DAY + 1);
    gather(f, p, b);
    for (int i = 0; i < MORE; i++) {
        b = batch_new();
        add_line(b, "s", NOON + i, (uint64_t)(2 + i), "line");
        gather(f, p, b);
    }
    CHECK_OK(store_settle(f->store, true, &f->e), &f->e);
    CHECK(store_is_settled(f->store));
    packer_free(p);
    CHECK_INT(rows_of_id(f, ID), 1);
    CHECK_INT(rows_of_id(f, "of every day"), DAYS);
    fixture_open(f, true);
    CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.rows[0].duration_ns, 7 * NS_PER_SEC);
    CHECK_OK(store_verify(f->store, count_finding, &n_findings, &f->e), &f->e);
    CHECK_INT(n_findings, 0); /* it counts the sums again */
    fixture_free(f);
}

static void test_look_ups(void **state)
{
    struct fixture *f = fixture_new();
    struct invocation_list found;
    struct instance_event_list events;
    struct packer *p;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    add_invocation(b, "a", ID, NOON);
    add_invocation(b, "a", "00000000-0000-0000-0000-000000000001", NOON + NS_PER_MIN);
    add_invocation(b, "b", ID, NOON + 3 * NS_PER_DAY);
    *batch_instance_event(b) = (struct instance_event){.origin = stream(b, "a"),
                                                       .time_ns = NOON,
                                                       .kind = PLATFORM_INIT_START,
                                                       .phase = STR("init")};
    *batch_instance_event(b) = (struct instance_event){
        .origin = stream(b, "a"), .time_ns = NOON, .kind = PLATFORM_OTHER, .error_type = STR("B")};
    *batch_instance_event(b) = (struct instance_event){
        .origin = stream(b, "a"), .time_ns = NOON, .kind = PLATFORM_OTHER, .error_type = STR("A")};
    const struct origin a = *stream(b, "a");
    fixture_commit(f, b);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    CHECK_OK(store_lookup_id(p, STR(ID), NOON + 20 * NS_PER_HOUR, &f->arena, &found, &f->e), &f->e);
    CHECK_INT(found.n, 1);
    CHECK(found.rows[0].has_stored && found.rows[0].stored_start_ns == NOON);
    CHECK_OK(store_lookup_id(p, STR("ffffffff-0000-0000-0000-000000000001"), NOON, &f->arena,
                             &found, &f->e),
             &f->e);
    CHECK_INT(found.n, 0);
    const struct fn_ref fn = orders;
    struct origin o = {.fn = &fn, .log_group = STR("/g"), .instance = STR("a"), .hash = a.hash};
    const struct range minute = {NOON, NOON + NS_PER_MIN};
    CHECK_OK(store_lookup_requests(p, &o, minute, &f->arena, &found, &f->e), &f->e);
    CHECK_INT(found.n, 1);
    CHECK_STR(found.rows[0].id, STR(ID));
    CHECK_OK(store_lookup_instance(p, &o, NOON, &f->arena, &events, &f->e), &f->e);
    CHECK_INT(events.n, 2); /* of two of a kind in one instant the smaller */
    for (size_t i = 0; i < events.n; i++)
        CHECK(events.rows[i].kind == PLATFORM_INIT_START ||
              str_eq(events.rows[i].error_type, STR("A")));
    packer_free(p);
    fixture_free(f);
}

static struct stats sums_of(struct fixture *f, int64_t since_ns, int64_t until_ns)
{
    const struct series_request q = {.range = {since_ns, until_ns}, .step_ns = 36500 * NS_PER_DAY};
    struct series s;

    CHECK_OK(request_series(f->store, &q, &f->arena, &s, &f->e), &f->e);
    CHECK_INT(s.n, 1);
    return s.points[0];
}

/* Sums follow the rows, also where a row is replaced; a day that has passed is removed whole. */
static void test_sums(void **state)
{
    struct fixture *f = fixture_new();
    uint64_t days = 0;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    for (int i = 0; i < 50; i++) {
        char id[40];
        snprintf(id, sizeof(id), "00000000-0000-0000-0000-%012d", i);
        add_invocation(b, "a", arena_strz(&b->arena, str_from(id)), NOON + i * NS_PER_MIN * 3);
    }
    add_line(b, "a", NOON, 1, "four");
    fixture_commit(f, b);
    b = batch_new();
    struct invocation *inv =
        add_invocation(b, "a", "00000000-0000-0000-0000-000000000003", NOON + 9 * NS_PER_MIN);
    inv->has_stored = true;
    inv->stored_start_ns = NOON + 9 * NS_PER_MIN;
    inv->outcome = OUTCOME_ERROR;
    inv->duration_ns = 900 * NS_PER_MS;
    fixture_commit(f, b);
    fixture_open(f, false);
    struct stats hour = sums_of(f, NOON, NOON + NS_PER_HOUR);
    CHECK_INT(hour.n, 20);
    CHECK_INT(hour.outcome[OUTCOME_OK], 19);
    CHECK_INT(hour.outcome[OUTCOME_ERROR], 1);
    CHECK_INT(hour.sum_duration_ns, 19 * 100 * NS_PER_MS + 900 * NS_PER_MS);
    CHECK_INT(hour.log_events, 1);
    CHECK_INT(hour.log_bytes, 4);
    int64_t day = NOON - 12 * NS_PER_HOUR;
    CHECK_INT(sums_of(f, day, day + NS_PER_DAY).n, 50);
    CHECK_OK(store_prune(f->store, NOON, &days, &f->e), &f->e);
    CHECK_INT(days, 0);
    CHECK_OK(store_prune(f->store, NOON + NS_PER_DAY, &days, &f->e), &f->e);
    CHECK_INT(days, 1);
    CHECK_STATUS(access(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, F_OK), -1);
    fixture_free(f);
}

/* The range of everything begins with the first attempt, also where its first line came later. */
static void test_first_start(void **state)
{
    struct fixture *f = fixture_new();
    struct ingest_status st;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    add_line(b, "a", NOON, 1, "four");
    add_invocation(b, "a", "00000000-0000-0000-0000-000000000001", NOON - 13 * NS_PER_HOUR);
    add_invocation(b, "a", "00000000-0000-0000-0000-000000000002", NOON);
    fixture_commit(f, b);
    fixture_open(f, true);
    CHECK_OK(request_status(f->store, &f->arena, &st, &f->e), &f->e);
    CHECK_INT(st.first_ns, NOON - 13 * NS_PER_HOUR);
    CHECK(st.last_ns >= NOON);
    fixture_free(f);
}

/* In a broken hour lines are counted, each for its own function, and a whole hour has sums. */
static void test_lines_of_a_broken_hour(void **state)
{
    struct fixture *f = fixture_new();
    const struct fn_filter all = {0};
    struct fn_rows rows;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    struct fn_ref mail = orders;
    mail.name = STR("mail");
    const struct origin o = {
        .fn = batch_fn(b, &mail), .log_group = STR("/m"), .instance = STR("m")};
    for (uint64_t minute = 0; minute < 120; minute += 10) {
        int64_t t_ns = NOON + (int64_t)minute * NS_PER_MIN;
        add_line(b, "a", t_ns, minute, "four");
        add_line(b, "m", t_ns, minute, "eleven")->origin = batch_origin(b, &o);
    }
    fixture_commit(f, b);
    fixture_open(f, false);
    const struct range r = {NOON + 50 * NS_PER_MIN, NOON + 90 * NS_PER_MIN}; /* 50, 60, 70, 80 */
    CHECK_OK(request_functions(f->store, r, &all, &f->arena, &rows, &f->e), &f->e);
    CHECK_INT(rows.n, 2);
    CHECK(str_eq(rows.rows[0].fn.name, STR("mail")));
    CHECK_INT(rows.rows[0].stats.log_events, 4);
    CHECK_INT(rows.rows[0].stats.log_bytes, 24);
    CHECK_INT(rows.rows[1].stats.log_bytes, 16);
    CHECK_INT(sums_of(f, r.since_ns, r.until_ns).log_events, 8);
    CHECK_INT(sums_of(f, NOON, NOON + 70 * NS_PER_MIN).log_bytes, 7 * 10);
    fixture_free(f);
}

static void test_cursor(void **state)
{
    struct fixture *f = fixture_new();
    struct cursor c;

    UNUSED(state);
    fixture_open(f, false);
    CHECK(!store_cursor(f->store, STR("import"), STR("file"), &f->arena, &c));
    for (int i = 0; i < 2; i++) {
        struct batch *b = batch_new();
        add_line(b, "a", NOON + i, 1 + (uint64_t)i, "line");
        const struct cursor at = {STR("import"), STR("file"), i == 0 ? STR("1") : STR("2"),
                                  NOON + i};
        batch_cursor(b, &at);
        fixture_commit(f, b);
    }
    fixture_open(f, true);
    CHECK(store_cursor(f->store, STR("import"), STR("file"), &f->arena, &c));
    CHECK_STR(c.token, STR("2"));
    CHECK_INT(c.watermark_ns, NOON + 1);
    CHECK(!store_cursor(f->store, STR("import"), STR("other"), &f->arena, &c));
    fixture_free(f);
}

static size_t verify_after(const char *damage)
{
    struct fixture *f = fixture_new();
    size_t n = 0;

    fixture_open(f, false);
    struct batch *b = batch_new();
    for (uint64_t i = 1; i <= 100; i++)
        add_line(b, "a", NOON + (int64_t)i, i, "some text that is stored in a chunk");
    add_invocation(b, "a", ID, NOON);
    fixture_commit(f, b);
    store_close(f->store);
    f->store = NULL;
    if (damage) {
        struct str path = arena_printf(&f->arena, "%s/20260115.db", f->path.p);
        struct sql *db = NULL;
        CHECK_OK(sql_open(path.p, SQL_READ_WRITE, &db, &f->e), &f->e);
        CHECK_OK(sql_exec(db, damage, &f->e), &f->e);
        sql_close(db);
    }
    fixture_open(f, true);
    CHECK_OK(store_verify(f->store, count_finding, &n, &f->e), &f->e);
    fixture_free(f);
    return n;
}

static void test_verify(void **state)
{
    UNUSED(state);
    CHECK_INT(verify_after(NULL), 0);
    CHECK(verify_after("update chunk set n = n + 1") > 0);
    CHECK(verify_after("update chunk set data = zeroblob(20)") > 0);
    CHECK(verify_after("delete from chunk_head") > 0);
    CHECK(verify_after("update chunk_head set t1 = t1 - 1") > 0);
    CHECK(verify_after("update chunk_head set tally = x'01020304'") > 0);
    CHECK(verify_after("delete from facts") > 0);
    CHECK(verify_after("update facts set t1 = t1 + 1") > 0);
    CHECK(verify_after("update facts set n = n + 1") > 0);
    CHECK(verify_after("update facts set data = zeroblob(20)") > 0);
    CHECK(verify_after("delete from roll") > 0);
    CHECK(verify_after("delete from roll where slot < 24") > 0);
    CHECK(verify_after("update roll set t0 = t0 + 1") > 0);
}

static void test_one_writer(void **state)
{
    struct fixture *f = fixture_new();
    struct store_options o = {.url = f->path};
    struct store *second = NULL;
    struct stat st;
    char pid[32];

    UNUSED(state);
    fixture_open(f, false);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    CHECK_STATUS(store_open(&o, &second, &f->e), ERR_AGAIN);
    CHECK(second == NULL && strstr(f->e.msg, pid) != NULL);
    o.is_read_only = true;
    CHECK_OK(store_open(&o, &second, &f->e), &f->e);
    store_close(second);
    CHECK_INT(stat(arena_printf(&f->arena, "%s/meta.db", f->path.p).p, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_member_comes_back),
    cmocka_unit_test(test_repeats),
    cmocka_unit_test(test_a_removed_day_is_no_repeat),
    cmocka_unit_test(test_replacing),
    cmocka_unit_test(test_batches_in_a_row),
    cmocka_unit_test(test_gathered_packs),
    cmocka_unit_test(test_look_ups),
    cmocka_unit_test(test_sums),
    cmocka_unit_test(test_first_start),
    cmocka_unit_test(test_lines_of_a_broken_hour),
    cmocka_unit_test(test_cursor),
    cmocka_unit_test(test_verify),
    cmocka_unit_test(test_one_writer),
};
TEST_MAIN(tests)
