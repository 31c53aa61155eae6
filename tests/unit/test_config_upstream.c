/* SPDX-License-Identifier: Apache-2.0 */
/* How upstreams are reached: URLs, logins, TLS, proxies, rules; and the secrets among all that. */
#include "config/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

/* Nothing is encoded in these; they only look like it. */
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nTk9ORQ==\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nTk9ORQ==\n-----END PRIVATE KEY-----\n"
#define ENCRYPTED                                                                                  \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nTk9ORQ==\n-----END ENCRYPTED PRIVATE KEY-----\n"
#define OLD_KEY                                                                                    \
    "-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-256-CBC,00\r\n\r\n" \
    "Tk9ORQ==\r\n-----END EC PRIVATE KEY-----\r\n"

static char folder[] = "/tmp/rpcgate-test-config-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *const files[] = { "ca.pem",     "cert.pem", "key.pem",
                                     "secret.pem", "token",    "braces" };

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    write_file("ca.pem", "a comment\n" CERTIFICATE CERTIFICATE);
    write_file("cert.pem", CERTIFICATE);
    write_file("key.pem", KEY);
    write_file("secret.pem", ENCRYPTED);
    write_file("token", "token-of-a-file\n");
    write_file("braces", "token-{of}-a-file\n");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* Reads an upstream `u` with these settings, from a file in our folder. */
static struct config *read_upstream(const char *settings, struct config_report *report)
{
    char name[128], text[4096];
    snprintf(name, sizeof name, "%s/t.conf", folder);
    snprintf(text, sizeof text, "upstreams = { u = { %s }; };", settings);
    config_report_init(report);
    return config_read_text(name, str_of(text), &(struct config_read_options){ 0 }, report);
}

static struct config *good(const char *settings)
{
    struct config_report report;
    struct config *config = read_upstream(settings, &report);
    if (config == NULL)
        fail_msg("%s\nis refused: %s", settings, buf_c(&report.errors));
    config_report_done(&report);
    return config;
}

