/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/origin.h"

#include "head_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *host_items[] = { (char[]){ "gateway.internal" }, (char[]){ "Box.LAN." },
                              (char[]){ "192.0.2.7" }, (char[]){ "[2001:db8::7]" },
                              (char[]){ "2001:DB8::8" } };
static const struct texts hosts = { host_items, ARRAY_LEN(host_items) };

static const struct {
    const char *local, *host;
    bool ours;
} host_cases[] = {
    { "10.1.2.3", "localhost", true },
    { "10.1.2.3", "LocalHost:8080", true },
    { "10.1.2.3", "localhost.", true },
    { "10.1.2.3", "localhost.:80", true },
    { "10.1.2.3", "localhost:", true },
    { "10.1.2.3", "localhost..", false },
    { "10.1.2.3", ".localhost", false },
    { "10.1.2.3", "a.localhost", false },
    { "10.1.2.3", "localhost.evil.example", false },
    { "10.1.2.3", "localhos", false },
    { "10.1.2.3", "", false },
    { "10.1.2.3", ".", false },
    { "10.1.2.3", ":8080", false },
    { "10.1.2.3", "127.0.0.1", true },
    { "10.1.2.3", "127.0.0.1:1", true },
    { "10.1.2.3", "127.255.0.9", true },
    { "10.1.2.3", "128.0.0.1", false },
    { "10.1.2.3", "127.0.0.1.evil.example", false },
    { "10.1.2.3", "127.1", false },
    { "10.1.2.3", "2130706433", false },
    { "10.1.2.3", "0x7f.0.0.1", false },
    { "10.1.2.3", "0.0.0.0", false },
    { "10.1.2.3", "[::1]", true },
    { "10.1.2.3", "[::1]:8080", true },
    { "10.1.2.3", "[0:0:0:0:0:0:0:1]", true },
    { "10.1.2.3", "[::ffff:127.0.0.1]", true },
    { "10.1.2.3", "[::FFFF:7f00:1]", true },
    { "10.1.2.3", "[::ffff:128.0.0.1]", false },
    { "10.1.2.3", "[::2]", false },
    { "10.1.2.3", "[::]", false },
    { "10.1.2.3", "::1", false },
    { "10.1.2.3", "[::1", false },
    { "10.1.2.3", "[localhost]", false },
    { "10.1.2.3", "10.1.2.3:9", true },
    { "10.1.2.3", "[::ffff:10.1.2.3]", true },
    { "10.1.2.3", "10.1.2.4", false },
    { "10.1.2.3", "evil.example", false },
    { "10.1.2.3", "gateway.internal:8080", true },
    { "10.1.2.3", "GATEWAY.INTERNAL.", true },
    { "10.1.2.3", "gateway.internals", false },
    { "10.1.2.3", "box.lan", true },
    { "10.1.2.3", "192.0.2.7", true },
    { "10.1.2.3", "[2001:db8:0::7]:1", true },
    { "10.1.2.3", "[2001:db8::8]", true },
    { "10.1.2.3", "[2001:db8::9]", false },
    { "10.1.2.3", "localhost@evil.example", false },
    { "10.1.2.3", "localhost:80x", false },
    { "fe80::1%eth0", "[fe80::1]:8080", true },
    { "2001:db8::1", "[2001:DB8:0:0::1]", true },
    { "2001:db8::1", "[2001:db8::2]", false },
    { "::ffff:192.168.1.5", "192.168.1.5", true },
    { "fe80::1%eth0", "[fe80::1%25eth0]:8080", true },
    { "fe80::1%eth0", "[fe80::2%25eth0]:8080", false },
};

static void accepts_its_own_hosts_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(host_cases); i++) {
        struct head_text t;
        struct error err;
        char line[200];
        snprintf(line, sizeof line, "Host: %s\n", host_cases[i].host);
        head_text_init(&t, line);
        t.head.local.ip = str_of(host_cases[i].local);
        bool ours = origin_check_host(&t.head, &hosts, &err);
        if (ours != host_cases[i].ours)
            fail_msg("%s at %s", host_cases[i].host, host_cases[i].local);
        if (ours)
            continue;
        assert_int_equal(err.type, PROBLEM_MISDIRECTED);
        assert_int_equal(err.status, 421);
        assert_non_null(strstr(err.detail, "`hosts`"));
    }
}

