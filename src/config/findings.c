/* SPDX-License-Identifier: Apache-2.0 */
#include "config/findings.h"

#include "base/alloc.h"
#include "config/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One message, and all that are told of one file. [bytes] */
#define FINDING_MAX ((size_t)16384)
#define REPORT_MAX ((size_t)1 << 20)

/* Beyond so many there is nothing to learn: it is the wrong file. */
#define FINDINGS_MAX 1000

static void add(struct findings *f, struct finding finding, struct place place, struct buf *text)
{
    struct buf line;
    buf_init(&line, 2 * FINDING_MAX, NULL);
    buf_append_c(&line, place.file != NULL ? place.file : "configuration");
    if (place.line > 0)
        buf_printf(&line, ":%u", place.line);
    buf_printf(&line, ": %s", buf_c(text));
    buf_done(text);
    /* Names and values are told as they came, but each message stays one line. */
    for (size_t i = 0; i < line.len; i++) {
        if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7f)
            line.data[i] = '?';
    }
    f->n_errors += !finding.warning;
    if (f->n < FINDINGS_MAX) {
        finding.text = buf_take(&line);
        finding.at = place.at;
        finding.number = f->n;
        f->items = xreallocarray(f->items, f->n + 1, sizeof *f->items);
        f->items[f->n++] = finding;
    }
    buf_done(&line);
}

static int compare(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

void findings_done(struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->items[i].text);
    free(f->items);
    *f = (struct findings){ 0 };
}

void findings_error(struct findings *f, struct place place, const char *format, ...)
{
    struct buf text;
    buf_init(&text, FINDING_MAX, NULL);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    add(f, (struct finding){ .warning = false }, place, &text);
}

void findings_warn(struct findings *f, struct place place, const char *format, ...)
{
    struct buf text;
    buf_init(&text, FINDING_MAX, NULL);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    add(f, (struct finding){ .warning = true }, place, &text);
}

void findings_report(struct findings *f, struct config_report *report)
{
    if (f->n > 0)
        qsort(f->items, f->n, sizeof *f->items, compare);
    for (size_t i = 0; i < f->n; i++) {
        struct buf *to = f->items[i].warning ? &report->warnings : &report->errors;
        /* User and password of one URL are told of in the same words. */
        if (i > 0 && strcmp(f->items[i].text, f->items[i - 1].text) == 0)
            continue;
        buf_append_c(to, f->items[i].text);
        buf_append_byte(to, '\n');
    }
    report->n_errors = f->n_errors;
}

void config_report_init(struct config_report *report)
{
    *report = (struct config_report){ 0 };
    buf_init(&report->errors, REPORT_MAX, NULL);
    buf_init(&report->warnings, REPORT_MAX, NULL);
}

void config_report_done(struct config_report *report)
{
    buf_done(&report->errors);
    buf_done(&report->warnings);
}