static void reads_all_settings(void **state)
{
    (void)state;
    struct config *c = good(
        "url = \"https://h\"; cookies = true; required = true; fault_status = 503; verbose = "
        "true;\n"
        "auth = { scheme = \"bearer\"; token = \"${file:token}\"; };\n"
        "tls = { ca_file = \"ca.pem\"; ca_path = \".\"; cert_file = \"cert.pem\";\n"
        "  key_file = \"secret.pem\"; key_password = \"of-the-key\"; verify_peer = false;\n"
        "  verify_host = false; min_version = \"1.3\"; ciphers = \"TLS_X:Y\";\n"
        "  pinned_public_key = \"sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=\"; };\n"
        "proxy = { url = \"socks5h://us%40er:pass%3a@[::1]:1080\"; headers = [ \"A: b\" ];\n"
        "  tunnel = true; no_proxy = [ \"a.example\", \"10.0.0.0/8\" ]; };\n"
        "pool = { max_connections = 3; max_queue = 0; queue_timeout = \"1s\"; };\n"
        "compression = { accept = false; request_over = \"1K\"; };\n"
        "retry = { attempts = 1; backoff = \"1s\"; }; breaker = { failures = 0; open = \"1m\"; };\n"
        "faults = ( { code = -5; status = 404; type = \"none-such\"; retry_after = \"9s\"; },\n"
        "  { code = \"E_*\"; text = \"*gone*\"; http = 500; }, { from = 10L; to = 20; }, { } );\n"
        "dates = \"zulu\"; timezone = \"UTC\";\n"
        "methods = ( { match = \"get*\"; safe = true; empty = \"null\"; },\n"
        "  { match = \"*\"; timeout = \"9m\"; } );");
    const struct upstream_config *u = &c->upstreams[0];
    assert_true(u->cookies && u->required && u->verbose);
    assert_int_equal(u->fault_status, 503);
    assert_int_equal(u->auth.scheme, AUTH_SCHEME_BEARER);
    assert_string_equal(u->auth.token, "token-of-a-file");
    assert_true(str_eq(u->tls_files.ca, STR("a comment\n" CERTIFICATE CERTIFICATE)));
    assert_true(str_eq(u->tls_files.cert, STR(CERTIFICATE)));
    assert_true(str_eq(u->tls_files.key, STR(ENCRYPTED)));
    assert_memory_equal(u->tls.ca_path, folder, strlen(folder));
    assert_int_equal(u->tls.min_version, TLS_VERSION_1_3);
    assert_false(u->tls.verify_peer || u->tls.verify_host);
    assert_string_equal(u->proxy_target.url, "socks5h://[::1]:1080");
    assert_string_equal(u->proxy_target.username, "us@er");
    assert_string_equal(u->proxy_target.password, "pass:");
    assert_string_equal(u->proxy_target.no_proxy, "a.example,10.0.0.0/8");
    assert_int_equal(u->pool.max_connections, 3);
    assert_int_equal(u->compression.request_over, 1024);
    assert_int_equal(u->retry.attempts, 1);
    assert_int_equal(u->breaker.failures, 0);
    assert_int_equal(u->n_faults, 4);
    assert_int_equal(u->faults[0].code.form, FAULT_CODE_NUMBER);
    assert_int_equal(u->faults[0].code.number, -5);
    assert_int_equal(u->faults[0].status, 404);
    assert_string_equal(u->faults[0].type, "none-such");
    assert_int_equal(u->faults[0].retry_after, 9000);
    assert_false(u->faults[0].has_range);
    assert_int_equal(u->faults[1].code.form, FAULT_CODE_GLOB);
    assert_string_equal(u->faults[1].code.glob, "E_*");
    assert_int_equal(u->faults[1].http, 500);
    assert_true(u->faults[2].has_range);
    assert_true(u->faults[2].from == 10 && u->faults[2].to == 20);
    assert_true(u->faults[3].from == INT64_MIN && u->faults[3].to == INT64_MAX);
    assert_int_equal(u->faults[3].code.form, FAULT_CODE_ANY);
    assert_int_equal(u->n_methods, 2);
    assert_true(u->methods[0].safe && !u->methods[1].safe);
    assert_int_equal(u->methods[1].timeout, 540000);
    assert_int_equal(u->methods[0].empty, EMPTY_ANSWER_IS_NULL);
    assert_int_equal(u->methods[1].empty, EMPTY_ANSWER_ERROR);
    assert_int_equal(u->dates, DATES_ZULU);
    config_unref(c);
}

static void has_defaults(void **state)
{
    (void)state;
    struct config *c = good("url = \"http://h\";");
    const struct upstream_config *u = &c->upstreams[0];
    assert_int_equal(u->n_targets, 1);
    assert_string_equal(u->targets[0].url, "http://h/RPC2");
    assert_int_equal(u->fault_status, 500);
    assert_int_equal(u->pool.max_connections, 64);
    assert_int_equal(u->pool.max_queue, 1024);
    assert_int_equal(u->retry.attempts, 2);
    assert_int_equal(u->retry.backoff, 50);
    assert_int_equal(u->breaker.failures, 5);
    assert_int_equal(u->breaker.open, 5000);
    assert_true(u->tls.verify_peer && u->tls.verify_host && u->compression.accept);
    assert_true(u->compression.request_over == SIZE_MAX);
    assert_int_equal(u->tls.min_version, TLS_VERSION_1_2);
    assert_null(u->proxy_target.url);
    assert_null(u->tls_files.ca.data);
    assert_int_equal(u->n_faults + u->n_methods, 0);
    config_unref(c);
}

