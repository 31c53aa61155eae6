/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/checked_texts.h"

#include "base/alloc.h"
#include "base/macros.h"
#include "codec/value/number.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "settings/route.h"
#include "settings/url.h"

#include <arpa/inet.h>
#include <sys/un.h>

static bool refuse(struct buf *why, const char *sentence)
{
    buf_append_c(why, sentence);
    return false;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool check_text(struct str text, struct buf *why)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f)
            return refuse(why, "there is a control character in it (a backslash itself is written "
                               "`\\\\`)");
    }
    return true;
}

/* What can be wrong with it is found otherwise. */
bool check_any(struct str text UNUSED, struct buf *why UNUSED)
{
    return true;
}

bool check_number(struct str text, struct buf *why)
{
    struct decimal number;
    return number_parse_double(text, &number) == NUMBER_OK ||
           refuse(why, "this is no number, or one beyond all doubles");
}

/* RFC 6901 section 3. */
bool check_pointer(struct str text, struct buf *why)
{
    if (text.len > 0 && text.data[0] != '/')
        return refuse(why, "this is no JSON Pointer; it begins with `/`, or it is \"\" for the "
                           "whole");
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.data[i + 1] : '\0';
        if (text.data[i] == '~' && next != '0' && next != '1')
            return refuse(why, "a `~` in a JSON Pointer is written `~0`, a `/` in a name `~1`");
    }
    return check_text(text, why);
}

bool check_path(struct str text, struct buf *why)
{
    return check_text(text, why) && (text.len > 0 || refuse(why, "there is no file name"));
}

bool check_url(struct str text, struct buf *why)
{
    return url_parse(NULL, text, NULL, why);
}

bool check_proxy_url(struct str text, struct buf *why)
{
    return url_parse_proxy(NULL, text, NULL, why);
}

/* RFC 3986: a scheme and something behind it, without what a URI cannot have. */
static bool is_uri(struct str text)
{
    size_t colon = str_find(text, ':');
    if (colon == 0 || colon + 1 >= text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL ||
            (i < colon && !is_alnum((char)c) && strchr("+-.", c) == NULL))
            return false;
    }
    return true;
}

static bool is_problem_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == '-'));
        if (!ok)
            return false;
    }
    return text.len > 0 && text.len <= 64;
}

bool check_problem(struct str text, struct buf *why)
{
    return is_problem_name(text) || is_uri(text) ||
           refuse(why, "this is no type of a problem; write a name such as \"no-such-record\", or "
                       "a URI");
}

/* `sha256//` and 32 bytes as Base64. */
static bool is_pin(struct str text)
{
    static const struct str prefix = { "sha256//", 8 };
    if (!str_starts_with(text, prefix) || text.len != prefix.len + 44)
        return false;
    for (size_t i = prefix.len; i + 1 < text.len; i++) {
        if (!is_alnum(text.data[i]) && strchr("+/", text.data[i]) == NULL)
            return false;
    }
    return text.data[text.len - 1] == '=';
}

bool check_pin(struct str text, struct buf *why)
{
    for (;;) {
        size_t end = str_find(text, ';');
        if (!is_pin(str_slice(text, 0, end)))
            return refuse(why, "this is no public key; write `sha256//` and the Base64 of its "
                               "SHA-256, several with `;` between them");
        if (end == text.len)
            return true;
        text = str_slice(text, end + 1, text.len);
    }
}

bool check_no_proxy(struct str text, struct buf *why)
{
    bool ok = text.len > 0 && text.len <= 255;
    for (size_t i = 0; i < text.len && ok; i++)
        ok = is_alnum(text.data[i]) ||
             (text.data[i] != '\0' && strchr("-._:/[]", text.data[i]) != NULL);
    return ok || str_eq_c(text, "*") ||
           refuse(why, "this is no host; write a host name, an address, or a network such as "
                       "\"10.0.0.0/8\"");
}

bool check_address(struct str text, struct buf *why)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char ignored[sizeof(struct in6_addr)];
    bool ok = text.len > 0 && text.len < sizeof copy && str_find(text, '\0') == text.len;
    if (ok) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        ok = inet_pton(AF_INET, copy, ignored) == 1 || inet_pton(AF_INET6, copy, ignored) == 1;
    }
    return ok || refuse(why, "this is not an IPv4 or IPv6 address; write one, such as "
                             "\"127.0.0.1\" or \"::1\" (names are not looked up)");
}