static void takes_any_host_on_unix_sockets(void **state)
{
    static const char *const lines[] = { "", "Host: evil.example\n", "Host:\n", "Host: a b\n" };
    struct head_text t;
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        head_text_init(&t, lines[i]);
        t.head.local = (struct local_address){ .is_unix = true };
        assert_true(origin_check_host(&t.head, &hosts, &err));
    }
}

static void wants_no_host_of_http_1_0(void **state)
{
    static const struct texts none = { NULL, 0 };
    struct head_text t;
    struct error err;
    (void)state;
    head_text_init(&t, "");
    assert_false(origin_check_host(&t.head, &none, &err));
    t.head.http_1_0 = true;
    assert_true(origin_check_host(&t.head, &none, &err));
    head_text_add(&t, "Host: evil.example\n");
    assert_false(origin_check_host(&t.head, &none, &err));
}

static const struct {
    const char *lines;
    bool allowed;
} origin_cases[] = {
    { "Host: localhost:8080\n", true },
    { "Host: localhost:8080\nOrigin: http://localhost:8080\n", true },
    { "Host: LOCALHOST:8080\nOrigin: http://localhost:8080\n", true },
    { "Host: localhost:8080\nOrigin: https://localhost:8080\n", true },
    { "Host: localhost:8080\nOrigin: http://localhost:8081\n", false },
    { "Host: localhost:8080\nOrigin: http://localhost\n", false },
    { "Host: localhost:8080\nOrigin: http://127.0.0.1:8080\n", false },
    { "Host: localhost:8080\nOrigin: http://evil.example:8080\n", false },
    { "Host: localhost:8080\nOrigin: http://localhost:8080.evil.example\n", false },
    { "Host: localhost:8080\nOrigin: http://localhost:8080/\n", false },
    { "Host: localhost:8080\nOrigin: http://x@localhost:8080\n", false },
    { "Host: localhost:8080\nOrigin: localhost:8080\n", false },
    { "Host: localhost:8080\nOrigin: ftp://localhost:8080\n", false },
    { "Host: localhost:8080\nOrigin: null\n", false },
    { "Host: localhost:8080\nOrigin:\n", false },
    { "Host: localhost:8080\nOrigin: http://\n", false },
    { "Host: localhost:8080\nOrigin: http://localhost:8080 http://evil.example\n", false },
    { "Host: localhost:8080\nOrigin: http://localhost:8080\nOrigin: http://evil.example\n", false },
    { "Host: localhost\nOrigin: http://localhost\n", true },
    { "Host: localhost\nOrigin: http://localhost:80\n", true },
    { "Host: localhost\nOrigin: https://localhost:443\n", true },
    { "Host: localhost:443\nOrigin: https://localhost\n", true },
    { "Host: localhost:443\nOrigin: http://localhost\n", false },
    { "Host: [::1]:8080\nOrigin: http://[::1]:8080\n", true },
    { "Host: [::1]:8080\nOrigin: http://[::2]:8080\n", false },
    { "Host:\nOrigin: http://\n", false },
    { "Origin: http://localhost\n", false },
    { "Host: localhost\nSec-Fetch-Site: none\n", true },
    { "Host: localhost\nSec-Fetch-Site: same-origin\n", true },
    { "Host: localhost\nsec-fetch-site: same-site\n", false },
    { "Host: localhost\nSec-Fetch-Site: cross-site\n", false },
    { "Host: localhost\nSec-Fetch-Site: None\n", false },
    { "Host: localhost\nSec-Fetch-Site:\n", false },
    { "Host: localhost\nSec-Fetch-Site: none\nSec-Fetch-Site: cross-site\n", false },
    { "Host: localhost\nOrigin: http://localhost\nSec-Fetch-Site: cross-site\n", false },
};

