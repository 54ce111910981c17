/* What the option table says to people: help lines, manual entries. */
#include "core/base/opt.h"

#include <string.h>

#include "core/base/opt_types.h"
#include "core/base/utf8.h"

#define HELP_WIDTH  80u
#define HELP_INDENT 30u

static bool is_end(const struct opt_def *d)
{
    return !d->key && !d->flag;
}

static const char *value_name(const struct opt_def *d)
{
    return d->value_name ? d->value_name : opt_types[d->type].value_name;
}

/* "  -f, --function GLOB" */
static void flag_column(struct buf *out, const struct opt_def *d)
{
    if (d->letter)
        buf_addf(out, "  -%c, --%s", d->letter, d->flag);
    else
        buf_addf(out, "      --%s", d->flag);
    if (value_name(d))
        buf_addf(out, " %s", value_name(d));
}

static void add_choices(struct buf *out, const struct opt_def *d)
{
    for (size_t i = 0; d->choices && d->choices[i]; i++)
        buf_addf(out, "%s%s", i ? ", " : ": ", d->choices[i]);
}

static void help_line(struct buf *out, const struct opt_def *d)
{
    AUTO(buf_clear) struct buf text = {.max = 4096};
    AUTO(buf_clear) struct buf left = {.max = 4096};

    flag_column(&left, d);
    buf_add_z(&text, d->help);
    add_choices(&text, d);
    if (d->default_text && *d->default_text)
        buf_addf(&text, " (default %s)", d->default_text);
    buf_add_str(out, buf_str(&left));
    if (left.n + 2 > HELP_INDENT)
        buf_add_c(out, '\n');
    buf_add_repeat(out, ' ', left.n + 2 > HELP_INDENT ? HELP_INDENT : HELP_INDENT - left.n);
    utf8_wrap(out, buf_str(&text), HELP_WIDTH, HELP_INDENT);
}

void opt_help(struct buf *out, const struct opt_def *defs)
{
    for (; !is_end(defs); defs++)
        if (defs->flag)
            help_line(out, defs);
}

/* Text with backslashes escaped and its first letter in capitals, ended by a full stop. */
static void sentence(struct buf *out, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        char c = i == 0 && text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
        if (c == '\\')
            buf_add_z(out, "\\e");
        else
            buf_add_c(out, c);
    }
}

static void mdoc_entry(struct buf *out, const struct opt_def *d)
{
    buf_add_z(out, ".It");
    if (d->letter)
        buf_addf(out, " Fl %c ,", d->letter);
    buf_addf(out, " Fl \\-%s", d->flag);
    if (value_name(d))
        buf_addf(out, " Ar %s", value_name(d));
    buf_add_c(out, '\n');
    sentence(out, d->manual ? d->manual : d->help);
    add_choices(out, d);
    buf_add_z(out, d->manual ? "\n" : ".\n");
    if (d->default_text && *d->default_text)
        buf_addf(out, "The default is\n.Ql %s .\n", d->default_text);
    if (d->key)
        buf_addf(out, "Configuration key\n.Ic %s .\n", d->key);
}

void opt_mdoc(struct buf *out, const struct opt_def *defs)
{
    for (; !is_end(defs); defs++)
        if (defs->flag)
            mdoc_entry(out, defs);
}
