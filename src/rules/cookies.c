/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cookies.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "rules/cookie_date.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* No cookie is kept for longer, as browsers have it. [s] */
#define AGE_MAX_S ((int64_t)400 * 24 * 3600)

struct cookie {
    int64_t set_ms, expires_ms; /* monotonic; CLOCK_NEVER: with the process */
    bool host_only, safe_only;
    struct str name, value, domain, path; /* in `texts` */
    char texts[];
};

/* What a Set-Cookie says. */
struct words {
    struct str name, value, domain, path;
    bool has_domain, has_path, safe_only, has_age, has_expires;
    int64_t age_s, expires_s;
};

static bool ends_with(struct str text, struct str end)
{
    return text.len >= end.len && str_eq(str_slice(text, text.len - end.len, text.len), end);
}

static bool is_address(struct str host)
{
    char copy[INET_ADDRSTRLEN];
    struct in_addr ignored;
    if (host.len > 0 && host.data[0] == '[')
        return true;
    if (host.len >= sizeof copy)
        return false;
    memcpy(copy, host.data, host.len);
    copy[host.len] = '\0';
    return inet_pton(AF_INET, copy, &ignored) == 1;
}

static bool is_this_machine(struct str host)
{
    return str_eq(host, STR("localhost")) || str_eq(host, STR("127.0.0.1")) ||
           str_eq(host, STR("[::1]")) || ends_with(host, STR(".localhost"));
}

bool cookie_place_of(const char *url, char *room, size_t size, struct cookie_place *ret)
{
    struct str rest = str_of(url);
    size_t colon = str_find(rest, ':');
    bool has_tls = str_eq(str_slice(rest, 0, colon), STR("https"));
    rest = str_slice(rest, colon + 3, rest.len);
    size_t path = str_find(rest, '/');
    struct str host = str_slice(rest, 0, path);
    size_t end = host.len > 0 && host.data[0] == '[' ? str_find(host, ']') + 1 : 0;
    end += str_find(str_slice(host, end, host.len), ':');
    if (end > size)
        return false;
    for (size_t i = 0; i < end; i++)
        room[i] =
            (char)(host.data[i] >= 'A' && host.data[i] <= 'Z' ? host.data[i] | 0x20 : host.data[i]);
    ret->host = (struct str){ room, end };
    ret->path = str_slice(rest, path, path + str_find(str_slice(rest, path, rest.len), '?'));
    ret->is_safe = has_tls || is_this_machine(ret->host);
    return true;
}

/* RFC 6265 section 5.1.3. */
static bool domain_matches(struct str domain, struct str host)
{
    if (str_eq(domain, host))
        return true;
    return host.len > domain.len && ends_with(host, domain) &&
           host.data[host.len - domain.len - 1] == '.' && !is_address(host);
}

/* RFC 6265 section 5.1.4. */
static bool path_matches(struct str cookie, struct str path)
{
    if (!str_starts_with(path, cookie))
        return false;
    return path.len == cookie.len || cookie.data[cookie.len - 1] == '/' ||
           path.data[cookie.len] == '/';
}

static struct str default_path(struct str path)
{
    size_t end = path.len;
    while (end > 0 && path.data[end - 1] != '/')
        end--;
    return end > 1 ? str_slice(path, 0, end - 1) : STR("/");
}

