/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)65536)

bool input_open(struct input *in, const char *path)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;
    *in = (struct input){ .fd = STDIN_FILENO, .name = standard ? "standard input" : path };
    buf_init(&in->ahead, SIZE_MAX - 1, NULL);
    if (!standard)
        in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd >= 0)
        return true;
    fprintf(stderr, "rpcgate: cannot open %s: %s\n", path, strerror(errno));
    return false;
}

void input_close(struct input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    buf_done(&in->ahead);
}

size_t input_read(struct input *in, char *to, size_t size)
{
    ssize_t n;
    if (in->ended)
        return 0;
    do
        n = read(in->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return (size_t)n;
    in->ended = true;
    in->broken = n < 0;
    if (in->broken)
        fprintf(stderr, "rpcgate: cannot read %s: %s\n", in->name, strerror(errno));
    return 0;
}

bool input_all(struct input *in, struct buf *to)
{
    while (!in->ended && buf_reserve(to, PIECE)) {
        size_t n = input_read(in, to->data + to->len, PIECE);
        to->len += n;
        to->data[to->len] = '\0';
    }
    if (!buf_ok(to))
        fprintf(stderr, "rpcgate: %s does not fit into memory\n", in->name);
    return buf_ok(to) && !in->broken;
}

/* Reads on, after what has been given was let go. */
static void read_more(struct input *in)
{
    struct buf *b = &in->ahead;
    if (in->given > 0) {
        memmove(b->data, b->data + in->given, b->len - in->given);
        b->len -= in->given;
        in->given = 0;
    }
    if (!buf_reserve(b, PIECE)) {
        fprintf(stderr, "rpcgate: a line of %s does not fit into memory\n", in->name);
        in->ended = true;
        in->broken = true;
        return;
    }
    b->len += input_read(in, b->data + b->len, PIECE);
}

bool input_line(struct input *in, struct str *ret)
{
    size_t looked_at = 0;
    for (;;) {
        struct str rest = { in->ahead.data + in->given, in->ahead.len - in->given };
        struct str fresh = str_slice(rest, looked_at, rest.len);
        size_t end = looked_at + str_find(fresh, '\n');
        if (end < rest.len || (in->ended && rest.len > 0)) {
            *ret = str_slice(rest, 0, end);
            in->given += end < rest.len ? end + 1 : end;
            if (ret->len > 0 && ret->data[ret->len - 1] == '\r')
                ret->len--;
            return true;
        }
        if (in->ended)
            return false;
        looked_at = rest.len;
        read_more(in);
    }
}
