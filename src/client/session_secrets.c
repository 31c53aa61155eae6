/* SPDX-License-Identifier: Apache-2.0 */
/* What of sessions is hidden in foreign text: what their logins gave, and their cookies. */
#include "client/session_store.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"

#include <stdlib.h>
#include <string.h>

/* A text that is not whole would leave secrets unhidden. */
static void must_be_whole(const struct buf *text)
{
    if (!buf_ok(text))
        die_without_memory();
}

/* Of sessions that have ended: answers come late. */
#define FORMER_MAX ((size_t)64)
#define FORMER_BYTES_MAX ((size_t)16 * 1024)

static void add_secret(struct buf *to, struct str text)
{
    if (text.len < SECRET_MIN || memchr(text.data, '\0', text.len) != NULL)
        return;
    buf_append(to, text);
    buf_append_byte(to, '\0');
}

static void add_string(struct buf *to, struct str quoted)
{
    struct buf text;
    buf_init(&text, quoted.len, NULL);
    json_unquote(quoted, &text);
    must_be_whole(&text);
    add_secret(to, buf_str(&text));
    buf_wipe(&text);
}

/* Behind the string that begins there. */
static size_t string_end(struct str json, size_t at)
{
    for (at++; at < json.len && json.data[at] != '"'; at++)
        at += json.data[at] == '\\';
    return at < json.len ? at + 1 : json.len;
}

static bool is_name(struct str json, size_t end)
{
    while (end < json.len && (unsigned char)json.data[end] <= ' ')
        end++;
    return end < json.len && json.data[end] == ':';
}

/* All strings and numbers, however deep, but for the names of members. */
static void add_json_secrets(struct buf *to, struct str json)
{
    for (size_t at = 0, end; at < json.len; at = end) {
        end = at + 1;
        if (json.data[at] == '"') {
            end = string_end(json, at);
            if (!is_name(json, end))
                add_string(to, str_slice(json, at, end));
        } else if (strchr("{}[]:, \t\r\n", json.data[at]) == NULL) {
            while (end < json.len && strchr("{}[]:, \t\r\n\"", json.data[end]) == NULL)
                end++;
            add_secret(to, str_slice(json, at, end));
        }
    }
}

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c | (c >= 'A' ? 0x20 : 0));
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

static void append_decoded(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? digit_of(text.data[i + 1]) : -1;
        int low = high >= 0 ? digit_of(text.data[i + 2]) : -1;
        bool is_code = text.data[i] == '%' && high >= 0 && low >= 0;
        buf_append_byte(to, is_code ? (char)(high * 16 + low) : text.data[i]);
        i += is_code ? 2 : 0;
    }
}

/* As it is sent, without its quotes (RFC 6265 section 4.1.1), and as the server wrote it before it
 * was encoded. */
static void add_cookie(struct buf *to, struct str value)
{
    struct buf decoded;
    add_secret(to, value);
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
        value = str_slice(value, 1, value.len - 1);
        add_secret(to, value);
    }
    if (memchr(value.data, '%', value.len) == NULL)
        return;
    buf_init(&decoded, value.len, NULL);
    append_decoded(&decoded, value);
    must_be_whole(&decoded);
    add_secret(to, buf_str(&decoded));
    buf_wipe(&decoded);
}

static void add_cookies(struct buf *to, const struct held_session *held)
{
    for (size_t i = 0; i < held->n_cookies; i++)
        add_cookie(to, str_of(held->cookies[i].value));
}

/* What is named is; of a result that is used as a whole all is. */
static void add_values(struct buf *to, const struct held_session *held)
{
    bool has_names = held->n_values > TEMPLATE_KEPT;
    struct str whole = held->n_values > 0 ? held->values[TEMPLATE_SESSION] : STR("");
    for (size_t i = TEMPLATE_KEPT; i < held->n_values; i++)
        add_json_secrets(to, held->values[i]);
    bool is_one = whole.len > 0 && strchr("{[", whole.data[0]) == NULL;
    if (!has_names || held->is_used_whole || is_one)
        add_json_secrets(to, whole);
}

bool held_session_is_small(const struct held_session *held)
{
    struct buf all;
    buf_init(&all, SIZE_MAX - 1, NULL);
    add_values(&all, held);
    must_be_whole(&all);
    bool ret = all.len <= SESSION_SECRETS_MAX;
    buf_wipe(&all);
    return ret;
}

/* Splits texts with NULs; `items` has room for all. */
static size_t split(const struct buf *texts, struct str *items)
{
    size_t n = 0;
    for (size_t at = 0; at < texts->len; n++) {
        items[n] = str_of(texts->data + at);
        at += items[n].len + 1;
    }
    return n;
}

static size_t count(const struct buf *texts)
{
    size_t n = 0;
    for (size_t i = 0; i < texts->len; i++)
        n += texts->data[i] == '\0';
    return n;
}

/* The oldest of too many are forgotten. */
static void trim_former(struct session_store *s)
{
    while (count(&s->former) > FORMER_MAX || s->former.len > FORMER_BYTES_MAX) {
        size_t first = strlen(s->former.data) + 1;
        memmove(s->former.data, s->former.data + first, s->former.len - first);
        s->former.len -= first;
    }
}

void session_secrets_changed(struct session_store *s)
{
    hidden_unref(TAKE(s->hidden));
}

void session_secrets_remember(struct session_store *s, const struct held_session *held)
{
    add_values(&s->former, held);
    add_cookies(&s->former, held);
    must_be_whole(&s->former);
    trim_former(s);
}

/* What is replaced may still be told in the same answer. */
void session_store_take_cookie(struct session_store *s, struct held_session *held, struct str value)
{
    CLEANUP(buf_wipe) struct buf before;
    buf_init(&before, SIZE_MAX - 1, NULL);
    pthread_mutex_lock(&s->lock);
    add_cookies(&before, held);
    if (held_session_take_cookie(held, value)) {
        must_be_whole(&before);
        buf_append(&s->former, buf_str(&before));
        must_be_whole(&s->former);
        trim_former(s);
        session_secrets_changed(s);
    }
    pthread_mutex_unlock(&s->lock);
}

/* Under the lock. NULL: there is nothing yet that the configuration has not. */
static struct hidden *make_hidden(struct session_store *s, const struct config *config)
{
    struct buf all;
    buf_init(&all, SIZE_MAX - 1, NULL);
    buf_append(&all, buf_str(&s->former));
    LIST_EACH (&s->sessions.all, at, following) {
        const struct held_session *held = CONTAINER_OF(at, struct held_session, session.in_all);
        add_values(&all, held);
        add_cookies(&all, held);
    }
    must_be_whole(&all);
    struct str *items = xcalloc(count(&all) + 1, sizeof *items);
    size_t n = split(&all, items);
    struct hidden *ret = n > 0 ? hidden_new(config, items, n) : NULL;
    free(items);
    buf_wipe(&all);
    return ret;
}

struct hidden *session_store_hidden(struct session_store *s, struct config *config)
{
    if (s == NULL)
        return NULL;
    pthread_mutex_lock(&s->lock);
    if (s->hidden == NULL || s->hidden_for != config) {
        hidden_unref(s->hidden);
        s->hidden = make_hidden(s, config);
        config_ref(config);
        config_unref(s->hidden_for);
        s->hidden_for = config;
    }
    struct hidden *ret = s->hidden != NULL ? hidden_ref(s->hidden) : NULL;
    pthread_mutex_unlock(&s->lock);
    return ret;
}