/* A minus makes it the past, whatever digits follow. */
static bool read_age(struct str value, int64_t *ret)
{
    uint64_t number;
    bool negative = value.len > 0 && value.data[0] == '-';
    struct str digits = str_slice(value, negative ? 1 : 0, value.len);
    for (size_t i = 0; i < digits.len; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    if (digits.len == 0)
        return false;
    bool fits = str_to_uint(digits, (uint64_t)AGE_MAX_S, &number);
    *ret = negative ? 0 : fits ? (int64_t)number : AGE_MAX_S;
    return true;
}

static void take_attribute(struct str name, struct str value, struct words *ret)
{
    if (str_eq_nocase(name, STR("Max-Age"))) {
        ret->has_age |= read_age(value, &ret->age_s);
    } else if (str_eq_nocase(name, STR("Expires"))) {
        ret->has_expires |= cookie_date_read(value, &ret->expires_s);
    } else if (str_eq_nocase(name, STR("Secure"))) {
        ret->safe_only = true;
    } else if (str_eq_nocase(name, STR("Path"))) {
        ret->has_path = value.len > 0 && value.data[0] == '/';
        ret->path = value;
    } else if (str_eq_nocase(name, STR("Domain")) && value.len > 0) {
        ret->has_domain = true;
        ret->domain = str_slice(value, value.data[0] == '.' ? 1 : 0, value.len);
    }
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

static bool read_words(struct str text, struct words *ret)
{
    size_t end = str_find(text, ';');
    struct str pair = str_slice(text, 0, end);
    size_t equals = str_find(pair, '=');
    if (equals == pair.len || has_control(text))
        return false;
    ret->name = str_trim(str_slice(pair, 0, equals));
    ret->value = str_trim(str_slice(pair, equals + 1, pair.len));
    while (end < text.len) {
        text = str_slice(text, end + 1, text.len);
        end = str_find(text, ';');
        struct str word = str_slice(text, 0, end);
        equals = str_find(word, '=');
        take_attribute(str_trim(str_slice(word, 0, equals)),
                       str_trim(str_slice(word, equals < word.len ? equals + 1 : equals, word.len)),
                       ret);
    }
    return ret->name.len > 0;
}

/* Names that promise something of the cookie (draft-ietf-httpbis-rfc6265bis section 4.1.3). */
static bool keeps_promise(const struct words *w)
{
    if (str_starts_with(w->name, STR("__Secure-")))
        return w->safe_only;
    if (str_starts_with(w->name, STR("__Host-")))
        return w->safe_only && !w->has_domain && w->has_path && str_eq(w->path, STR("/"));
    return true;
}

/* May that server set it? `lower` has room for its domain. */
static bool has_business(struct words *w, const struct cookie_place *place, char *lower)
{
    if ((w->safe_only && !place->is_safe) || !keeps_promise(w))
        return false;
    if (!w->has_domain)
        return true;
    for (size_t i = 0; i < w->domain.len; i++) {
        char c = w->domain.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    w->domain = (struct str){ lower, w->domain.len };
    /* Nobody speaks for all of `com`. */
    return domain_matches(w->domain, place->host) &&
           (str_find(w->domain, '.') < w->domain.len || str_eq(w->domain, place->host));
}

static void drop(struct cookies *c, size_t i)
{
    struct cookie *old = c->items[i];
    wipe(old->texts, old->name.len + old->value.len + old->domain.len + old->path.len);
    free(old);
    c->n--;
    memmove(&c->items[i], &c->items[i + 1], (c->n - i) * sizeof c->items[0]);
}

static void drop_old(struct cookies *c, int64_t now_ms)
{
    for (size_t i = c->n; i > 0; i--)
        if (c->items[i - 1]->expires_ms <= now_ms)
            drop(c, i - 1);
}

static void make_room(struct cookies *c)
{
    size_t oldest = 0;
    if (c->n < COOKIES_MAX)
        return;
    for (size_t i = 1; i < c->n; i++)
        if (c->items[i]->set_ms < c->items[oldest]->set_ms)
            oldest = i;
    drop(c, oldest);
}

static struct str copy_text(char **to, struct str text)
{
    struct str copy = { *to, text.len };
    if (text.len > 0)
        memcpy(*to, text.data, text.len);
    *to += text.len;
    return copy;
}

static struct cookie *make(const struct words *w)
{
    size_t size = w->name.len + w->value.len + w->domain.len + w->path.len;
    struct cookie *new = xcalloc(1, sizeof *new + size);
    char *to = new->texts;
    new->name = copy_text(&to, w->name);
    new->value = copy_text(&to, w->value);
    new->domain = copy_text(&to, w->domain);
    new->path = copy_text(&to, w->path);
    new->host_only = !w->has_domain;
    new->safe_only = w->safe_only;
    return new;
}

static bool is_same(const struct cookie *old, const struct words *w)
{
    return str_eq(old->name, w->name) && str_eq(old->domain, w->domain) &&
           str_eq(old->path, w->path) && old->host_only == !w->has_domain;
}

static int64_t age_of(const struct words *w, int64_t now_s)
{
    int64_t age_s = w->has_age ? w->age_s : w->expires_s - now_s;
    return age_s < AGE_MAX_S ? age_s : AGE_MAX_S;
}

/* One that is changed stays where it is in the order. */
static void put(struct cookies *c, const struct words *w, int64_t now_ms, int64_t now_s)
{
    bool ends = w->has_age || w->has_expires;
    int64_t age_s = ends ? age_of(w, now_s) : 0;
    size_t at = 0;
    while (at < c->n && !is_same(c->items[at], w))
        at++;
    if (ends && age_s <= 0) {
        if (at < c->n)
            drop(c, at);
        return;
    }
    struct cookie *new = make(w);
    new->set_ms = now_ms;
    new->expires_ms = ends ? now_ms + age_s * 1000 : CLOCK_NEVER;
    if (at < c->n) {
        struct cookie *old = c->items[at];
        c->items[at] = new;
        wipe(old->texts, old->name.len + old->value.len + old->domain.len + old->path.len);
        free(old);
        return;
    }
    make_room(c);
    c->items[c->n++] = new;
}

void cookies_take(struct cookies *c, const struct cookie_place *place, struct str value,
                  int64_t now_ms, int64_t now_s)
{
    char lower[COOKIE_BYTES_MAX];
    struct words w = { .has_age = false };
    if (!read_words(value, &w) || w.domain.len > sizeof lower || !has_business(&w, place, lower))
        return;
    if (!w.has_domain)
        w.domain = place->host;
    if (!w.has_path)
        w.path = default_path(place->path);
    drop_old(c, now_ms);
    if (w.name.len + w.value.len + w.domain.len + w.path.len <= COOKIE_BYTES_MAX)
        put(c, &w, now_ms, now_s);
}

static bool goes_there(const struct cookie *cookie, const struct cookie_place *place)
{
    bool host = cookie->host_only ? str_eq(cookie->domain, place->host)
                                  : domain_matches(cookie->domain, place->host);
    return host && (!cookie->safe_only || place->is_safe) &&
           path_matches(cookie->path, place->path);
}

static void write_one(const struct cookie *cookie, size_t start, struct buf *to)
{
    size_t size = cookie->name.len + cookie->value.len + 3;
    if (to->len - start + size > COOKIE_LINE_MAX)
        return;
    if (to->len > start)
        buf_append(to, STR("; "));
    buf_append(to, cookie->name);
    buf_append_byte(to, '=');
    buf_append(to, cookie->value);
}

/* Those of longer paths first, else the older ones (RFC 6265 section 5.4). */
void cookies_write(struct cookies *c, const struct cookie_place *place, int64_t now_ms,
                   struct buf *to)
{
    size_t start = to->len, longest = SIZE_MAX;
    drop_old(c, now_ms);
    while (longest > 0) {
        size_t next = 0;
        for (size_t i = 0; i < c->n; i++) {
            const struct cookie *cookie = c->items[i];
            if (!goes_there(cookie, place))
                continue;
            if (cookie->path.len == longest)
                write_one(cookie, start, to);
            else if (cookie->path.len < longest && cookie->path.len > next)
                next = cookie->path.len;
        }
        longest = next;
    }
}

void cookies_clear(struct cookies *c)
{
    while (c->n > 0)
        drop(c, c->n - 1);
}
