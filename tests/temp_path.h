/* Databases of a unit test in a folder of their own, and their removal. */
#ifndef FNSCOPE_TESTS_TEMP_PATH_H
#define FNSCOPE_TESTS_TEMP_PATH_H

#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

/* The path of a database, not made yet, in a new folder. */
static inline void temp_path_make(char path[64])
{
    snprintf(path, 64, "/tmp/fnscope-test-XXXXXX");
    CHECK(mkdtemp(path));
    memcpy(path + strlen(path), "/x.db", 6);
}

/* Removes the database, what SQLite keeps beside it, and the folder if nothing else is in it. */
static inline void temp_path_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[96];

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
    snprintf(name, sizeof(name), "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(name);
}

#endif
