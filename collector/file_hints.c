/* What a file says about its function beside its events: ARNs in its first platform records, its
 * path. Only what is certain is used: two different names in the head, and none is taken. */
#include "collector/file_hints.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/generic/generic.h"
#include "collector/lines.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

/* The function that all platform records name. */
struct speakers {
    struct agreed function;
    bool has_streams, has_platform;
};

static void agree(struct agreed *g, struct str value)
{
    if (value.n == 0)
        return;
    if (g->value.n > 0 && !str_eq(g->value, value))
        g->is_disputed = true;
    g->value = value;
}

/* "checkout" of "arn:aws:lambda:eu-west-1:123456789012:function:checkout". */
static struct str function_of_arn(struct str arn)
{
    enum { FIELDS = 7, KIND = 5 };
    struct str rest = arn, fields[FIELDS] = {{0}};

    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = str_cut(&rest, ':');
    return str_eq(fields[KIND], STR("function")) ? fields[KIND + 1] : (struct str){0};
}

static void hear(struct speakers *h, const struct batch *b)
{
    for (size_t i = 0; i < b->n_records; i++) {
        const struct platform_event *p = b->records[i].platform;
        h->has_streams |= b->records[i].origin->instance.n > 0;
        if (p == NULL)
            continue;
        h->has_platform = true;
        agree(&h->function, function_of_arn(p->function_arn));
        agree(&h->function, p->function_name);
    }
}

static void decode_head(const struct decoder_ops *decoder, const struct decode_input *head,
                        struct batch *out)
{
    void *state = xcalloc(1, decoder->state_size);
    size_t used;
    /* Whatever it cannot take is met again when the file is read. */
    enum status ignored = decoder->decode(state, head, out, &used, NULL);

    UNUSED(ignored);
    if (decoder->close != NULL)
        decoder->close(state);
    free(state);
}

/* --- path
 * -------------------------------------------------------------------------------------------------
 */

static struct str last_part(struct str *path)
{
    size_t slash = str_rfind_char(*path, '/');
    struct str part = slash < path->n ? str_skip(*path, slash + 1) : *path;
    *path = slash < path->n ? str_sub(*path, 0, slash) : (struct str){0};
    return part;
}

/* "2023-06-02-[72]88ab...": a stream name whose slashes became dashes in an S3 export. */
static struct str exported_stream(struct str folder, struct arena *a)
{
    struct str function, version, environment;
    char *name = arena_strz(a, folder);

    if (folder.n < 12 || name[4] != '-' || name[7] != '-' || name[10] != '-')
        return (struct str){0};
    name[4] = name[7] = name[10] = '/';
    struct str stream = {name, folder.n};
    return aws_stream_parse(stream, &function, &version, &environment) ? stream : (struct str){0};
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* "checkout.json.gz" -> "checkout" */
static struct str stem(struct str name)
{
    static const struct str endings[] = {{".gz", 3},     {".zst", 4},   {".json", 5},
                                         {".ndjson", 7}, {".jsonl", 6}, {".log", 4},
                                         {".txt", 4},    {".csv", 4},   {".tsv", 4}};
    for (size_t i = 0; i < ARRAY_LEN(endings) * 2; i++) {
        struct str ending = endings[i % ARRAY_LEN(endings)];
        if (name.n > ending.n && str_ends(name, ending))
            name.n -= ending.n;
    }
    return name;
}

/* The stream: a folder of an S3 export, or the file where all its events are of one stream. */
static struct str stream_of_path(struct str folder, struct str name, bool is_one_stream,
                                 struct arena *a)
{
    struct str stream = exported_stream(folder, a);
    if (stream.n == 0 && is_one_stream)
        stream = exported_stream(name, a);
    return stream.n == 0 && is_one_stream ? arena_str(a, name) : stream;
}

static bool hints_of_path(struct import_defaults *d, struct str path, bool is_one_stream,
                          struct arena *a)
{
    struct str name = stem(last_part(&path));
    struct str folder = last_part(&path);
    struct str stream = stream_of_path(folder, name, is_one_stream, a);

