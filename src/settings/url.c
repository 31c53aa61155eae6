/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/url.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/un.h>

/* All of it. [bytes] */
#define URL_MAX 4096

/* Whose URL it is: each takes schemes of its own. */
enum use { USE_UPSTREAM = 1, USE_PROXY = 2, USE_ANY = 3 };

/* What a scheme says besides. */
enum trait { AT_SOCKET = 1, BY_SCGI = 2 };

/* X(WORD, text, uses, traits, transport): the last is of upstreams' URLs. */
#define SCHEME_LIST(X)                                                                             \
    X(HTTP, "http", USE_UPSTREAM | USE_PROXY, 0, HTTP)                                             \
    X(HTTPS, "https", USE_UPSTREAM | USE_PROXY, 0, HTTP)                                           \
    X(HTTP_UNIX, "http+unix", USE_UPSTREAM, AT_SOCKET, HTTP)                                       \
    X(SCGI, "scgi", USE_UPSTREAM, BY_SCGI, HTTP)                                                   \
    X(SCGI_UNIX, "scgi+unix", USE_UPSTREAM, AT_SOCKET | BY_SCGI, HTTP)                             \
    X(SOCKS5, "socks5", USE_PROXY, 0, HTTP)                                                        \
    X(SOCKS5H, "socks5h", USE_PROXY, 0, HTTP)

enum scheme {
#define X(word, text, uses, traits, transport) SCHEME_##word,
    SCHEME_LIST(X)
#undef X
};

struct parts {
    enum scheme scheme;
    struct str userinfo;
    bool has_userinfo;
    struct str host;  /* with the brackets of an IPv6 address; percent-encoded path of a socket */
    struct str port;  /* empty: none */
    struct str path;  /* empty: none */
    struct str query; /* with the `?`; empty: none */
};

static bool refuse(struct buf *why, const char *sentence)
{
    buf_append_c(why, sentence);
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX, refusing control characters, of which none of our texts may have any. `text` has
 * only valid escapes. */
static bool decode(struct str text, struct buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            c = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return false;
        buf_append_byte(to, c);
    }
    return buf_ok(to);
}

static bool check_bytes(struct str url, struct buf *why)
{
    if (url.len > URL_MAX)
        return refuse(why, "the URL is too long");
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
            return refuse(why, "the URL has a character that must be percent-encoded: a space, a "
                               "control character, one beyond ASCII or one of \"<>\\^`{|}");
        if (c == '%' &&
            (url.len - i < 3 || hex_digit(url.data[i + 1]) < 0 || hex_digit(url.data[i + 2]) < 0))
            return refuse(why, "a `%` in the URL has no two hexadecimal digits behind it (a `%` "
                               "itself is written %25)");
        if (c == '#')
            return refuse(why, "the URL has a fragment, which has no meaning here (a `#` in the "
                               "path or password is written %23)");
    }
    return true;
}

static const struct {
    const char *text;
    unsigned uses;   /* set of enum use */
    unsigned traits; /* set of enum trait */
    enum transport_word transport;
} schemes[] = {
#define X(word, text, uses, traits, transport) { text "://", uses, traits, TRANSPORT_##transport },
    SCHEME_LIST(X)
#undef X
};

static bool has_trait(const struct parts *parts, enum trait trait)
{
    return (schemes[parts->scheme].traits & trait) != 0;
}

/* "http://, https:// or http+unix://" */
static bool refuse_scheme(enum use use, struct buf *why)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        n += (schemes[i].uses & use) != 0;
    buf_append_c(why,
                 use == USE_PROXY ? "a proxy's URL must begin with " : "the URL must begin with ");
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if ((schemes[i].uses & use) == 0)
            continue;
        at++;
        buf_append_c(why, at == 1 ? "" : at == n ? " or " : ", ");
        buf_append_c(why, schemes[i].text);
    }
    return false;
}

static bool take_scheme(struct str *url, enum use use, enum scheme *ret, struct buf *why)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i].text);
        if ((schemes[i].uses & use) != 0 && url->len >= len &&
            str_eq_nocase(str_slice(*url, 0, len), str_of(schemes[i].text))) {
            *ret = (enum scheme)i;
            *url = str_slice(*url, len, url->len);
            return true;
        }
    }
    return refuse_scheme(use, why);
}

/* Index of the last `byte`, or s.len. */
static size_t find_last(struct str s, char byte)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.data[i - 1] == byte)
            return i - 1;
    }
    return s.len;
}

static void take_userinfo(struct str *authority, struct parts *ret)
{
    size_t at = find_last(*authority, '@');
    ret->has_userinfo = at < authority->len;
    if (!ret->has_userinfo)
        return;
    ret->userinfo = str_slice(*authority, 0, at);
    *authority = str_slice(*authority, at + 1, authority->len);
}

