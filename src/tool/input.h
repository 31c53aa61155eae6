/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input, or a file that stands for it. */
#ifndef RPCGATE_TOOL_INPUT_H
#define RPCGATE_TOOL_INPUT_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

struct input {
    int fd;
    const char *name; /* for messages */
    struct buf ahead; /* read, and not yet given as a line */
    size_t given;     /* of `ahead` */
    bool ended;
    bool broken; /* reading failed: told on stderr */
};

/* `path` NULL or "-": standard input. False: told on stderr (EX_NOINPUT). */
bool input_open(struct input *in, const char *path) MUST_CHECK;
void input_close(struct input *in);

/* The next bytes, at most `size`; 0 at the end and when broken. */
size_t input_read(struct input *in, char *to, size_t size);

/* All that is left, appended to `to`. False when broken. */
bool input_all(struct input *in, struct buf *to) MUST_CHECK;

/* The next line without its end; false at the end. The view lives until the next call. */
bool input_line(struct input *in, struct str *ret);

#endif