static void keeps_foreign_pages_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(origin_cases); i++) {
        struct head_text t;
        struct error err;
        head_text_init(&t, origin_cases[i].lines);
        const char *found = "";
        bool allowed = origin_check_origin(&t.head, NULL, &found, &err);
        if (allowed != origin_cases[i].allowed)
            fail_msg("%s", origin_cases[i].lines);
        if (allowed) {
            assert_null(found);
            continue;
        }
        assert_int_equal(err.type, PROBLEM_FORBIDDEN);
        assert_int_equal(err.status, 403);
    }
}

#define APP "https://app.example"
static char *cors_items[] = { (char[]){ "http://localhost:3000" }, (char[]){ APP } };
static const struct texts cors = { cors_items, ARRAY_LEN(cors_items) };

static const struct {
    const char *lines;
    bool allowed;
    const char *found;
} cors_cases[] = {
    { "", true, NULL },
    { "Origin: " APP "\n", true, APP },
    { "Origin:  " APP " \n", true, APP },
    { "Origin: http://localhost:3000\n", true, "http://localhost:3000" },
    { "Origin: http://localhost:8080\n", true, NULL }, /* our own */
    { "Origin: http://app.example\n", false, NULL },
    { "Origin: https://app.example:443\n", false, NULL },
    { "Origin: https://app.example/\n", false, NULL },
    { "Origin: https://app.example.evil.example\n", false, NULL },
    { "Origin: https://evil.example\n", false, NULL },
    { "Origin: https://APP.example\n", false, NULL },
    { "Origin: null\n", false, NULL },
    { "Origin: *\n", false, NULL },
    { "Origin:\n", false, NULL },
    { "Origin: " APP "\nOrigin: " APP "\n", false, NULL },
    { "Origin: " APP "\nOrigin: https://evil.example\n", false, NULL },
    { "Origin: " APP " https://evil.example\n", false, NULL },
    { "Origin: " APP "\nSec-Fetch-Site: cross-site\n", true, APP },
    { "Sec-Fetch-Site: same-site\nOrigin: " APP "\n", true, APP },
    { "Origin: " APP "\nSec-Fetch-Site: none\n", true, APP },
    { "Origin: " APP "\nSec-Fetch-Site: other\n", false, NULL },
    { "Sec-Fetch-Site: cross-site\n", false, NULL },
    { "Origin: http://localhost:8080\nSec-Fetch-Site: cross-site\n", false, NULL },
    { "Origin: https://evil.example\nSec-Fetch-Site: same-origin\n", false, NULL },
};

static void lets_pages_of_some_origins_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cors_cases); i++) {
        struct head_text t;
        struct error err;
        const char *found = NULL;
        head_text_init(&t, "Host: localhost:8080\n");
        head_text_add(&t, cors_cases[i].lines);
        bool allowed = origin_check_origin(&t.head, &cors, &found, &err);
        if (allowed != cors_cases[i].allowed)
            fail_msg("%s", cors_cases[i].lines);
        if (allowed && cors_cases[i].found == NULL)
            assert_null(found);
        else if (allowed)
            assert_string_equal(found, cors_cases[i].found);
        else
            assert_int_equal(err.type, PROBLEM_FORBIDDEN);
    }
}

static void knows_preflights(void **state)
{
    static const struct {
        const char *method, *lines;
        bool is;
    } cases[] = {
        { "OPTIONS", "Origin: " APP "\nAccess-Control-Request-Method: POST\n", true },
        { "OPTIONS", "access-control-request-method: GET\norigin: x\n", true },
        { "OPTIONS", "Origin: " APP "\n", false },
        { "OPTIONS", "Access-Control-Request-Method: POST\n", false },
        { "OPTIONS", "", false },
        { "options", "Origin: " APP "\nAccess-Control-Request-Method: POST\n", false },
        { "POST", "Origin: " APP "\nAccess-Control-Request-Method: POST\n", false },
    };
    struct head_text t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        head_text_init(&t, cases[i].lines);
        t.head.method = str_of(cases[i].method);
        assert_int_equal(origin_is_preflight(&t.head), cases[i].is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_its_own_hosts_only),
        cmocka_unit_test(takes_any_host_on_unix_sockets),
        cmocka_unit_test(wants_no_host_of_http_1_0),
        cmocka_unit_test(keeps_foreign_pages_out),
        cmocka_unit_test(lets_pages_of_some_origins_in),
        cmocka_unit_test(knows_preflights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
