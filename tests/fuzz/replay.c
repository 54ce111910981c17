/* Gives a fuzz target every file of a folder: the corpus as a plain test. */
#include <stdio.h>

#include "core/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    struct err e = {0};

    if (argc != 2 || file_list(&a, argv[1], &files, &e) != OK) {
        fprintf(stderr, "usage: %s CORPUS: %s\n", argv[0], e.msg);
        return 2;
    }
    for (size_t i = 0; i < files.count; i++) {
        AUTO(buf_clear) struct buf b = {.max = (size_t)16 << 20};
        if (file_read(files.paths[i], &b, &e) != OK) {
            fprintf(stderr, "%s\n", e.msg);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&b).p, b.n);
    }
    printf("%zu inputs\n", files.count);
    return files.count == 0;
}
