/* SPDX-License-Identifier: Apache-2.0 */
/* What compiling and filling templates share. */
#ifndef RPCGATE_SETTINGS_TEMPLATE_INSIDE_H
#define RPCGATE_SETTINGS_TEMPLATE_INSIDE_H

#include "settings/template.h"

/* Appends the text of a value, as it stands in such a result. */
void template_append_value(struct buf *to, enum template_form form, struct str text);

/* Appends a part of the template's own text. */
void template_append_own(struct buf *to, enum template_form form, struct str text);

/* Appends the Base64 of `text`. */
void template_append_base64(struct buf *to, enum template_form form, struct str text);

/* Can it stand where it goes? */
bool template_check_result(enum template_form form, struct str result, struct buf *why) MUST_CHECK;

#endif
