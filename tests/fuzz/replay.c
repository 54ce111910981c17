/* Replays a corpus: every file of the named folders through the fuzz target. */
#include <stdio.h>

#include "core/base/file.h"
#include "tests/fuzz/fuzz.h"

static int replay(const char *path, size_t *n)
{
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    struct err e = {0};

    if (file_list(&a, path, &files, &e) != OK)
        return fprintf(stderr, "%s\n", e.msg), 1;
    for (size_t i = 0; i < files.count; i++, ++*n) {
        AUTO(buf_clear) struct buf b;
        buf_init(&b, 1 << 24);
        if (file_read(files.paths[i], &b, &e) != OK)
            return fprintf(stderr, "%s\n", e.msg), 1;
        LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    size_t n = 0;

    for (int i = 1; i < argc; i++)
        if (replay(argv[i], &n) != 0)
            return 1;
    printf("%zu inputs\n", n);
    return n == 0; /* an empty corpus is a mistake */
}
