/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Pointers of a rule about results, read once, so that a decoder can look for them. */
#ifndef RPCGATE_SETTINGS_RESULT_PATHS_H
#define RPCGATE_SETTINGS_RESULT_PATHS_H

#include "base/macros.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <stdbool.h>
#include <stddef.h>

/* Places in envelope_rule_config.watch. What the rule does not set leads to the whole. */
enum envelope_path {
    ENVELOPE_PATH_VALUE,
    ENVELOPE_PATH_CODE,
    ENVELOPE_PATH_TEXT,
    ENVELOPE_PATH_TEST /* its `at`; those of `has` follow */
};

/* Places in login_config.watch. Those of `keep` stand before `good`. */
static inline size_t login_path_test(const struct login_config *login)
{
    return login->keep.n;
}

/* Place in route_config.watch, where that is not NULL: the last, behind those of the envelope. */
static inline size_t route_path_part(const struct route_config *route)
{
    return route->watch->n - 1;
}

/* Fills `watch` of the rule, in the store's memory. False: they are more than a decoder looks for,
 * or one leads deeper (DECODE_WATCH_MAX, DECODE_WATCH_DEPTH_MAX). What is no pointer, which is told
 * where it is read, leads to the whole. */
bool result_paths_of_envelope(struct store *store, struct envelope_rule_config *rule) MUST_CHECK;
bool result_paths_of_route(struct store *store, struct route_config *route) MUST_CHECK;
bool result_paths_of_login(struct store *store, struct login_config *login) MUST_CHECK;

#endif
