/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret_list.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "settings/checked_texts.h"

#include <stdlib.h>

void secret_list_init(struct secret_list *l, struct store *store, struct findings *findings)
{
    *l = (struct secret_list){ .store = store, .findings = findings };
}

void secret_list_done(struct secret_list *l)
{
    free(l->items);
    *l = (struct secret_list){ 0 };
}

static void add(struct secret_list *l, struct str secret)
{
    if (secret.len < SECRET_MIN)
        return;
    for (size_t i = 0; i < l->n; i++) {
        if (str_eq(l->items[i], secret))
            return;
    }
    if (l->n == l->room) {
        l->room = l->room == 0 ? 16 : 2 * l->room;
        l->items = xreallocarray(l->items, l->room, sizeof *l->items);
    }
    l->items[l->n++] = (struct str){ store_secret(l->store, secret), secret.len };
}

void secret_list_add(struct secret_list *l, struct str secret, struct place place,
                     const char *setting)
{
    if (secret.len > 0 && secret.len < SECRET_MIN)
        findings_warn(l->findings, place,
                      "%s: a secret of fewer than %zu bytes cannot be found in what servers send, "
                      "so it may show in problems and in the log; use a longer one",
                      setting, SECRET_MIN);
    add(l, secret);
}

void secret_list_add_login(struct secret_list *l, const char *username, const char *password)
{
    struct str user = str_of(username), word = str_of(password);
    struct buf both;
    buf_init(&both, user.len + word.len + 1, NULL);
    buf_reserve(&both, user.len + word.len + 1);
    buf_append(&both, user);
    buf_append_byte(&both, ':');
    buf_append(&both, word);
    add(l, buf_str(&both));
    buf_wipe(&both);
}

/* `NAME=VALUE; NAME=VALUE` */
static void add_cookies(struct secret_list *l, struct str cookies)
{
    while (cookies.len > 0) {
        size_t end = str_find(cookies, ';');
        struct str pair = str_slice(cookies, 0, end);
        size_t equals = str_find(pair, '=');
        if (equals < pair.len)
            add(l, str_trim(str_slice(pair, equals + 1, pair.len)));
        cookies = str_slice(cookies, end < cookies.len ? end + 1 : end, cookies.len);
    }
}

void secret_list_add_header(struct secret_list *l, struct str line, struct place place,
                            const char *setting)
{
    struct str name = header_name(line), value = header_value(line);
    secret_list_add(l, value, place, setting);
    /* RFC 9110 section 11.4: a scheme, and what it is about. */
    if (str_eq_nocase(name, STR("Authorization")) ||
        str_eq_nocase(name, STR("Proxy-Authorization")))
        add(l, str_trim(str_slice(value, str_find(value, ' '), value.len)));
    else if (str_eq_nocase(name, STR("Cookie")))
        add_cookies(l, value);
}

static int compare(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return x->len > y->len ? -1 : x->len < y->len;
}

const struct str *secret_list_take(struct secret_list *l, size_t *ret_n)
{
    *ret_n = l->n;
    if (l->n == 0)
        return NULL;
    struct str *items = store_alloc(l->store, l->n, sizeof *items);
    qsort(l->items, l->n, sizeof *items, compare);
    memcpy(items, l->items, l->n * sizeof *items);
    return items;
}