static void has_several_urls(void **state)
{
    (void)state;
    struct config *c = good("urls = [ \"http://us%41r:password@a:1/x\", \"https://b\",\n"
                            "\"http+unix://%2Fs\" ]; auth = { scheme = \"digest\"; };");
    const struct upstream_config *u = &c->upstreams[0];
    assert_int_equal(u->n_targets, 3);
    assert_string_equal(u->target.url, "http://a:1/x");
    assert_string_equal(u->targets[0].username, "usAr");
    assert_string_equal(u->targets[1].url, "https://b/RPC2");
    assert_null(u->targets[1].username);
    assert_string_equal(u->targets[2].unix_socket, "/s");
    assert_true(u->targets[0].digest && u->targets[2].digest);
    config_unref(c);
    c = good(
        "urls = [ \"http://a\", \"http://b\" ]; auth = { scheme = \"basic\"; username = \"u\"; };");
    assert_string_equal(c->upstreams[0].targets[1].username, "u");
    assert_false(c->upstreams[0].targets[1].digest);
    config_unref(c);
}

static const struct bad {
    const char *settings, *part;
} bad[] = {
    { "url = \"http://h\"; urls = [ \"http://h\" ];", "set either `url` or `urls`, not both" },
    { "urls = [ ];", "there must be at least one URL" },
    { "urls = [ \"http://h\", \"ftp://h\" ];", "the URL must begin with http://" },
    { "cookies = true;", "`url` is missing" },
    { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"a b\"; };", "has no blanks" },
    { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"\"; };", "is not empty" },
    { "url = \"http://u:p@h\"; auth = { scheme = \"bearer\"; token = \"t\"; };", "take them out" },
    { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"t\"; };"
      "headers = [ \"Authorization: x\" ];",
      "take them out of one" },
    { "url = \"http://h\"; auth = { scheme = \"basic\"; username = \"a\\tb\"; };", "control" },
    { "url = \"https://h\"; tls = { ca_file = \"\"; };", "there is no file name" },
    { "url = \"https://h\"; tls = { ca_file = \"none\"; };", "`none` cannot be opened" },
    { "url = \"https://h\"; tls = { ca_file = \"key.pem\"; };", "`key.pem` has no certificate" },
    { "url = \"https://h\"; tls = { ca_path = \"ca.pem\"; };", "`ca.pem` is not a folder" },
    { "url = \"https://h\"; tls = { cert_file = \"cert.pem\"; };", "has no private key" },
    { "url = \"https://h\"; tls = { cert_file = \"cert.pem\"; key_file = \"secret.pem\"; };",
      "set `key_password`" },
    { "url = \"https://h\"; tls = { key_password = \"abcdef\"; };", "need a `cert_file`" },
    { "url = \"https://h\"; tls = { pinned_public_key = \"md5//x\"; };", "no public key" },
    { "url = \"https://h\"; tls = { min_version = \"0.9\"; };", "`1.0`, `1.1`, `1.2` and `1.3`" },
    { "url = \"http://h\"; proxy = { tunnel = true; };", "proxy: `url` is missing" },
    { "url = \"http://h\"; proxy = { url = \"http://p\"; };", "needs a port" },
    { "url = \"http://h\"; proxy = { url = \"http+unix://%2Fs\"; };", "a proxy's URL must begin" },
    { "url = \"http://h\"; proxy = { url = \"http://p:1/x\"; };", "has a path" },
    { "url = \"http://h\"; proxy = { url = \"http://p:1\"; password = \"abcdef\"; };",
      "needs a `username`" },
    { "url = \"http://h\"; proxy = { url = \"http://p:1\"; username = \"a:b\"; };", "a `:`" },
    { "url = \"http+unix://%2Fs\"; proxy = { url = \"http://p:1\"; };", "a unix socket cannot" },
    { "url = \"http://h\"; proxy = { url = \"http://p:1\"; no_proxy = [ \"a,b\" ]; };", "no host" },
    { "url = \"http://h\"; fault_status = 200;", "from 400 to 599" },
    { "url = \"http://h\"; faults = ( { from = 2; to = 1; } );", "no code lies from 2 to 1" },
    { "url = \"http://h\"; faults = ( { code = true; } );", "must be an integer, or a string" },
    { "url = \"http://h\"; faults = ( { type = \"No Such\"; } );", "no type of a problem" },
    { "url = \"http://h\"; faults = { };", "must be a list of groups" },
    { "url = \"http://h\"; methods = ( { safe = true; } );", "`match` is missing" },
    { "url = \"http://h\"; methods = ( { match = \"a\"; empty = \"nil\"; } );",
      "`error` and `null`" },
    { "url = \"http://h\"; dates = \"utc\";", "`basic`, `extended` and `zulu`" },
    { "url = \"http://h\"; dates = \"zulu\"; timezone = \"+02:00\";", "leave `timezone` out" },
    { "url = \"http://h\"; methods = ( { match = \"a\"; session_expired = true; } );", "unknown" },
};

