/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(const char *text, const char *expected)
{
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
}

static void takes_urls_apart(void **state)
{
    static const struct {
        const char *text, *url, *unix_socket, *username, *password;
    } cases[] = {
        { "http://h", "http://h/RPC2", NULL, NULL, NULL },
        { "http://h/", "http://h/", NULL, NULL, NULL },
        { "HTTPS://H.ex:8443/a/b?x=1&y=%20", "https://H.ex:8443/a/b?x=1&y=%20", NULL, NULL, NULL },
        { "http://h?x=/1", "http://h/RPC2?x=/1", NULL, NULL, NULL },
        { "http://h:/", "http://h/", NULL, NULL, NULL },
        { "http://[::1]:9001/RPC2", "http://[::1]:9001/RPC2", NULL, NULL, NULL },
        { "http://[fe80::1%25eth0]:9001/RPC2", "http://[fe80::1%25eth0]:9001/RPC2", NULL, NULL,
          NULL },
        { "http://[fe80::1%25br-lan.10]/", "http://[fe80::1%25br-lan.10]/", NULL, NULL, NULL },
        { "http://[2001:db8::1]", "http://[2001:db8::1]/RPC2", NULL, NULL, NULL },
        { "http://u:p@h/x", "http://h/x", NULL, "u", "p" },
        { "http://u@h", "http://h/RPC2", NULL, "u", NULL },
        { "http://:p@h", "http://h/RPC2", NULL, "", "p" },
        { "http://u:@h", "http://h/RPC2", NULL, "u", "" },
        { "http://u%40x:p%3a%2F%23@h", "http://h/RPC2", NULL, "u@x", "p:/#" },
        { "http://u:p:q@r@h", "http://h/RPC2", NULL, "u", "p:q@r" },
        /* Without a `:` before it, or as %40, an `@` is one. */
        { "http://h/a@b", "http://h/a@b", NULL, NULL, NULL },
        { "http://h?x=a@b:c", "http://h/RPC2?x=a@b:c", NULL, NULL, NULL },
        { "http://[::1]/a@b", "http://[::1]/a@b", NULL, NULL, NULL },
        { "http://u@h/a@b", "http://h/a@b", NULL, "u", NULL },
        { "http://h:80/a%40b", "http://h:80/a%40b", NULL, NULL, NULL },
        { "http://u:99%3Fw%2Fd@h", "http://h/RPC2", NULL, "u", "99?w/d" },
        { "http://@h", "http://h/RPC2", NULL, NULL, NULL },
        { "http+unix://%2Frun%2Fx.sock/RPC2", "http://localhost/RPC2", "/run/x.sock", NULL, NULL },
        { "http+unix://%2frun%2fx.sock", "http://localhost/RPC2", "/run/x.sock", NULL, NULL },
        { "http+unix://u:p@%2Fx?q", "http://localhost/RPC2?q", "/x", "u", "p" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store *store = store_new();
        struct upstream_target target = { 0 };
        struct buf why;
        buf_init(&why, 512, NULL);
        if (!url_parse(store, str_of(cases[i].text), &target, &why))
            fail_msg("%s is refused: %s", cases[i].text, buf_c(&why));
        assert_text(target.url, cases[i].url);
        assert_text(target.unix_socket, cases[i].unix_socket);
        assert_text(target.username, cases[i].username);
        assert_text(target.password, cases[i].password);
        if (target.password != NULL)
            assert_true(store_is_secret(store, target.password));
        buf_done(&why);
        store_free(store);
    }
}

static void refuses_bad_urls(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "", "must begin with" },
        { "h", "must begin with" },
        { "ftp://h", "must begin with" },
        { "http:/h", "must begin with" },
        { "fcgi://h", "must begin with" },
        { "scgi://h", "needs a port" },
        { "scgi://h:0", "port" },
        { "scgi+unix:///run/x.sock", "where the host stands" },
        { "http://", "host is missing" },
        { "http:///x", "host is missing" },
        { "http://:80/", "host is missing" },
        { "http://a b/", "percent-encoded" },
        { "http://h/\n", "percent-encoded" },
        { "http://h/\x7f", "percent-encoded" },
        { "http://h/\xc3\xa4", "percent-encoded" },
        { "http://h\\@evil/", "percent-encoded" },
        { "http://h/%", "hexadecimal" },
        { "http://h/%2", "hexadecimal" },
        { "http://h/%zz", "hexadecimal" },
        { "http://h/#x", "fragment" },
        { "http://h:0/", "port" },
        { "http://h:65536/", "port" },
        { "http://h:+80/", "port" },
        { "http://h:80:81/", "port" },
        { "http://h%2e/", "host" },
        { "http://[::1/", "IPv6" },
        { "http://[]/", "IPv6" },
        { "http://[fe80::1%25]/", "IPv6" },
        { "http://[fe80::1%25a%2fb]/", "IPv6" },
        { "http://[fe80::1%20eth0]/", "IPv6" },
        { "http://[fe80::1%25a-name-that-is-too-long]/", "IPv6" },
        { "http://[fe80::1%eth0]/", "%25" },
        { "http://[127.0.0.1%25lo]/", "IPv6" },
        { "http://[127.0.0.1]/", "IPv6" },
        { "http://[::1]x/", "only a port" },
        { "http://a%0d%0a:b@h/", "control character" },
        { "http://a:b%00@h/", "control character" },
        { "http://a%3ab:c@h/", "a `:`" },
        /* Passwords with a raw `/` or `?`: what stands before it must not be a port. */
        { "http://nzbget:99?wd2scU@127.0.0.1:6789/xmlrpc", "%3F" },
        { "http://nzbget:99/wd2scU@127.0.0.1:6789/xmlrpc", "%2F" },
        { "http://nzbget:99?wd2@scU@127.0.0.1:6789/xmlrpc", "%40" },
        { "http://nzbget:?wd2scU@h/", "password" },
        { "http://nzbget:/wd2scU@h/", "password" },
        { "https://u:1/2?3/4@h/RPC2", "password" },
        { "http://u:p@ss/word@h/", "password" },
        { "http://[::1]:80/x@h", "password" },
        { "http://us/er:1@h/", "password" },
        { "http://h:80?x=a@b", "password" },
        { "http+unix://u:1/2@%2Fx.sock/", "password" },
        { "http+unix:///run/x.sock", "where the host stands" },
        { "http+unix://run%2Fx.sock/", "where the host stands" },
        { "http+unix://%2Fx%00/", "where the host stands" },
        { "http+unix://%2Fx:80/", "where the host stands" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf why;
        buf_init(&why, 512, NULL);
        if (url_parse(NULL, str_of(cases[i].text), NULL, &why))
            fail_msg("%s is not refused", cases[i].text);
        if (strstr(buf_c(&why), cases[i].part) == NULL)
            fail_msg("%s is refused with: %s", cases[i].text, buf_c(&why));
        buf_done(&why);
    }
}

