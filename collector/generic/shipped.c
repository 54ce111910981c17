/* One table of where the tools put text, time and place, a row each. A record is a tool's if it has
 * text and time there and the member that only the tool writes beside them. */
#include "collector/generic/shipped.h"

#include <assert.h>

#include "core/base/jsonpull.h"

/* Names of members, one inside the other: "attributes/message". */
static const struct shipper {
    struct str proof, message, time, place;
} shippers[] = {
    /* Datadog, v2 Logs Search API */
    {STR_INIT("type"), STR_INIT("attributes/message"), STR_INIT("attributes/timestamp"),
     STR_INIT("attributes/attributes")},
    /* Grafana Loki, logcli query -o jsonl */
    {STR_INIT("labels"), STR_INIT("line"), STR_INIT("timestamp"), STR_INIT("labels")},
    /* Elasticsearch and OpenSearch, hits of a search; the names of Beats, and of AWS's function
     * that ships log groups to OpenSearch */
    {STR_INIT("_index"), STR_INIT("_source/message"), STR_INIT("_source/@timestamp"),
     STR_INIT("_source")},
    {STR_INIT("_index"), STR_INIT("_source/@message"), STR_INIT("_source/@timestamp"),
     STR_INIT("_source")},
    /* Splunk, search -output json and services/search/jobs/export */
    {STR_INIT("result"), STR_INIT("result/_raw"), STR_INIT("result/_time"), STR_INIT("result")},
    /* OTLP, LogRecord in JSON */
    {STR_INIT("timeUnixNano"), STR_INIT("body/stringValue"), STR_INIT("timeUnixNano"),
     STR_INIT("")},
    /* journalctl -o json */
    {STR_INIT("__REALTIME_TIMESTAMP"), STR_INIT("MESSAGE"), STR_INIT("__REALTIME_TIMESTAMP"),
     STR_INIT("")},
};

/* The member's value as it stands; empty: there is none. */
static struct str member(struct str object, struct str name, struct arena *a)
{
    struct str key, value;
    struct jp j;

    jp_init(&j, object, a);
    if (!jp_enter(&j, '{'))
        return (struct str){0};
    while (jp_member(&j, &key)) {
        if (!jp_raw(&j, &value))
            break;
        if (str_eq(key, name))
            return value;
    }
    return (struct str){0};
}

static struct str follow(struct str object, struct str path, struct arena *a)
{
    while (path.n > 0 && object.n > 0)
        object = member(object, str_cut(&path, '/'), a);
    return object;
}

/* A string unescaped, or a number. */
static struct str text_at(struct str object, struct str path, struct arena *a)
{
    struct str text = {0};
    struct jp j;

    jp_init(&j, follow(object, path, a), a);
    if (jp_peek(&j) == JP_STRING ? jp_string(&j, &text) : jp_number(&j, &text))
        return text;
    return (struct str){0};
}

bool shipped_read(struct str object, struct arena *a, struct shipped *out)
{
    for (size_t i = 0; i < ARRAY_LEN(shippers); i++) {
        const struct shipper *s = &shippers[i];
        assert(s->proof.n > 0 && s->message.n > 0 && s->time.n > 0);
        if (str_find(object, s->proof) == object.n || follow(object, s->proof, a).n == 0)
            continue;
        out->message = text_at(object, s->message, a);
        out->time = text_at(object, s->time, a);
        out->place = s->place.n > 0 ? follow(object, s->place, a) : (struct str){0};
        if (out->message.n > 0 && out->time.n > 0)
            return true;
    }
    return false;
}
