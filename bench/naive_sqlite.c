/* The peer everyone writes first: text columns, the event as primary key, two indexes. Reads
 * tab-separated lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define SCHEMA                                                                                     \
    "pragma journal_mode=wal; pragma synchronous=normal; pragma cache_size=-16000;"                \
    "create table log(event_id text primary key, ts text, log_group text, stream text, body "      \
    "text);"                                                                                       \
    "create table invocation(request_id text, fn text, ts text, duration_ms real, billed_ms "      \
    "integer,"                                                                                     \
    " memory_mb integer, used_mb integer, init_ms real, status text);"                             \
    "create index log_fn_ts on log(log_group, ts);"                                                \
    "create index invocation_id on invocation(request_id);"                                        \
    "create index invocation_fn on invocation(fn, ts)"

static void number_after(const char *line, const char *label, sqlite3_stmt *st, int i)
{
    const char *p = strstr(line, label);

    if (p)
        sqlite3_bind_double(st, i, strtod(p + strlen(label), NULL));
}

static void add_invocation(sqlite3_stmt *st, char *const f[4])
{
    const char *status = strstr(f[3], "Status: ");

    sqlite3_bind_text(st, 1, f[3] + 18, 36, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, f[1], -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, f[0], -1, SQLITE_STATIC);
    number_after(f[3], "\tDuration: ", st, 4);
    number_after(f[3], "Billed Duration: ", st, 5);
    number_after(f[3], "Memory Size: ", st, 6);
    number_after(f[3], "Max Memory Used: ", st, 7);
    number_after(f[3], "Init Duration: ", st, 8);
    if (status)
        sqlite3_bind_text(st, 9, status + 8, (int)strcspn(status + 8, "\t"), SQLITE_STATIC);
    sqlite3_step(st);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

static int split(char *line, char *f[4])
{
    int n = 0;

    for (char *p = line; n < 4; p++) {
        f[n++] = p;
        if (n == 4 || !(p = strchr(p, '\t')))
            break;
        *p = 0;
    }
    return n;
}

int main(int argc, char **argv)
{
    sqlite3 *db;
    sqlite3_stmt *log_st, *inv_st;
    size_t cap = 0, lines = 0;
    char *line = NULL, id[64];

    if (argc < 3)
        return 2;
    FILE *in = fopen(argv[1], "r");
    if (!in || sqlite3_open(argv[2], &db) || sqlite3_exec(db, SCHEMA, NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, "insert into log values(?,?,?,?,?)", -1, &log_st, NULL) ||
        sqlite3_prepare_v2(db, "insert into invocation values(?,?,?,?,?,?,?,?,?)", -1, &inv_st,
                           NULL))
        return 1;
    sqlite3_exec(db, "begin", NULL, NULL, NULL);
    while (getline(&line, &cap, in) > 0) {
        char *f[4];
        if (split(line, f) < 4)
            continue;
        snprintf(id, sizeof(id), "%056zu",
                 (lines * 2654435761u) % 1000000007u * 100000000u + lines);
        sqlite3_bind_text(log_st, 1, id, -1, SQLITE_STATIC);
        for (int i = 0; i < 4; i++)
            sqlite3_bind_text(log_st, i + 2, f[i], -1, SQLITE_STATIC);
        sqlite3_step(log_st);
        sqlite3_reset(log_st);
        if (strncmp(f[3], "REPORT RequestId: ", 18) == 0)
            add_invocation(inv_st, f);
        if (++lines % 50000 == 0)
            sqlite3_exec(db, "commit; begin", NULL, NULL, NULL);
    }
    sqlite3_exec(db, "commit; pragma wal_checkpoint(truncate)", NULL, NULL, NULL);
    sqlite3_finalize(log_st);
    sqlite3_finalize(inv_st);
    sqlite3_close(db);
    free(line);
    fclose(in);
    return 0;
}