    if (d->instance.n == 0)
        d->instance = stream;
    if (exported_stream(folder, a).n > 0) {
        last_part(&path); /* the export task's id */
        name = last_part(&path);
    }
    if (name.n == 0 || is_number(name) || str_eq(name, STR("-")))
        name = folder.n > 0 ? folder : str_eq(name, STR("-")) ? STR("stdin") : name;
    if (d->function.n > 0 || aws_group_function(d->log_group).n > 0)
        return false;
    d->function = arena_str(a, name);
    return true;
}

static bool is_lambda_stream(struct str name)
{
    struct str function, version, environment;

    return aws_stream_parse(name, &function, &version, &environment);
}

static bool lacks_times(const struct batch *b)
{
    for (size_t i = 0; i < b->n_records; i++)
        if (b->records[i].is_time_borrowed)
            return true;
    return false;
}

static bool holds_platform(struct str text)
{
    static const struct str openings[] = {{"START RequestId: ", 17}, {"REPORT RequestId: ", 18}};

    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_find(text, openings[i]) < text.n)
            return true;
    return false;
}

static bool looks_like_json(struct str head)
{
    const bool is_array = str_starts(head, STR("["));
    const struct str inside = str_trim(str_skip(head, is_array));

    return str_starts(inside, STR("{")) || (is_array && str_starts(inside, STR("[")));
}

/* Events were read, none of the platform's, whose lines are in sight. */
static void say_hidden(const struct speakers *h, const struct decode_input *head,
                       const struct batch *b)
{
    if (!h->has_platform && b->n_records > 0 && holds_platform(head->bytes))
        log_event(LOG_WARN,
                  "import: " STR_FMT ": the form of its lines is not known: START and REPORT stand "
                  "inside other text, so no invocation is read from them; %s",
                  STR_ARG(head->path),
                  looks_like_json(head->bytes) ? "let its members be called timestamp and message"
                                               : "cut that text off first");
}

/* GetLogEvents answers do not name the stream they are of: there is only one. */
bool file_hints(struct import_defaults *d, const struct decoder_ops *decoder,
                const struct decode_input *head, struct arena *a, struct file_heard *heard)
{
    assert(head->defaults == d);
    struct speakers h = {0};
    struct batch *b = batch_new();

    decode_head(decoder, head, b);
    hear(&h, b);
    if (d->function.n == 0 && !h.function.is_disputed && h.function.value.n > 0)
        d->function = arena_str(a, h.function.value);
    bool is_one_stream = !h.has_streams && decoder == &aws_cloudwatch_json;
    const bool is_named = d->instance.n > 0;
    bool is_guessed = hints_of_path(d, head->path, is_one_stream, a);
    if (is_one_stream && !is_named && !is_lambda_stream(d->instance))
        stream_clues_read(&heard->clues, b, a);
    whereabouts_note_file(heard->whereabouts, b, d);
    stream_book_note(&heard->whereabouts->streams, b, d->function);
    heard->lacks_times = lacks_times(b);
    heard->is_untimed = b->counts.untimed > 0;
    say_hidden(&h, head, b);
    batch_free(b);
    return is_guessed;
}

/* --- what is no log
 * -----------------------------------------------------------------------------------------------
 */