/* The network interface of a link-local address (RFC 6874): one that is not there yet may come. */
static bool is_zone(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                  strchr("-._~", c) != NULL;
        if (!ok || c == '\0')
            return false;
    }
    return text.len > 0 && text.len < IF_NAMESIZE;
}

static bool is_ipv6(struct str text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    size_t zone = str_find(text, '%');
    if (zone < text.len && (!str_starts_with(str_slice(text, zone, text.len), STR("%25")) ||
                            !is_zone(str_slice(text, zone + 3, text.len))))
        return false;
    text.len = zone;
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET6, copy, &ignored) == 1;
}

static bool is_host_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
                  c == '.' || c == '_';
        if (!ok)
            return false;
    }
    return text.len > 0 && text.len <= 253;
}

static bool take_host(struct str authority, struct parts *ret, struct buf *why)
{
    size_t end = str_find(authority, ':');
    if (authority.len > 0 && authority.data[0] == '[') {
        end = str_find(authority, ']');
        if (end == authority.len || !is_ipv6(str_slice(authority, 1, end)))
            return refuse(why, "what stands in [ ] in the URL is no IPv6 address, which may "
                               "have a zone: [fe80::1%25eth0]");
        end++;
        if (end < authority.len && authority.data[end] != ':')
            return refuse(why, "behind the `]` of the URL's IPv6 address only a port may stand");
    } else if (!is_host_name(str_slice(authority, 0, end))) {
        return refuse(why, "the URL's host is missing or is no host name; in a user or password, "
                           "`@` is written %40, `/` %2F, `?` %3F");
    }
    ret->host = str_slice(authority, 0, end);
    if (end == authority.len)
        return true;
    ret->port = str_slice(authority, end + 1, authority.len);
    uint64_t port = 0;
    if (ret->port.len > 0 && (!str_to_uint(ret->port, 65535, &port) || port == 0))
        return refuse(why, "the URL's port is no number from 1 to 65535; in a user or password, "
                           "`@` is written %40, `/` %2F, `?` %3F");
    return true;
}

static bool check_socket(struct str host, struct buf *why)
{
    struct buf path;
    buf_init(&path, URL_MAX, NULL);
    bool plain = str_find(host, ':') == host.len && decode(host, &path);
    bool ok = plain && path.len > 0 && path.data[0] == '/';
    bool fits = path.len < sizeof((struct sockaddr_un *)NULL)->sun_path;
    buf_done(&path);
    if (!ok)
        return refuse(why, "the path of the unix socket stands percent-encoded where the host "
                           "stands in other URLs: http+unix://%2Frun%2Fx.sock/RPC2 or "
                           "scgi+unix://%2Frun%2Fx.sock");
    return fits || refuse(why, "the path of the unix socket is longer than 107 bytes");
}

static bool check_userinfo(struct str userinfo, struct buf *why)
{
    struct buf text;
    buf_init(&text, URL_MAX, NULL);
    bool ok = decode(str_slice(userinfo, 0, str_find(userinfo, ':')), &text);
    bool colon = str_find(buf_str(&text), ':') < text.len;
    ok = ok && decode(str_slice(userinfo, str_find(userinfo, ':'), userinfo.len), &text);
    buf_wipe(&text);
    if (!ok)
        return refuse(why, "the URL's user or password has a control character");
    return !colon || refuse(why, "the URL's user has a `:`, which Basic credentials cannot carry");
}

/* An `@` behind the authority with a `:` before it: a password with a raw `/` or `?` begins with
 * digits, which look like a port, and all of it would be told as a path. */
static bool has_torn_password(struct str url, size_t authority_end)
{
    size_t at = find_last(url, '@');
    if (at == url.len || at < authority_end)
        return false;
    for (size_t i = 0; i < at; i++) {
        if (i < authority_end && url.data[i] == '[') /* an IPv6 address */
            i += str_find(str_slice(url, i, authority_end), ']');
        else if (url.data[i] == ':')
            return true;
    }
    return false;
}

static bool split(struct str url, enum use use, struct parts *ret, struct buf *why)
{
    if (!check_bytes(url, why) || !take_scheme(&url, use, &ret->scheme, why))
        return false;
    size_t query = str_find(url, '?'), slash = str_find(url, '/');
    if (has_torn_password(url, query < slash ? query : slash))
        return refuse(why,
                      "an `@` behind the URL's host looks like the end of a password; in a user "
                      "or password, `@` is written %40, `/` %2F, `?` %3F, and so is an `@` in "
                      "the path");
    ret->query = str_slice(url, query, url.len);
    url = str_slice(url, 0, query);
    size_t path = str_find(url, '/');
    ret->path = str_slice(url, path, url.len);
    struct str authority = str_slice(url, 0, path);
    take_userinfo(&authority, ret);
    if (!check_userinfo(ret->userinfo, why))
        return false;
    if (has_trait(ret, AT_SOCKET)) {
        ret->host = authority;
        return check_socket(authority, why);
    }
    return take_host(authority, ret, why) &&
           (ret->port.len > 0 || !has_trait(ret, BY_SCGI) ||
            refuse(why, "an scgi:// URL needs a port, such as scgi://127.0.0.1:5000"));
}

