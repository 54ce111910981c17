/* Mail: plain text in UTF-8, base64 so that no line is too long and no server touches it. The
 * Message-ID is made of the alert's message id, so that what is sent twice is one mail to programs
 * that look. */
#include "core/base/base64.h"
#include "core/base/timefmt.h"
#include "reports/notify/notify_private.h"

struct mail_config {
    struct str server, from, user;
    struct opt_list to;
    struct secret password;
    bool wants_tls;
    int64_t timeout_ns;
};

#define AT(member) offsetof(struct mail_config, member)

/* clang-format off */
static const struct opt_def options[] = {
    { .key = "server", .type = OPT_STRING, .offset = AT(server), .default_text = "smtp://127.0.0.1:25",
      .help = "smtp://HOST:PORT or smtps://HOST:PORT" },
    { .key = "from", .type = OPT_STRING, .offset = AT(from), .help = "address of the sender" },
    { .key = "to", .type = OPT_LIST, .offset = AT(to), .help = "addresses of the receivers" },
    { .key = "user", .type = OPT_STRING, .offset = AT(user), .help = "name to log in with" },
    { .key = "password_file", .type = OPT_STRING, .offset = AT(password.file),
      .help = "file that holds the password" },
    { .key = "password_env", .type = OPT_STRING, .offset = AT(password.env),
      .help = "environment variable that holds the password" },
    { .key = "tls", .type = OPT_BOOL, .offset = AT(wants_tls),
      .help = "refuse a server without STARTTLS; without, it is used where it is offered" },
    { .key = "timeout", .type = OPT_DURATION, .offset = AT(timeout_ns), .default_text = NOTIFY_TIMEOUT,
      .help = "longest time one attempt may take" },
    { 0 },
};
/* clang-format on */

static enum status check(const void *config, struct err *e)
{
    const struct mail_config *c = config;

    if (c->from.n == 0 || c->to.count == 0)
        return err_set(e, ERR_CONFIG, "from and to are needed");
    if (str_find_char(c->server, '@') < c->server.n)
        return err_set(e, ERR_CONFIG,
                       "server: no name and password in the address, which is logged: say user and "
                       "password_file or password_env");
    return secret_check(&c->password, "password", c->user.n == 0, e);
}

#define WORD_BYTES 42u /* of text in one encoded word: the first line stays below 78 (RFC 2047) */
#define LINE_BYTES 57u /* of text in one line of base64: 76 characters */

/* Cuts at most `most` bytes off, never inside a character of UTF-8. */
static struct str cut_chars(struct str *rest, size_t most)
{
    size_t n = rest->n < most ? rest->n : most;

    while (n > 1 && n < rest->n && ((unsigned char)rest->p[n] & 0xC0) == 0x80)
        n--;
    struct str part = str_sub(*rest, 0, n);
    *rest = str_skip(*rest, n);
    return part;
}

/* Always encoded: nothing in a name can end the header or begin another. */
static void add_subject(struct buf *b, struct str title)
{
    buf_add_z(b, "Subject:");
    while (title.n > 0) {
        buf_add_z(b, " =?UTF-8?B?");
        base64_add(b, cut_chars(&title, WORD_BYTES));
        buf_add_z(b, title.n > 0 ? "?=\r\n" : "?=");
    }
    buf_add_z(b, "\r\n");
}

static void add_date(struct buf *b, int64_t now_ns)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct civil c = time_civil(now_ns);

    buf_addf(b, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[c.weekday], c.day,
             months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

/* Only letters, digits, '-' and '.' stay: the id holds the notifier's name, which is free text. */
static void add_message_id(struct buf *b, struct str id)
{
    buf_add_z(b, "Message-ID: <");
    for (size_t i = 0; i < id.n; i++) {
        const char c = id.p[i];
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.';
        buf_add_c(b, is_plain ? c : '_');
    }
    buf_add_z(b, "@fnscope>\r\n");
}

static void add_addresses(struct buf *b, const struct mail_config *c)
{
    buf_addf(b, "From: fnscope <" STR_FMT ">\r\nTo: ", STR_ARG(c->from));
    for (size_t i = 0; i < c->to.count; i++)
        buf_addf(b, "%s" STR_FMT, i ? ",\r\n " : "", STR_ARG(c->to.items[i]));
    buf_add_z(b, "\r\n");
}

static void add_body(struct buf *b, const struct outbox_entry *m, int64_t now_ns)
{
    AUTO(buf_clear) struct buf text = {.max = 32768};

    notify_text(&text, m, now_ns);
    for (struct str rest = buf_str(&text); rest.n > 0;) {
        base64_add(b, str_sub(rest, 0, LINE_BYTES));
        buf_add_z(b, "\r\n");
        rest = str_skip(rest, LINE_BYTES);
    }
}

static void add_mail(struct buf *b, const struct mail_config *c, const struct outbox_entry *m,
                     int64_t now_ns)
{
    AUTO(buf_clear) struct buf title = {.max = 4096};

    notify_title(&title, m);
    add_addresses(b, c);
    add_subject(b, buf_str(&title));
    add_date(b, now_ns);
    add_message_id(b, m->id);
    buf_addf(b, "X-Fnscope-Alert: %.16s\r\nAuto-Submitted: auto-generated\r\n",
             m->alert.key.n >= 16 ? m->alert.key.p : "");
    buf_add_z(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n");
    add_body(b, m, now_ns);
}

static enum status send_mail(const void *config, const struct notify_env *env,
                             const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf message = {.max = 128u << 10};
    AUTO(buf_clear) struct buf refused = {.max = 4096};
    const struct mail_config *c = config;
    struct mail mail = {
        .server = c->server,
        .user = c->user,
        .from = c->from,
        .to = c->to.items,
        .n_to = c->to.count,
        .timeout_ns = c->timeout_ns,
        .wants_tls = c->wants_tls,
        .refused = &refused,
    };

    if (secret_read(&c->password, env->arena, &mail.password, e) != OK)
        return err_wrap(e, "mail");
    add_mail(&message, c, m, env->now_ns);
    mail.message = buf_str(&message);
    enum status status = buf_check(&message, "the mail", e);
    if (status == OK)
        status = mailer_send(env->mailer, &mail, e);
    const struct str left_out = buf_str(&refused);
    if (status != OK)
        return left_out.n > 0 ? err_wrap(e, "mail to " STR_FMT, STR_ARG(left_out))
                              : err_wrap(e, "mail");
    if (left_out.n > 0 && env->left_out)
        *env->left_out = arena_printf(env->arena, "not to " STR_FMT, STR_ARG(left_out));
    return OK;
}

const struct notifier_ops notify_mail = {
    .type = "mail",
    .help = "mail through an SMTP server",
    .options = options,
    .config_size = sizeof(struct mail_config),
    .check = check,
    .send = send_mail,
};
