/* SPDX-License-Identifier: Apache-2.0 */
/* What a secret may look like in foreign text: what servers and we ourselves make of its bytes, and
 * how they are written. */
#ifndef RPCGATE_SETTINGS_SECRET_FORMS_H
#define RPCGATE_SETTINGS_SECRET_FORMS_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

struct secret_forms {
    struct str *texts; /* owned; each folded */
    size_t n;
    struct buf text; /* what they point into */
};

/* A blank may be shown as `+` (HTML 4.01 section 17.13.4); nobody is hurt if that is so of all. */
static inline unsigned char secret_fold(char c)
{
    return (unsigned char)(c == '+' ? ' ' : c);
}

void secret_forms_make(struct secret_forms *f, const struct str *secrets, size_t n);
void secret_forms_done(struct secret_forms *f);

#endif
