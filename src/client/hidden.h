/* SPDX-License-Identifier: Apache-2.0 */
/* What is hidden in foreign text: the secrets of the configuration and those that logins have
 * brought. It is made anew when these change, and is itself never changed: who uses it holds it. */
#ifndef RPCGATE_CLIENT_HIDDEN_H
#define RPCGATE_CLIENT_HIDDEN_H

#include "base/macros.h"
#include "base/str.h"
#include "settings/redact.h"
#include "settings/snapshot.h"

#include <stddef.h>

struct hidden;

/* With one reference. Copies the texts. */
struct hidden *hidden_new(const struct config *config, const struct str *more, size_t n) MUST_CHECK;

struct hidden *hidden_ref(struct hidden *h);
/* NULL is fine. Any thread. */
void hidden_unref(struct hidden *h);

/* The redactor of `h`, or of the configuration where that is NULL. */
const struct redactor *hidden_redactor(const struct hidden *h, const struct config *config);

#endif
