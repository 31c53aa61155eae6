/* SPDX-License-Identifier: Apache-2.0 */
/* The option lists: what they say of themselves, and the documents made from them. */
#include "base/nearest.h"
#include "config/shown.h"
#include "settings/secret.h"
#include "settings/sections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config_text.h"

static int64_t number_of(const struct option_row *row, const char *text)
{
    struct buf why;
    buf_init(&why, 512, NULL);
    int64_t number = 0;
    if (!row->kind->parse(row->kind, str_of(text), &number, &why))
        fail_msg("%s: %s %s", row->name, text, buf_c(&why));
    buf_done(&why);
    return number;
}

static void check_row(const struct option_row *row)
{
    struct buf why;
    buf_init(&why, 512, NULL);
    if ((row->least == NULL) != (row->greatest == NULL) ||
        (row->standard == NULL) == (row->example == NULL))
        fail_msg("%s: bounds are two or none, default and example one", row->name);
    const char *text = row->standard != NULL ? row->standard : row->example;
    if (row->kind->form == FORM_NUMBER) {
        int64_t number = number_of(row, text);
        if (row->least != NULL)
            assert_true(number >= number_of(row, row->least) &&
                        number <= number_of(row, row->greatest));
    } else if (row->kind->form == FORM_TEXT && strstr(text, "${") == NULL) {
        if (!row->kind->check(str_of(text), &why))
            fail_msg("%s: %s: %s", row->name, text, buf_c(&why));
    }
    size_t len = strlen(row->help);
    if (len == 0 || row->help[len - 1] != '.')
        fail_msg("%s: the help is a sentence", row->name);
    buf_done(&why);
}

static void rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_sections; i++) {
        for (size_t j = 0; j < sections[i]->n_options; j++)
            check_row(&sections[i]->options[j]);
    }
}

static void every_section_is_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_sections; i++) {
        for (size_t j = 0; j < sections[i]->n_groups; j++) {
            bool found = false;
            for (size_t k = 0; k < n_sections; k++)
                found |= sections[k] == sections[i]->groups[j].section;
            assert_true(found);
        }
    }
}

/* The settings without their origins. */
static char *settings_of(struct config *config)
{
    struct buf text, settings;
    buf_init(&text, 65536, NULL);
    buf_init(&settings, 65536, NULL);
    config_print(config, &text);
    for (const char *line = buf_c(&text); *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *origin = strstr(line, "// ");
        size_t len = strcspn(line, "\n");
        if (origin != NULL && origin < line + len)
            len = (size_t)(origin - line);
        while (len > 0 && line[len - 1] == ' ')
            len--;
        buf_printf(&settings, "%.*s\n", (int)len, line);
    }
    buf_done(&text);
    return buf_take(&settings);
}

static void sample_is_the_defaults(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 65536, NULL);
    config_print_sample(&text);
    struct config *sample = config_of(buf_c(&text)), *empty = config_of("");
    char *a = settings_of(sample), *b = settings_of(empty);
    assert_string_equal(a, b);
    free(a);
    free(b);
    config_unref(sample);
    config_unref(empty);
    buf_done(&text);
}

/* Takes `// ` and what stands before it from each line. */
static void uncomment(struct buf *to, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        struct str line = { text, len };
        const char *mark = memmem(text, len, "// ", 3);
        size_t at = mark != NULL ? (size_t)(mark - text) : len;
        if (mark != NULL && strspn(text, " ") == at)
            line = str_slice(line, at + 3, len);
        buf_append(to, line);
        buf_append_byte(to, '\n');
        text += len + (text[len] == '\n');
    }
}

static void sample_is_good_without_its_comments(void **state)
{
    (void)state;
    struct buf sample, text;
    buf_init(&sample, 65536, NULL);
    buf_init(&text, 65536, NULL);
    config_print_sample(&sample);
    uncomment(&text, buf_c(&sample));
    struct config_report report;
    config_report_init(&report);
    assert_null(
        config_read_text("t.conf", buf_str(&text), &(struct config_read_options){ 0 }, &report));
    /* What cannot stand together, and files that are not there. */
    assert_int_equal(report.n_errors, 36);
    size_t missing = 0;
    for (const char *at = buf_c(&report.errors); (at = strstr(at, "`/etc/rpcgate/")) != NULL; at++)
        missing++;
    assert_int_equal(missing, 19);
    assert_non_null(strstr(buf_c(&report.errors), "listen[0]: set either `unix`"));
    assert_non_null(strstr(buf_c(&report.errors), "routes[0]: set one of `get`"));
    assert_non_null(strstr(buf_c(&report.errors), "there is no upstream \"odoo\""));
    assert_non_null(strstr(buf_c(&report.errors), "methods[0].cache: results are kept of safe"));
    assert_non_null(strstr(buf_c(&report.errors), "/etc/rpcgate/upstream.pw"));
    assert_non_null(strstr(buf_c(&report.errors), "set either `url` or `urls`"));
    assert_non_null(strstr(buf_c(&report.errors), "need `scheme = \"basic\";`"));
    assert_non_null(strstr(buf_c(&report.errors), "`token` needs `scheme = \"bearer\";`"));
    config_report_done(&report);
    buf_done(&sample);
    buf_done(&text);
}

