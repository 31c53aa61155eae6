/* SPDX-License-Identifier: Apache-2.0 */
/* Reading whole, small files. */
#ifndef RPCGATE_CONFIG_READ_FILE_H
#define RPCGATE_CONFIG_READ_FILE_H

#include "base/buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct file_id {
    dev_t device;
    ino_t inode;
};

enum file_kinds {
    FILE_REGULAR, /* files proper */
    FILE_ANY      /* pipes and terminals too, but no folders */
};

/* Appends the file to `to`, up to the maximum of that. False: `why` ends a sentence that begins
 * with its name. `ret_id` may be NULL. */
bool file_read(const char *path, enum file_kinds kinds, struct buf *to, struct file_id *ret_id,
               struct buf *why) MUST_CHECK;

/* `name` seen from `folder` ("" is where we are): itself where it is absolute. To be freed. */
char *file_beside(const char *folder, struct str name) MUST_CHECK;

#endif