/* What is told of a path is warned of. */
static void sees_credentials(void **state)
{
    static const struct {
        const char *url;
        bool shows;
    } cases[] = {
        { "http://h/RPC2", false },
        { "http://h:80/a/b?x=1", false },
        { "http://u:p@h/RPC2", false },
        { "http://[::1]:80/RPC2", false },
        { "http://h/user:pass/xmlrpc", true },
        { "http://h:6789/nzbget:tegbzn6789/xmlrpc", true },
        { "http://h/a:", false },
        { "http://h/:a", false },
        { "http://h/x?password=1", true },
        { "http://h/x?a=1&api_key=xyz", true },
        { "http://h/x?a=1&API-Key=xyz", true },
        { "http://h?access_token=xyz", true },
        { "http://h?token=", false },
        { "http://h?login=u:p", true },
        { "http://h/x?db=prod&version=2", false },
        { "http+unix://%2Fx/u:p/RPC2", true },
        { "not a url", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (url_shows_credentials(str_of(cases[i].url)) != cases[i].shows)
            fail_msg("%s", cases[i].url);
}

static void bounds_lengths(void **state)
{
    (void)state;
    char text[8192];
    struct buf why;
    buf_init(&why, 512, NULL);
    memcpy(text, "http+unix://%2F", 15);
    memset(text + 15, 'a', 200);
    assert_true(url_parse(NULL, (struct str){ text, 15 + 106 }, NULL, &why));
    assert_false(url_parse(NULL, (struct str){ text, 15 + 107 }, NULL, &why));
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h/", 9);
    assert_true(url_parse(NULL, (struct str){ text, 4096 }, NULL, &why));
    assert_false(url_parse(NULL, (struct str){ text, 4097 }, NULL, &why));
    buf_done(&why);
}

static void appends_paths(void **state)
{
    static const struct {
        const char *url, *path, *whole;
    } cases[] = {
        { "http://h/xmlrpc/2", "/object", "http://h/xmlrpc/2/object" },
        { "http://h/xmlrpc/2/", "object", "http://h/xmlrpc/2/object" },
        { "http://h/xmlrpc/2//", "/object/", "http://h/xmlrpc/2/object/" },
        { "http://h/", "a", "http://h/a" },
        { "http://h/x?y=/1", "/a", "http://h/x/a?y=/1" },
        { "http://h/x/?y", "a?z=2", "http://h/x/a?z=2&y" },
        { "http://h/x?y", "", "http://h/x?y" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        buf_init(&text, 512, NULL);
        url_append_with_path(str_of(cases[i].url), str_of(cases[i].path), &text);
        assert_string_equal(buf_c(&text), cases[i].whole);
        buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_paths),    cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(refuses_bad_urls), cmocka_unit_test(sees_credentials),
        cmocka_unit_test(bounds_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