/* What --query 'events[].message' --output json makes. */
static bool is_message_list(struct str head)
{
    static const struct str lines[] = {
        {"\"START RequestId: ", 18}, {"\"REPORT RequestId: ", 19}, {"\"INIT_START ", 12}};
    const struct str look = str_sub(head, 0, 4096);

    if (!str_starts(look, STR("[")) || !str_starts(str_trim(str_skip(look, 1)), STR("\"")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (str_find(look, lines[i]) < look.n)
            return true;
    return false;
}

static bool begins_with_member(struct str head, struct str name)
{
    return str_starts(head, STR("{")) && str_starts(str_trim(str_skip(head, 1)), name);
}

/* JSON documents of other tools: one object, so they would pass for one line of a function. */
static const char *other_document(struct str look)
{
    static const struct {
        struct str opening, inside[2];
        const char *reason;
    } kinds[] = {
        {STR_INIT("\"resourceLogs\""),
         {{0}},
         "OpenTelemetry logs; their records: jq -c '.resourceLogs[].scopeLogs[].logRecords[]' FILE "
         "| fnscope import -"},
        {STR_INIT("\"status\""),
         {STR_INIT("\"resultType\""), STR_INIT("\"streams\"")},
         "an answer of Loki; its lines: jq -r '.data.result[].values[]|\"\\(.[0]) \\(.[1])\"' FILE "
         "| "
         "fnscope import -"},
        {STR_INIT("\"took\""),
         {STR_INIT("\"hits\""), STR_INIT("\"_source\"")},
         "an answer of Elasticsearch; its hits: jq -c '.hits.hits[]' FILE | fnscope import -"},
        {STR_INIT("\"data\""),
         {STR_INIT("\"attributes\""), STR_INIT("\"log\"")},
         "an answer of Datadog; its logs: jq -c '.data[]' FILE | fnscope import -"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (begins_with_member(look, kinds[i].opening) &&
            str_find(look, kinds[i].inside[0]) < look.n &&
            str_find(look, kinds[i].inside[1]) < look.n)
            return kinds[i].reason;
    return NULL;
}

/* A table of Logs Insights: its columns have an @. */
static bool lacks_message(struct str head)
{
    const struct str first = str_sub(head, 0, str_find_char(head, '\n'));

    return (str_starts(first, STR("@")) || str_starts(first, STR("\"@"))) &&
           str_find(first, STR(",")) < first.n && str_find(first, STR("@message")) == first.n;
}

/* Logs in a form that another command makes: said is what to do instead. */
static const char *known_other(struct str head)
{
    static const struct {
        struct str opening, inside; /* inside: somewhere behind it; empty: the opening is enough */
        const char *reason;
    } kinds[] = {
        {{"EVENTS\t", 7}, {"\t", 1}, "text of --output text; export again with --output json"},
        {{"b/", 2}, {"\nEVENTS\t", 8}, "text of --output text; export again with --output json"},
        {{"events:", 7}, {"timestamp:", 10}, "YAML; export again with --output json"},
        {{"- event", 7}, {"timestamp:", 10}, "YAML; export again with --output json"},
        {{"---", 3},
         {"LogEvents", 9},
         "a table of --output table; export again with --output json"},
        {{"{'", 2}, {"'message'", 9}, "Python's own notation, no JSON; write it with json.dumps"},
        {{"[{'", 3}, {"'message'", 9}, "Python's own notation, no JSON; write it with json.dumps"},
        {{"H4sI", 4},
         {0},
         "base64 of gzip data; decode it first: base64 -d FILE | fnscope import -"},
        {{"U1RBUlQgUmVxdWVzdElk", 20},
         {0}, /* START RequestId */
         "base64 of log lines; decode it first: base64 -d FILE | fnscope import -"},
    };
    const struct str look = str_sub(head, 0, 4096);

    if (is_message_list(head))
        return "messages without their times; export them with "
               "--query 'events[].[timestamp,logStreamName,message]'";
    if (lacks_message(head))
        return "a table of Logs Insights without @message; query: fields @timestamp, @message, "
               "@logStream, @log";
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(look, kinds[i].opening) &&
            (kinds[i].inside.n == 0 || str_find(look, kinds[i].inside) < look.n))
            return kinds[i].reason;
    return str_find(look, STR("\"LogResult\"")) == look.n
               ? other_document(look)
               : "an answer of lambda invoke; its log: jq -r .LogResult FILE | base64 -d | fnscope "
                 "import -";
}

/* POSIX.1, pax: the magic of a ustar header, of old GNU archives too. */
#define TAR_MAGIC_AT 257u

const char *file_refusal(struct str head)
{
    static const struct {
        struct str magic;
        const char *reason;
    } kinds[] = {
        {{"\xFF\xFE", 2}, "UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8"},
        {{"\xFE\xFF", 2}, "UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8"},
        {{"PK\x03\x04", 4}, "a zip archive; unpack it and import the files"},
        {{"BZh", 3}, "bzip2 data; unpack it with bunzip2"},
        {{"\xFD"
          "7zXZ",
          5},
         "xz data; unpack it with unxz"},
        {{"SQLite format 3", 15}, "an SQLite database; log files are imported"},
    };
    struct str look = str_sub(head, 0, 4096);
    size_t strange = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(head, kinds[i].magic))
            return kinds[i].reason;
    if (str_starts(str_skip(look, TAR_MAGIC_AT), STR("ustar")))
        return "a tar archive; unpack it and import the folder: tar -xf FILE";
    for (size_t i = 0; i < look.n; i++) {
        unsigned char c = (unsigned char)look.p[i];
        if (c == 0)
            return "binary data";
        strange += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != 0x1B;
    }
    return strange * 10 > look.n ? "binary data" : known_other(head);
}
