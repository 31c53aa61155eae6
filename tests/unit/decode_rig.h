/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the decoder share: one document, decoded in every way of cutting it, of which
 * all must give the same. */
#ifndef RPCGATE_TESTS_DECODE_RIG_H
#define RPCGATE_TESTS_DECODE_RIG_H

#include "codec/xml/decode.h"

#include <stdbool.h>

struct decoded {
    bool ok;
    struct decode_result result; /* its strings are the decoder's */
    struct error err;
    char *json; /* owned; NULL unless ok */
};

/* Plain, every digit, nothing repaired, the default limits. */
struct decode_options decode_rig_options(void);

/* Decodes with `d`, in pieces of `piece` bytes (0: at once). Give to decode_rig_done(). */
struct decoded decode_rig_run(struct decoder *d, const struct decode_options *options,
                              struct str document, size_t piece);
void decode_rig_done(struct decoded *got);

/* Asserts that the document gives that JSON, however it is cut. */
void decode_rig_expect(const struct decode_options *options, struct str document, const char *json);

/* Asserts that it is refused with a detail that holds `reason`, however it is cut. */
void decode_rig_refuse(const struct decode_options *options, struct str document,
                       const char *reason);

#endif
