/* SPDX-License-Identifier: Apache-2.0 */
#include "config/account.h"

#include "base/alloc.h"
#include "base/str.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

/* A group has a line for all of its members. [bytes] */
#define ENTRY_MIN ((size_t)4096)
#define ENTRY_MAX ((size_t)16 << 20)

/* Looks one up with that much room. ERANGE: it needs more. */
typedef int lookup(const char *name, char *room, size_t size, unsigned *ret, bool *ret_found);

static int look_up_user(const char *name, char *room, size_t size, unsigned *ret, bool *ret_found)
{
    struct passwd entry, *found = NULL;
    int error = getpwnam_r(name, &entry, room, size, &found);
    *ret_found = found != NULL;
    if (found != NULL)
        *ret = found->pw_uid;
    return error;
}

static int look_up_group(const char *name, char *room, size_t size, unsigned *ret, bool *ret_found)
{
    struct group entry, *found = NULL;
    int error = getgrnam_r(name, &entry, room, size, &found);
    *ret_found = found != NULL;
    if (found != NULL)
        *ret = found->gr_gid;
    return error;
}

/* The C libraries have these too for a name that is not there. */
static bool means_unknown(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static bool find(const char *name, lookup *look_up, const char *what, unsigned *ret,
                 struct buf *why)
{
    uint64_t number;
    /* The greatest one means "none" in the system's calls. */
    if (str_to_uint(str_of(name), UINT32_MAX - 1, &number)) {
        *ret = (unsigned)number;
        return true;
    }
    bool found = false;
    int error = ERANGE;
    for (size_t size = ENTRY_MIN; error == ERANGE && size <= ENTRY_MAX; size *= 4) {
        CLEANUP(free_charp) char *room = xcalloc(1, size);
        error = look_up(name, room, size, ret, &found);
    }
    if (found)
        return true;
    if (means_unknown(error))
        buf_printf(why, "there is no %s `%s` on this system", what, name);
    else
        buf_printf(why, "the %s `%s` cannot be looked up: %s", what, name, strerror(error));
    return false;
}

bool account_user(const char *name, uid_t *ret, struct buf *why)
{
    return find(name, look_up_user, "user", ret, why);
}

bool account_group(const char *name, gid_t *ret, struct buf *why)
{
    return find(name, look_up_group, "group", ret, why);
}
