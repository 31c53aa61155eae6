/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a configuration: it is read or refused, and what --show-config prints of one that is
 * read can be read again, unless a secret in it was hidden. */
#include "config/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a credential is missing under -t, so that no file is wanted. Its folder does not exist. */
static struct config *read_text(struct str text)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config = config_read_text(
        "/nonexistent/fuzz.conf", text, &(struct config_read_options){ .testing = true }, &report);
    if ((config == NULL) != (report.n_errors > 0) ||
        (report.n_errors > 0) != (report.errors.len > 0))
        abort();
    config_report_done(&report);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = read_text((struct str){ (const char *)data, size });
    if (config == NULL)
        return 0;
    struct buf printed;
    buf_init(&printed, (size_t)16 << 20, NULL);
    config_print(config, &printed);
    struct config *again = read_text(buf_str(&printed));
    if (again == NULL && memmem(printed.data, printed.len, "***", 3) == NULL) {
        fprintf(stderr, "%s\n", buf_c(&printed));
        abort();
    }
    config_unref(again);
    config_unref(config);
    buf_done(&printed);
    return 0;
}
