/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/host.h"

#include "rules/token.h"

#include <arpa/inet.h>

static bool read_address(struct str name, struct in6_addr *ret)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (name.len == 0 || name.len >= sizeof text)
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    if (memchr(text, '\0', name.len) != NULL)
        return false;
    if (memchr(text, ':', name.len) != NULL)
        return inet_pton(AF_INET6, text, ret) == 1;
    if (text[0] < '0' || text[0] > '9' || inet_pton(AF_INET, text, &v4) != 1)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->s6_addr[10] = 0xFF;
    ret->s6_addr[11] = 0xFF;
    memcpy(ret->s6_addr + 12, &v4, sizeof v4);
    return true;
}

static void set_name(struct str name, struct host *ret)
{
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    ret->name = name;
    ret->is_address = read_address(name, &ret->address);
}

/* Some clients leave the zone in that leads from them to us, which names no other address. RFC 6874
 * section 3 wants it written `%25zone`; programs write `%zone`, too. */
static struct str without_zone(struct str inside)
{
    size_t end = str_find(inside, '%');
    struct str zone = str_slice(inside, end, inside.len);
    bool good = zone.len > (str_starts_with(zone, STR("%25")) ? 3U : 1U);
    for (size_t i = 1; i < zone.len; i++)
        good = good && token_is_one_of(zone.data[i], "-._~%");
    return good ? str_slice(inside, 0, end) : inside;
}

/* `reg-name` of RFC 3986 section 3.2.2, IPv4 included. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_is_one_of(s.data[i], "-._~!$&'()*+,;=%"))
            return false;
    return true;
}

static bool read_port(struct str text, struct host *ret)
{
    uint64_t port;
    if (text.len == 0)
        return true;
    if (text.data[0] != ':')
        return false;
    text = str_slice(text, 1, text.len);
    if (text.len == 0)
        return true;
    if (!str_to_uint(text, 65535, &port))
        return false;
    ret->has_port = true;
    ret->port = (unsigned)port;
    return true;
}

bool host_parse(struct str text, struct host *ret)
{
    *ret = (struct host){ .has_port = false };
    if (text.len == 0)
        return true;
    if (text.data[0] == '[') {
        size_t end = str_find(text, ']');
        if (end == text.len)
            return false;
        set_name(without_zone(str_slice(text, 1, end)), ret);
        return ret->is_address && str_find(ret->name, ':') < ret->name.len &&
               read_port(str_slice(text, end + 1, text.len), ret);
    }
    size_t end = str_find(text, ':');
    set_name(str_slice(text, 0, end), ret);
    return is_name(str_slice(text, 0, end)) && read_port(str_slice(text, end, text.len), ret);
}

void host_read_name(struct str text, struct host *ret)
{
    *ret = (struct host){ .has_port = false };
    if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
        text = str_slice(text, 1, text.len - 1);
    text.len = str_find(text, '%');
    set_name(text, ret);
}

bool host_same(const struct host *a, const struct host *b)
{
    if (a->is_address != b->is_address)
        return false;
    if (a->is_address)
        return memcmp(&a->address, &b->address, sizeof a->address) == 0;
    return str_eq_nocase(a->name, b->name);
}

bool host_is_loopback(const struct host *host)
{
    if (!host->is_address)
        return str_eq_nocase(host->name, STR("localhost"));
    if (IN6_IS_ADDR_LOOPBACK(&host->address))
        return true;
    return IN6_IS_ADDR_V4MAPPED(&host->address) && host->address.s6_addr[12] == 127;
}
