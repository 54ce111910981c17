/* The peer of the page reader: only parses FilterLogEvents pages with jansson and throws the trees
 * away. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *p = malloc(*n + 1);
    if (p && fread(p, 1, *n, f) != *n)
        *n = 0;
    fclose(f);
    return p;
}

/* A file may hold many documents, one after the other. */
static size_t parse_all(const char *p, size_t n)
{
    size_t events = 0;

    while (n > 0 && *p) {
        json_error_t e;
        json_t *doc = json_loadb(p, n, JSON_DISABLE_EOF_CHECK, &e);
        if (!doc)
            break;
        events += json_array_size(json_object_get(doc, "events"));
        json_decref(doc);
        p += e.position;
        n -= (size_t)e.position;
    }
    return events;
}

static size_t parse_file(const char *path)
{
    size_t n = 0;
    char *p = read_file(path, &n);
    size_t events = p ? parse_all(p, n) : 0;

    free(p);
    return events;
}

/* Files of a folder and of the folders in it. */
static size_t parse_path(const char *path)
{
    size_t events = 0;
    char below[4096];
    DIR *d = opendir(path);

    if (!d)
        return parse_file(path);
    for (struct dirent *f = readdir(d); f; f = readdir(d)) {
        if (f->d_name[0] == '.')
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, f->d_name);
        events += parse_path(below);
    }
    closedir(d);
    return events;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    printf("%zu events\n", parse_path(argv[1]));
    return 0;
}