bool check_socket_path(struct str text, struct buf *why)
{
    if (!check_text(text, why))
        return false;
    if (text.len == 0 || text.data[0] != '/')
        return refuse(why, "the path of a unix socket must begin with `/`");
    return text.len < sizeof((struct sockaddr_un *)NULL)->sun_path ||
           refuse(why, "the path of a unix socket has at most 107 bytes");
}

static bool check_known(struct str text, bool (*known)(const char *name), struct buf *why,
                        const char *sentence)
{
    if (!check_text(text, why))
        return false;
    CLEANUP(free_charp) char *name = xmemdup0(text.data, text.len);
    return (text.len > 0 && known(name)) || refuse(why, sentence);
}

bool check_zone(struct str text, struct buf *why)
{
    return check_known(text, encode_timezone_known, why,
                       "no such time zone: write \"UTC\", an offset such as \"+02:00\", or a name "
                       "of the system's zone database such as \"Europe/Berlin\"");
}

bool check_encoding(struct str text, struct buf *why)
{
    return check_known(text, encode_encoding_known, why,
                       "documents cannot be written in such an encoding; write a name that "
                       "`iconv -l` lists, such as \"ISO-8859-1\"");
}

bool check_decoding(struct str text, struct buf *why)
{
    return check_known(text, decode_encoding_known, why,
                       "documents cannot be read in such an encoding; write a name that `iconv -l` "
                       "lists, such as \"ISO-8859-1\"");
}

bool check_host_name(struct str text, struct buf *why)
{
    struct buf ignored;
    buf_init(&ignored, 512, NULL);
    bool ok = check_address(text, &ignored);
    buf_done(&ignored);
    if (ok)
        return true;
    ok = text.len > 0 && text.len <= 253;
    for (size_t i = 0; i < text.len && ok; i++)
        ok = is_alnum(text.data[i]) || strchr("-._", text.data[i]) != NULL;
    return ok || refuse(why, "this is not a host name; write it without a port, scheme or path, "
                             "such as \"gateway.internal\"");
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.data[i]) &&
            (s.data[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.data[i]) == NULL))
            return false;
    }
    return s.len > 0;
}

bool check_header(struct str text, struct buf *why)
{
    /* Those that make up the message itself; a second one would let two readers differ. */
    static const char *const ours[] = { "Host",         "Content-Length", "Transfer-Encoding",
                                        "Content-Type", "Connection",     "Expect",
                                        "TE",           "Trailer",        "Upgrade" };
    if (!check_text(text, why))
        return false;
    struct str name = header_name(text);
    if (name.len == text.len || !is_token(name))
        return refuse(why, "this is not a header line; write \"Name: value\"");
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (str_eq_nocase(name, str_of(ours[i]))) {
            buf_printf(why, "the header `%s` is made by rpcgate itself; take it out", ours[i]);
            return false;
        }
    }
    if (header_value(text).len == 0) {
        buf_printf(why, "the header `%.*s` has no value", STR_ARGS(name));
        return false;
    }
    return true;
}

/* What names of upstreams are made of, and wildcards. */
static bool is_upstream_glob(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.data[i]) && (s.data[i] == '\0' || strchr("_-*?", s.data[i]) == NULL))
            return false;
    }
    return s.len > 0;
}

static bool has_blank(struct str s)
{
    return str_find(s, ' ') < s.len || str_find(s, '\t') < s.len;
}

/* A segment that is `{name}`, and what may be a name of a route's param. */
static bool is_param_segment(struct str segment)
{
    bool ok = segment.len > 2 && segment.len <= 66 && segment.data[0] == '{' &&
              segment.data[segment.len - 1] == '}';
    for (size_t i = 1; ok && i + 1 < segment.len; i++)
        ok = segment.data[i] != '{' && segment.data[i] != '}';
    return ok;
}

static bool is_literal_segment(struct str segment)
{
    bool ok = segment.len > 0 && segment.len <= 255 && !str_eq(segment, STR(".")) &&
              !str_eq(segment, STR(".."));
    for (size_t i = 0; ok && i < segment.len; i++)
        ok = strchr("{}%?#\\", segment.data[i]) == NULL;
    return ok && !has_blank(segment);
}

