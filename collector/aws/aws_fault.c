/* What an error answer means. Bodies of one service come as JSON or XML, whatever was asked. */
#include "collector/aws/aws_call.h"
#include "collector/aws/aws_xml.h"
#include "core/base/json.h"

enum { LOCATION_MAX = 80 }; /* of it a message shows */

struct rule {
    const char *code; /* exact, or ends with '*' for a prefix */
    enum aws_fault_kind kind;
};

static const struct rule rules[] = {
    {"Throttling*", FAULT_THROTTLED},
    {"Throttled*", FAULT_THROTTLED},
    {"RequestThrottled*", FAULT_THROTTLED},
    {"TooManyRequests*", FAULT_THROTTLED},
    {"RequestLimitExceeded", FAULT_THROTTLED},
    {"LimitExceeded*", FAULT_THROTTLED},
    {"SlowDown", FAULT_THROTTLED},
    {"BandwidthLimitExceeded", FAULT_THROTTLED},
    {"PriorRequestNotComplete", FAULT_THROTTLED},
    {"RequestTimeout*", FAULT_PASSING},
    {"InternalFailure", FAULT_PASSING},
    {"InternalServerError", FAULT_PASSING},
    {"InternalServiceError", FAULT_PASSING},
    {"ServiceUnavailable*", FAULT_PASSING},
    {"ExpiredToken*", FAULT_EXPIRED},
    {"RequestExpired", FAULT_EXPIRED},
    {"RequestTimeTooSkewed", FAULT_CLOCK},
    {"AccessDenied*", FAULT_DENIED},
    {"UnrecognizedClient*", FAULT_DENIED},
    {"InvalidClientTokenId", FAULT_DENIED},
    {"MissingAuthenticationToken*", FAULT_DENIED},
    {"IncompleteSignature*", FAULT_DENIED},
    {"OptInRequired", FAULT_DENIED},
    {"NotAuthorized", FAULT_DENIED},
    {"ResourceNotFound*", FAULT_NOT_FOUND},
    {"QueueDoesNotExist", FAULT_NOT_FOUND},
    {"AWS.SimpleQueueService.NonExistentQueue", FAULT_NOT_FOUND},
};

static bool says_clock(struct str message)
{
    static const struct str words[] = {STR_INIT("Signature expired"),
                                       STR_INIT("Signature not yet current"),
                                       STR_INIT("not yet current")};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_find(message, words[i]) < message.n)
            return true;
    return false;
}

static bool matches(const char *pattern, struct str code)
{
    struct str p = str_from(pattern);

    return str_ends(p, STR("*")) ? str_starts(code, str_sub(p, 0, p.n - 1)) : str_eq(code, p);
}

enum aws_fault_kind aws_fault_kind_of(int http, struct str code, struct str message)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (matches(rules[i].code, code))
            return rules[i].kind;
    if (str_eq(code, STR("InvalidSignatureException")) ||
        str_eq(code, STR("SignatureDoesNotMatch")))
        return says_clock(message) ? FAULT_CLOCK : FAULT_DENIED;
    if (http == 429)
        return FAULT_THROTTLED;
    if (http >= 500 || http == 408)
        return FAULT_PASSING;
    if (http == 401 || http == 403)
        return FAULT_DENIED;
    return http == 404 ? FAULT_NOT_FOUND : FAULT_REFUSED;
}

bool aws_fault_wants_form(const struct aws_fault *f)
{
    return f->is_xml && (f->kind == FAULT_REFUSED || f->kind == FAULT_NOT_FOUND);
}

/* "com.amazonaws.sqs#QueueDoesNotExist" and "X:http://internal" -> the name. */
static struct str bare_code(struct str code)
{
    code = str_sub(code, 0, str_find_char(code, ':'));
    size_t hash = str_rfind_char(code, '#');
    return hash < code.n ? str_skip(code, hash + 1) : code;
}

static void read_json(struct str body, struct aws_fault *f, struct arena *a)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    static const char *const codes[] = {"__type", "code", "Code"};
    static const char *const messages[] = {"message", "Message", "errorMessage"};
    struct str text;

    if (json_parse(body, &d, NULL) != OK)
        return;
    for (size_t i = 0; i < ARRAY_LEN(codes) && f->code.n == 0; i++)
        if (json_str(json_get(json_root(d), codes[i]), &text))
            f->code = arena_str(a, text);
    for (size_t i = 0; i < ARRAY_LEN(messages) && f->message.n == 0; i++)
        if (json_str(json_get(json_root(d), messages[i]), &text))
            f->message = arena_str(a, text);
}

static void read_xml(struct str body, struct aws_fault *f, struct arena *a)
{
    struct str code;

    if (f->code.n == 0 && aws_xml_text(body, "Code", a, &code)) {
        f->code = code;
        f->is_xml = true;
    }
    if (!aws_xml_text(body, "Message", a, &f->message))
        f->message = (struct str){0};
}

/* Nothing of AWS that is asked here sends elsewhere: who answers is not who was meant. */
static void read_redirect(const struct http_response *r, struct aws_fault *f, struct arena *a)
{
    struct str to = http_header_get(r, "Location");

    if (f->code.n > 0 || r->status < 300 || r->status > 399)
        return;
    f->code = STR("redirect");
    f->message = arena_printf(a,
                              "it points to " STR_FMT "%s: AWS does not; is the endpoint right, "
                              "or a proxy or sign-in page in between?",
                              STR_ARG(str_sub(to, 0, LOCATION_MAX)), to.n > 0 ? "" : "nowhere");
}

struct aws_fault aws_fault_read(const struct http_response *r, int64_t now_ns, struct arena *a)
{
    struct aws_fault f = {.http = r->status, .code = http_header_get(r, "x-amzn-ErrorType")};
    struct str body = str_trim(r->body);

    if (str_starts(body, STR("<")))
        read_xml(body, &f, a);
    else
        read_json(body, &f, a);
    if (f.code.n == 0) {
        struct str legacy = http_header_get(r, "x-amzn-query-error");
        f.code = str_cut(&legacy, ';');
    }
    f.code = bare_code(f.code);
    read_redirect(r, &f, a);
    if (!retry_after_parse(http_header_get(r, "Retry-After"), now_ns, &f.asked_ns))
        f.asked_ns = 0;
    f.kind = aws_fault_kind_of(f.http, f.code, f.message);
    return f;
}