static void assert_file(const char *name, void (*print)(struct buf *to))
{
    const char *srcdir = getenv("srcdir");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", srcdir != NULL ? srcdir : ".", name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened; is srcdir set?", path);
    struct buf printed, read;
    buf_init(&printed, 1 << 20, NULL);
    buf_init(&read, 1 << 20, NULL);
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(&read, (struct str){ piece, n });
    fclose(file);
    print(&printed);
    if (strcmp(buf_c(&printed), buf_c(&read)) != 0)
        fail_msg("%s is not what the option lists make; run `make update-docs`", name);
    buf_done(&printed);
    buf_done(&read);
}

static void documents_are_up_to_date(void **state)
{
    (void)state;
    assert_file("etc/rpcgate.conf", config_print_sample);
    assert_file("docs/reference/configuration.md", config_print_reference);
}

static void finds_the_nearest_name(void **state)
{
    static const char *const names[] = { "timeouts", "url", "text", "auth" };
    (void)state;
    assert_string_equal(nearest_name("timeout", names, 4), "timeouts");
    assert_string_equal(nearest_name("tiemouts", names, 4), "timeouts");
    assert_string_equal(nearest_name("URL", names, 4), "url");
    assert_string_equal(nearest_name("tetx", names, 4), "text");
    assert_null(nearest_name("urls4", names, 4));
    assert_null(nearest_name("password", names, 4));
    assert_null(nearest_name("x", (const char *const[]){ "y" }, 1));
    /* Of those that are as near, the first. */
    assert_string_equal(nearest_name("line", (const char *const[]){ "lime", "like" }, 2), "lime");
    assert_null(nearest_name("", names, 0));
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[299] = '\0';
    assert_null(nearest_name(longest, names, 4));
    const char *just = longest + sizeof longest - 1 - NEAREST_FAR;
    assert_int_equal(nearest_distance(just, just + 1), NEAREST_FAR);
    assert_int_equal(nearest_distance(just + 1, just), NEAREST_FAR);
    assert_int_equal(nearest_distance(just + 1, just + 2), 1);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("abcd", "acbd"), 1);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

static void keeps_secrets_apart(void **state)
{
    (void)state;
    struct vault *v = vault_new();
    assert_false(vault_holds(v, ""));
    char *first = vault_add(v, STR("hunter2"));
    char *last = first;
    for (int i = 0; i < 1000; i++)
        last = vault_add(v, STR("a secret of some length"));
    assert_string_equal(first, "hunter2");
    assert_true(vault_holds(v, first));
    assert_true(vault_holds(v, last));
    assert_false(vault_holds(v, "a secret of some length"));
    char *large = calloc(1, 100000);
    assert_non_null(large);
    memset(large, 'x', 99999);
    assert_string_equal(vault_add(v, (struct str){ large, 99999 }), large);
    free(large);
    assert_null(vault_free(v));
    assert_true(secret_header(STR("authorization")));
    assert_true(secret_header(STR("X-API-Key")));
    assert_true(secret_header(STR("x-auth-token")));
    assert_true(secret_header(STR("My-Secret")));
    assert_true(secret_header(STR("Cookie")));
    assert_false(secret_header(STR("X-Tenant")));
    assert_false(secret_header(STR("Monkey")));
    assert_false(secret_header(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(every_section_is_documented),
        cmocka_unit_test(sample_is_the_defaults),
        cmocka_unit_test(sample_is_good_without_its_comments),
        cmocka_unit_test(documents_are_up_to_date),
        cmocka_unit_test(finds_the_nearest_name),
        cmocka_unit_test(keeps_secrets_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
