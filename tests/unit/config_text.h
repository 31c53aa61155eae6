/* SPDX-License-Identifier: Apache-2.0 */
/* Reading configurations in tests. cmocka.h comes before it. */
#ifndef RPCGATE_TESTS_CONFIG_TEXT_H
#define RPCGATE_TESTS_CONFIG_TEXT_H

#include "config/config.h"

#include <stdio.h>

/* Reads a text that must be good. */
static inline struct config *config_of(const char *text)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config == NULL)
        fail_msg("%s\nis refused: %s", text, buf_c(&report.errors));
    assert_int_equal(report.errors.len, 0);
    config_report_done(&report);
    return config;
}

/* Reads a text that must be refused with these errors, all of them. */
static inline void refuses(const char *text, const char *errors)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config != NULL)
        fail_msg("%s\nis not refused", text);
    assert_string_equal(buf_c(&report.errors), errors);
    assert_true(report.n_errors > 0);
    config_report_done(&report);
}

/* Reads a text that must be refused with one error that has `part` in it. */
static inline void refuses_with(const char *text, const char *part)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config != NULL)
        fail_msg("%s\nis not refused", text);
    if (strstr(buf_c(&report.errors), part) == NULL)
        fail_msg("%s\nis refused with %s", text, buf_c(&report.errors));
    if (report.n_errors != 1)
        fail_msg("%s\nhas more than one error: %s", text, buf_c(&report.errors));
    config_report_done(&report);
}

/* Reads a text that must be good, with that in its warnings; "": there are none. */
static inline void warns_with(const char *text, const char *part)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_text("t.conf", str_of(text), &(struct config_read_options){ 0 }, &report);
    if (config == NULL)
        fail_msg("%s\nis refused: %s", text, buf_c(&report.errors));
    if (part[0] == '\0' ? report.warnings.len > 0 : strstr(buf_c(&report.warnings), part) == NULL)
        fail_msg("%s\nhas the warnings: %s", text, buf_c(&report.warnings));
    config_unref(config);
    config_report_done(&report);
}

#endif
