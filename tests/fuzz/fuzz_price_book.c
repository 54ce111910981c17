/* A price book: accepted as a whole or refused with a message; what is accepted can be searched. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/analyzer.h"
#include "tests/fuzz/fuzz.h"

static void write_book(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");

    if (!f)
        abort();
    fwrite(data, 1, size, f);
    fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[] = "/tmp/fnscope-fuzz-XXXXXX", path[64];
    struct pricebook *book = NULL;
    const struct price *row, *tiers[16];
    struct err e = {0};

    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/book.json", folder);
    write_book(path, data, size);
    if (pricebook_load(folder, &book, &e) == OK) {
        for (size_t i = 0; (i = pricebook_each(book, i, &row)) > 0;)
            pricebook_tiers(book, row, tiers, 16);
    } else {
        assert(e.msg[0] != '\0');
    }
    pricebook_free(book);
    unlink(path);
    rmdir(folder);
    return 0;
}