static char *decoded(struct store *store, struct str text, bool secret)
{
    struct buf to;
    buf_init(&to, URL_MAX, NULL);
    buf_reserve(&to, text.len);
    decode(text, &to);
    char *copy = secret ? store_secret(store, buf_str(&to)) : store_text(store, buf_str(&to));
    buf_wipe(&to);
    return copy;
}

static void take_credentials(struct store *store, struct str userinfo, char **ret_username,
                             char **ret_password)
{
    size_t colon = str_find(userinfo, ':');
    if (userinfo.len == 0)
        return;
    *ret_username = decoded(store, str_slice(userinfo, 0, colon), true);
    if (colon < userinfo.len)
        *ret_password = decoded(store, str_slice(userinfo, colon + 1, userinfo.len), true);
}

static char *plain_url(struct store *store, const struct parts *parts)
{
    bool is_unix = has_trait(parts, AT_SOCKET);
    struct buf to;
    buf_init(&to, URL_MAX + 64, NULL);
    buf_append_c(&to, parts->scheme == SCHEME_HTTPS ? "https://" : "http://");
    buf_append(&to, is_unix ? STR("localhost") : parts->host);
    if (!is_unix && parts->port.len > 0)
        buf_printf(&to, ":%.*s", STR_ARGS(parts->port));
    buf_append(&to, parts->path.len > 0 ? parts->path : STR("/RPC2"));
    buf_append(&to, parts->query);
    char *url = store_text(store, buf_str(&to));
    buf_done(&to);
    return url;
}

bool url_parse(struct store *store, struct str url, struct upstream_target *ret, struct buf *why)
{
    struct parts parts = { 0 };
    if (!split(url, USE_UPSTREAM, &parts, why))
        return false;
    if (ret == NULL)
        return true;
    *ret = (struct upstream_target){ .url = plain_url(store, &parts),
                                     .transport = schemes[parts.scheme].transport,
                                     .scgi = has_trait(&parts, BY_SCGI) };
    if (has_trait(&parts, AT_SOCKET))
        ret->unix_socket = decoded(store, parts.host, false);
    take_credentials(store, parts.userinfo, &ret->username, &ret->password);
    return true;
}

bool url_parse_proxy(struct store *store, struct str url, struct proxy_target *ret, struct buf *why)
{
    struct parts parts = { 0 };
    if (!split(url, USE_PROXY, &parts, why))
        return false;
    if (parts.port.len == 0)
        return refuse(why, "the proxy's URL needs a port, such as http://proxy.internal:3128");
    if (parts.path.len > 1 || parts.query.len > 0)
        return refuse(why, "the proxy's URL has a path, which has no meaning there");
    if (ret == NULL)
        return true;
    struct buf to;
    buf_init(&to, URL_MAX + 64, NULL);
    buf_printf(&to, "%s%.*s:%.*s", schemes[parts.scheme].text, STR_ARGS(parts.host),
               STR_ARGS(parts.port));
    ret->url = store_text(store, buf_str(&to));
    buf_done(&to);
    take_credentials(store, parts.userinfo, &ret->username, &ret->password);
    return true;
}

struct str url_userinfo(struct str url)
{
    struct parts parts = { 0 };
    struct buf ignored;
    buf_init(&ignored, 512, NULL);
    bool ok = split(url, USE_ANY, &parts, &ignored);
    buf_done(&ignored);
    return ok && parts.has_userinfo ? parts.userinfo : str_slice(url, url.len, url.len);
}

void url_append_with_path(struct str url, struct str path, struct buf *to)
{
    size_t end = str_find(url, '?'), begin = end;
    if (path.len == 0) {
        buf_append(to, url);
        return;
    }
    while (begin > 0 && url.data[begin - 1] == '/')
        begin--;
    buf_append(to, str_slice(url, 0, begin));
    if (path.data[0] != '/')
        buf_append_byte(to, '/');
    buf_append(to, path);
    if (end == url.len)
        return;
    buf_append_byte(to, str_find(path, '?') < path.len ? '&' : '?');
    buf_append(to, str_slice(url, end + 1, url.len));
}
