/* SPDX-License-Identifier: Apache-2.0 */
#include "config/credentials.h"

#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

const char *credentials_folder_name(void)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    return folder != NULL && folder[0] != '\0' ? folder : NULL;
}

static bool is_shut(const char *folder)
{
    return access(folder, X_OK) != 0 && errno == EACCES;
}

const char *credentials_folder(struct buf *why)
{
    const char *folder = credentials_folder_name();
    if (folder == NULL)
        buf_append_c(why,
                     "$CREDENTIALS_DIRECTORY is not set, which systemd does for a service with "
                     "LoadCredential=");
    else if (is_shut(folder))
        buf_printf(why, "`%s` cannot be looked into by this process, only by the service itself",
                   folder);
    else
        return folder;
    return NULL;
}

bool credentials_are_shut(void)
{
    const char *folder = credentials_folder_name();
    return folder != NULL && is_shut(folder);
}

bool credentials_hide(const char *path)
{
    return credentials_are_shut() &&
           str_starts_with(str_of(path), str_of(credentials_folder_name()));
}
