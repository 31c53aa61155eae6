/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/check.h"

#include "codec/json/write.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* Where the reason stands in a line; what goes with it stands below it. */
#define INDENT "                                             "

#define DATE_TEXT 32

static const char *const step_names[] = {
#define X(word, name) name,
    CHECK_STEP_LIST(X)
#undef X
};

static const char *const result_names[] = { "skipped", "ok", "failed" };

static PRINTF_LIKE(2, 3) void add(struct chain *to, const char *format, ...)
{
    CLEANUP(buf_done) struct buf text;
    va_list args;
    buf_init(&text, SIZE_MAX - 1, NULL);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    chain_append(to, buf_str(&text));
}

/* RFC 3339. */
static void date_text(int64_t s, char to[DATE_TEXT])
{
    time_t seconds = (time_t)s;
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(to, DATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        to[0] = '\0';
}

static void clean(const struct check *c, const char *text, char to[ERROR_DETAIL_MAX])
{
    check_clean(c->config, text, to);
}

static void print_certificate(const struct check *c, struct chain *to)
{
    const struct upstream_certificate *certificate = &c->details.certificate;
    char text[ERROR_DETAIL_MAX], date[DATE_TEXT];
    if (!certificate->known)
        return;
    clean(c, certificate->names[0] != '\0' ? certificate->names : certificate->subject, text);
    add(to, INDENT "names    %s\n", text);
    clean(c, certificate->issuer, text);
    add(to, INDENT "issuer   %s\n", text);
    date_text(certificate->expires_s, date);
    if (certificate->expires_s != 0)
        add(to, INDENT "expires  %s\n", date);
}

static void print_step(const struct check *c, enum check_step_word word, struct chain *to)
{
    const struct check_step *step = &c->steps[word];
    char duration[32] = "";
    if (step->time_us >= 0)
        snprintf(duration, sizeof duration, "%" PRId64 ".%" PRId64 " ms", step->time_us / 1000,
                 step->time_us / 100 % 10);
    CLEANUP(buf_done) struct buf line;
    buf_init(&line, SIZE_MAX - 1, NULL);
    buf_printf(&line, "  %-18s  %-7s  %12s  %s", step_names[word], result_names[step->result],
               duration, step->reason);
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.len--;
    chain_append(to, buf_str(&line));
    chain_append_byte(to, '\n');
    if (word == CHECK_TLS)
        print_certificate(c, to);
    if (step->advice != NULL)
        add(to, INDENT "-> %s\n", step->advice);
}

static const char *url_of(const struct check *c)
{
    return c->upstream->targets[c->target].shown;
}

static const char *socket_of(const struct check *c)
{
    return c->upstream->targets[c->target].socket_shown;
}

void check_print(const struct check *c, struct chain *to)
{
    bool by_socket = socket_of(c) != NULL;
    add(to, "%s  %s%s%s\n", c->upstream->name, url_of(c), by_socket ? " by " : "",
        by_socket ? socket_of(c) : "");
    for (unsigned i = 0; i < check_n_steps(c); i++)
        print_step(c, (enum check_step_word)i, to);
}

static void add_text(struct chain *to, const char *name, const char *text)
{
    add(to, "\"%s\":", name);
    json_write_string(to, str_of(text));
}

static void add_foreign(const struct check *c, struct chain *to, const char *name, const char *text)
{
    char shown[ERROR_DETAIL_MAX];
    clean(c, text, shown);
    add_text(to, name, shown);
    chain_append_byte(to, ',');
}

/* "DNS:a.example, IP Address:192.0.2.1" */
static void add_names(const struct check *c, struct chain *to)
{
    char shown[ERROR_DETAIL_MAX];
    clean(c, c->details.certificate.names, shown);
    struct str rest = str_of(shown);
    chain_append(to, STR("\"names\":["));
    for (bool first = true; rest.len > 0; first = false) {
        size_t end = str_find(rest, ',');
        struct str name = str_trim(str_slice(rest, 0, end));
        size_t colon = str_find(name, ':');
        if (!first)
            chain_append_byte(to, ',');
        json_write_string(to, str_slice(name, colon < name.len ? colon + 1 : 0, name.len));
        rest = str_slice(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    chain_append_byte(to, ']');
}

static void add_date(struct chain *to, const char *name, int64_t s)
{
    char date[DATE_TEXT];
    date_text(s, date);
    if (s != 0)
        add_text(to, name, date);
    else
        add(to, "\"%s\":null", name);
    chain_append_byte(to, ',');
}

static void add_certificate(const struct check *c, struct chain *to)
{
    const struct upstream_certificate *certificate = &c->details.certificate;
    chain_append(to, STR("\"certificate\":"));
    if (!certificate->known) {
        chain_append(to, STR("null,"));
        return;
    }
    chain_append_byte(to, '{');
    add_foreign(c, to, "subject", certificate->subject);
    add_foreign(c, to, "issuer", certificate->issuer);
    add_date(to, "begins", certificate->begins_s);
    add_date(to, "expires", certificate->expires_s);
    add_names(c, to);
    chain_append(to, STR("},"));
}

static void add_step(const struct check *c, enum check_step_word word, struct chain *to)
{
    const struct check_step *step = &c->steps[word];
    add(to, "%s{\"step\":\"%s\",\"result\":\"%s\",", word > 0 ? "," : "", step_names[word],
        result_names[step->result]);
    if (step->time_us >= 0)
        add(to, "\"duration_ms\":%" PRId64 ".%03" PRId64 ",", step->time_us / 1000,
            step->time_us % 1000);
    else
        chain_append(to, STR("\"duration_ms\":null,"));
    add_text(to, "reason", step->reason);
    if (step->advice != NULL) {
        chain_append_byte(to, ',');
        add_text(to, "advice", step->advice);
    }
    chain_append_byte(to, '}');
}

static void add_check(const struct check *c, struct chain *to)
{
    chain_append_byte(to, '{');
    add_text(to, "url", url_of(c));
    if (socket_of(c) != NULL) {
        chain_append_byte(to, ',');
        add_text(to, "unix_socket", socket_of(c));
    }
    add(to, ",\"ok\":%s,", check_failed(c) ? "false" : "true");
    add_certificate(c, to);
    if (c->n_methods >= 0)
        add(to, "\"methods\":%ld,\"steps\":[", c->n_methods);
    else
        chain_append(to, STR("\"methods\":null,\"steps\":["));
    for (unsigned i = 0; i < check_n_steps(c); i++)
        add_step(c, (enum check_step_word)i, to);
    chain_append(to, STR("]}"));
}

static bool any_failed(const struct check *checks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (check_failed(&checks[i]))
            return true;
    return false;
}

void check_print_json(const struct check *checks, size_t n, struct chain *to)
{
    add(to, "{\"ok\":%s,\"upstreams\":[", any_failed(checks, n) ? "false" : "true");
    for (size_t i = 0; i < n;) {
        size_t n_urls = checks[i].upstream->n_targets;
        add(to, "%s{", i > 0 ? "," : "");
        add_text(to, "name", checks[i].upstream->name);
        add(to, ",\"ok\":%s,\"urls\":[", any_failed(&checks[i], n_urls) ? "false" : "true");
        for (size_t k = 0; k < n_urls; k++) {
            if (k > 0)
                chain_append_byte(to, ',');
            add_check(&checks[i + k], to);
        }
        chain_append(to, STR("]}"));
        i += n_urls;
    }
    chain_append(to, STR("]}\n"));
}
