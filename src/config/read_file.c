/* SPDX-License-Identifier: Apache-2.0 */
#include "config/read_file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse(struct buf *why, const char *reason)
{
    buf_append_c(why, reason);
    return false;
}

static bool read_open_file(int fd, struct buf *to, struct buf *why)
{
    for (;;) {
        char piece[4096];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            buf_printf(why, "cannot be read: %s", strerror(errno));
            return false;
        }
        buf_append(to, (struct str){ piece, (size_t)n });
        wipe(piece, (size_t)n); /* it may be a password */
        if (n == 0)
            return true;
        if (!buf_ok(to))
            return refuse(why, "is too large");
    }
}

bool file_read(const char *path, enum file_kinds kinds, struct buf *to, struct file_id *ret_id,
               struct buf *why)
{
    /* O_NONBLOCK: a FIFO without a writer must not hold up the start of opening. */
    int wait = kinds == FILE_REGULAR ? O_NONBLOCK : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait);
    if (fd < 0) {
        buf_printf(why, "cannot be opened: %s", strerror(errno));
        return false;
    }
    struct stat info;
    bool ok = fstat(fd, &info) == 0;
    if (!ok)
        buf_printf(why, "cannot be read: %s", strerror(errno));
    else if (S_ISDIR(info.st_mode))
        ok = refuse(why, "is a folder, not a file");
    else if (kinds == FILE_REGULAR && !S_ISREG(info.st_mode))
        ok = refuse(why, "is not a regular file");
    if (ok && info.st_size > 0 && (size_t)info.st_size <= to->max - to->len)
        buf_reserve(to, (size_t)info.st_size); /* so that no copy is left behind by growing */
    ok = ok && read_open_file(fd, to, why);
    if (ok && ret_id != NULL)
        *ret_id = (struct file_id){ info.st_dev, info.st_ino };
    close(fd);
    return ok;
}

char *file_beside(const char *folder, struct str name)
{
    if (folder[0] == '\0' || (name.len > 0 && name.data[0] == '/'))
        return xmemdup0(name.data, name.len);
    struct buf path;
    buf_init(&path, strlen(folder) + 1 + name.len, NULL);
    buf_append_c(&path, folder);
    if (folder[strlen(folder) - 1] != '/')
        buf_append_byte(&path, '/');
    buf_append(&path, name);
    return buf_take(&path);
}