static void refuses_bad_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct config_report report;
        if (read_upstream(bad[i].settings, &report) != NULL)
            fail_msg("%s\nis not refused", bad[i].settings);
        if (report.n_errors != 1 || strstr(buf_c(&report.errors), bad[i].part) == NULL ||
            strstr(buf_c(&report.errors), "/t.conf:1: ") == NULL)
            fail_msg("%s\nis refused with %s", bad[i].settings, buf_c(&report.errors));
        config_report_done(&report);
    }
}

static const struct bad warned[] = {
    { "url = \"https://h\"; tls = { verify_peer = false; };", "u.tls: `verify_peer` is off" },
    { "url = \"https://h\"; tls = { verify_host = false; };", "u.tls: `verify_host` is off" },
    { "url = \"https://h\"; tls = { min_version = \"1.0\"; };",
      "TLS 1.0 or 1.1, which are broken" },
    { "url = \"https://h\"; tls = { min_version = \"1.1\"; ciphers = \"DEFAULT\"; };",
      "@SECLEVEL=0" },
    { "url = \"http://h\"; timeouts = { connect = \"9s\"; total = \"8s\"; };", "never reached" },
    { "url = \"http://usernam:short@h\";", "user and password of the URL: a secret of fewer" },
    { "url = \"http://h\"; headers = [ \"X-Key: short\" ];",
      "u.headers: a secret of fewer than 6" },
    { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"short\"; };",
      "u.auth.token: a secret of fewer than 6 bytes" },
    { "url = \"http://h\"; headers = [ \"X-A: b\", \"X-Key: {key}-{{x}}\" ];",
      "u.headers: the braces in it go out as they are" },
    { "url = \"http://h\"; headers = [ \"X-Login: {base64({username}:{key})}\" ];",
      "u.headers: the braces" },
    { "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"short-{key}\"; };",
      "u.auth.token: the braces" },
    { "url = \"http://h\"; auth = { scheme = \"basic\"; username = \"{username}\"; "
      "password = \"short-of-it\"; };",
      "u.auth.username: the braces" },
    { "url = \"http://h\"; auth = { scheme = \"basic\"; username = \"me\"; "
      "password = \"{password}\"; };",
      "u.auth.password: the braces" },
};

/* What is no name, what a file has, where braces have a meaning, and what is just reached. */
static const char *const unwarned[] = {
    "url = \"http://h\"; timeouts = { connect = \"8s\"; total = \"8s\"; };",
    "url = \"http://h\"; headers = [ \"X-Filter: {\\\"a\\\": {}}\", \"X-Set: { a, b }\" ];",
    "url = \"http://h\"; auth = { scheme = \"bearer\"; token = \"${file:braces}\"; };",
    "url = \"http://h\"; headers = [ \"X-Key: {key}\" ]; credentials = { key = \"0123456789\"; };",
};

static void warns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(warned); i++) {
        struct config_report report;
        struct config *config = read_upstream(warned[i].settings, &report);
        assert_non_null(config);
        if (strstr(buf_c(&report.warnings), warned[i].part) == NULL)
            fail_msg("%s\nis warned of with %s", warned[i].settings, buf_c(&report.warnings));
        assert_null(strstr(buf_c(&report.warnings), "short"));
        config_report_done(&report);
        config_unref(config);
    }
}

static void is_silent_about_what_is_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unwarned); i++) {
        struct config_report report;
        struct config *config = read_upstream(unwarned[i], &report);
        assert_non_null(config);
        assert_null(strstr(buf_c(&report.warnings), "upstreams."));
        config_report_done(&report);
        config_unref(config);
    }
}

