/* Lines whose message has its tabs and line ends written as two characters. */
#include "collector/line_escapes.h"

#include "collector/line_prefix.h"

/* What jq's @tsv puts for a line end, tab, carriage return and backslash; 0: no escape of its. */
static char escaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == '\\' ? '\\' : '\0';
}

/* A tab or an escape of another kind (JSON's \") shows that the message stands there as it is. */
static bool may_be_escaped(struct str message, bool *ends_line)
{
    *ends_line = false;
    for (size_t i = 0; i < message.n; i++) {
        if (message.p[i] == '\t')
            return false;
        if (message.p[i] != '\\')
            continue;
        i++;
        if (i == message.n || escaped(message.p[i]) == '\0')
            return false;
        *ends_line = i + 1 == message.n && message.p[i] == 'n';
    }
    return true;
}

/* All lines have a time and a tab in front, none a tab beyond the columns, and what is the end of
 * most events of Lambda stands at that of some line: \n. The head's last line may be cut. */
bool escapes_are_of(struct str head)
{
    size_t n_ended = 0;
    bool ends_line;

    while (str_find_char(head, '\n') < head.n) {
        struct raw_event ev = {0};
        const struct str line = str_cut(&head, '\n');
        if (!prefix_read_loose(line, &ev) || ev.body.p[-1] != '\t' ||
            !may_be_escaped(str_trim_right(ev.body), &ends_line))
            return false;
        n_ended += ends_line;
    }
    return n_ended > 0;
}

struct str escapes_undo(struct str message, struct arena *a)
{
    char *copy = arena_alloc(a, message.n);
    size_t n = 0;

    for (size_t i = 0; i < message.n; i++) {
        const char meant =
            message.p[i] == '\\' && i + 1 < message.n ? escaped(message.p[i + 1]) : '\0';
        copy[n++] = meant != '\0' ? meant : message.p[i];
        i += meant != '\0';
    }
    return (struct str){copy, n};
}