bool check_route_path(struct str text, struct buf *why)
{
    size_t n = 0;
    if (!check_text(text, why))
        return false;
    if (text.len < 2 || text.data[0] != '/')
        return refuse(why, "a path begins with `/` and has a segment behind it, as in "
                           "\"/partners/{id}\"");
    if (text.data[text.len - 1] == '/')
        return refuse(why, "a path has no `/` at its end");
    while (text.len > 0) {
        text = str_slice(text, 1, text.len);
        size_t end = str_find(text, '/');
        struct str segment = str_slice(text, 0, end);
        if (!is_param_segment(segment) && !is_literal_segment(segment))
            return refuse(why, "each segment of a path is a text, as it is before it is "
                               "percent-encoded, or as a whole a `{name}` of at most 64 bytes");
        if (++n > ROUTE_SEGMENTS_MAX)
            return refuse(why, "a path has at most 16 segments");
        text = str_slice(text, end, text.len);
    }
    return true;
}

bool check_route_call(struct str text, struct buf *why)
{
    if (!check_text(text, why))
        return false;
    size_t slash = str_find(text, '/');
    return (slash > 0 && slash + 1 < text.len && !has_blank(text)) ||
           refuse(why, "this is not of the form `upstream/method`, such as "
                       "\"odoo/execute_kw\"");
}

bool check_call_glob(struct str text, struct buf *why)
{
    if (!check_text(text, why))
        return false;
    if (text.len > 1 && text.data[0] == '@')
        return is_upstream_glob(str_slice(text, 1, text.len)) ||
               refuse(why, "behind `@` stands a glob over names of routes, such as \"@partner*\"");
    size_t slash = str_find(text, '/');
    return (slash + 1 < text.len && is_upstream_glob(str_slice(text, 0, slash)) &&
            !has_blank(text)) ||
           refuse(why, "this is not of the form `upstream/method`, such as \"demo/*\" or "
                       "\"*/system.*\"");
}

bool check_name(struct str text, struct buf *why)
{
    bool ok = text.len > 0 && text.len <= 64;
    for (size_t i = 0; i < text.len && ok; i++) {
        char c = text.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        ok = letter || (i > 0 && (is_alnum(c) || c == '_' || c == '-'));
    }
    return ok || refuse(why, "a name is a letter, then up to 63 letters, digits, `_` and `-`");
}

/* RFC 3986 section 3.1, in lower case. */
static bool is_scheme(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return s.len > 0;
}

/* A name or an IPv4 address in lower case, or an IPv6 address in brackets. */
static bool is_origin_host(struct str s)
{
    bool v6 = s.len > 2 && s.data[0] == '[' && s.data[s.len - 1] == ']';
    struct str inside = v6 ? str_slice(s, 1, s.len - 1) : s;
    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == (v6 ? ':' : '-') || (!v6 && c == '_');
        if (!ok)
            return false;
    }
    return inside.len > 0;
}

/* A port that is not the scheme's own, which browsers leave out. */
static bool is_origin_port(struct str s, struct str scheme)
{
    uint64_t port;
    return str_to_uint(s, 65535, &port) && s.data[0] != '0' &&
           !(port == 80 && str_eq_c(scheme, "http")) && !(port == 443 && str_eq_c(scheme, "https"));
}

/* Parts `scheme://rest`. */
static bool take_scheme(struct str text, struct str *ret_scheme, struct str *ret_rest)
{
    size_t colon = str_find(text, ':');
    struct str rest = str_slice(text, colon, text.len);
    if (!str_starts_with(rest, STR("://")))
        return false;
    *ret_scheme = str_slice(text, 0, colon);
    *ret_rest = str_slice(rest, 3, rest.len);
    return true;
}

/* RFC 6454 section 6.2: as browsers write it, since it is compared as a text. */
bool check_origin(struct str text, struct buf *why)
{
    struct str scheme, host;
    bool ok = take_scheme(text, &scheme, &host);
    if (ok) {
        size_t end = host.len;
        while (end > 0 && host.data[end - 1] >= '0' && host.data[end - 1] <= '9')
            end--;
        bool has_port = end > 0 && end < host.len && host.data[end - 1] == ':' &&
                        (host.data[0] != '[' || host.data[end - 2] == ']');
        ok = is_scheme(scheme) &&
             (!has_port || is_origin_port(str_slice(host, end, host.len), scheme)) &&
             is_origin_host(has_port ? str_slice(host, 0, end - 1) : host);
    }
    return ok || refuse(why, "this is not an origin as browsers send it: write `scheme://host` in "
                             "lower case, with `:port` where it is not the scheme's own, and no "
                             "`/` at the end, such as \"https://app.example\"");
}

bool address_is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

struct str header_name(struct str line)
{
    return str_slice(line, 0, str_find(line, ':'));
}

struct str header_value(struct str line)
{
    size_t colon = str_find(line, ':');
    return str_trim(str_slice(line, colon < line.len ? colon + 1 : colon, line.len));
}