static bool is_secret(const struct config *config, const char *text)
{
    size_t n;
    const struct str *secrets = config_secrets(config, &n);
    for (size_t i = 0; i < n; i++) {
        if (str_eq_c(secrets[i], text))
            return true;
    }
    return false;
}

static void gathers_secrets(void **state)
{
    static const char *const secrets[] = {
        "us@er-of-url",
        "pass/of-url",
        "us@er-of-url:pass/of-url",
        "key-of-header",
        "Basic of-url",
        "of-url",
        "one-cookie",
        "two-cookie",
        "of-the-key",
        "pass-of-proxy",
        "proxy-u:pass-of-proxy",
        "token-of-a-file",
    };
    (void)state;
    struct config *c = good("url = \"http://us%40er-of-url:pass%2Fof-url@h\";\n"
                            "headers = [ \"X-Key: key-of-header\", \"X-Other: not-a-secret\",\n"
                            "  \"Proxy-Authorization: Basic of-url\",\n"
                            "  \"Cookie: a=one-cookie; b=two-cookie\" ];\n"
                            "user_agent = \"agent ${file:token}\";\n"
                            "tls = { cert_file = \"cert.pem\"; key_file = \"secret.pem\";\n"
                            "  key_password = \"of-the-key\"; };\n"
                            "proxy = { url = \"http://p:1\"; username = \"proxy-u\";\n"
                            "  password = \"pass-of-proxy\"; };");
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        if (!is_secret(c, secrets[i]))
            fail_msg("%s is not known as a secret", secrets[i]);
    }
    assert_false(is_secret(c, "not-a-secret"));
    assert_false(is_secret(c, "proxy-u"));
    size_t n;
    const struct str *all = config_secrets(c, &n);
    assert_int_equal(n, ARRAY_LEN(secrets) + 1); /* and the cookies as a whole */
    for (size_t i = 1; i < n; i++)
        assert_true(all[i - 1].len >= all[i].len);
    config_unref(c);
    c = good("url = \"http://h\";");
    config_secrets(c, &n);
    assert_int_equal(n, 0);
    config_unref(c);
}

static void looks_at_pem(void **state)
{
    static const struct {
        const char *text;
        bool good;
        struct pem_content content;
    } cases[] = {
        { "", true, { 0, 0, false } },
        { "nothing\n", true, { 0, 0, false } },
        { CERTIFICATE KEY CERTIFICATE, true, { 2, 1, false } },
        { ENCRYPTED, true, { 0, 1, true } },
        { OLD_KEY, true, { 0, 1, true } },
        { "-----BEGIN EC PARAMETERS-----\nTk9ORQ==\n-----END EC PARAMETERS-----\n" KEY,
          true,
          { 0, 1, false } },
        { "-----BEGIN CERTIFICATE-----\nTk9ORQ==\n", false, { 0 } },
        { "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false, { 0 } },
        { "-----BEGIN CERTIFICATE-----\nTk9*Q==\n-----END CERTIFICATE-----\n", false, { 0 } },
        { "-----BEGIN CERTIFICATE-----\nTk9ORQ==\n-----END PRIVATE KEY-----\n", false, { 0 } },
        { "-----BEGIN CERTIFICATE-----", false, { 0 } },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pem_content content;
        struct buf why;
        buf_init(&why, 512, NULL);
        bool ok = pem_look(str_of(cases[i].text), &content, &why);
        if (ok != cases[i].good ||
            (ok && memcmp(&content, &cases[i].content, sizeof(size_t) * 2)) ||
            (ok && content.encrypted != cases[i].content.encrypted))
            fail_msg("case %zu: %d, %zu, %zu", i, ok, content.n_certificates, content.n_keys);
        assert_int_equal(why.len == 0, ok);
        buf_done(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_settings),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(has_several_urls),
        cmocka_unit_test(refuses_bad_ones),
        cmocka_unit_test(warns),
        cmocka_unit_test(is_silent_about_what_is_right),
        cmocka_unit_test(gathers_secrets),
        cmocka_unit_test(looks_at_pem),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
