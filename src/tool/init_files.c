/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/init.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TOKEN_BYTES 33 /* no padding in Base64 */

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text = str_slice(text, (size_t)n, text.len);
    }
    return true;
}

static void refuse(const char *path)
{
    fprintf(stderr,
            "rpcgate: %s is there already, and is not overwritten: move it away, or name another\n"
            "file with --config\n",
            path);
}

bool init_is_there(const char *path)
{
    bool there = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (there)
        refuse(path);
    return there;
}

bool init_make(struct init_files *files, const char *path, mode_t mode, struct str text)
{
    /* With O_EXCL a link that somebody has put there is not followed, either. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno == EEXIST) {
        refuse(path);
        return false;
    }
    if (fd >= 0) {
        assert(files->n < ARRAY_LEN(files->paths));
        files->paths[files->n++] = xstrdup(path);
    }
    bool good = fd >= 0 && write_all(fd, text);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        why = errno;
        good = false;
    }
    if (!good)
        fprintf(stderr, "rpcgate: cannot write %s: %s\n", path, strerror(why));
    return good;
}

void init_undo(struct init_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        unlink(files->paths[i]);
}

void init_files_done(struct init_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->paths[i]);
    files->n = 0;
}

bool init_token(struct buf *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[TOKEN_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        fprintf(stderr, "rpcgate: the system gives no random bytes: %s\n", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i += 3) {
        unsigned bits = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            buf_append_byte(to, letters[bits >> shift & 63]);
    }
    buf_append_byte(to, '\n');
    explicit_bzero(bytes, sizeof bytes);
    return true;
}
