/* SPDX-License-Identifier: Apache-2.0 */
/* Are two JSON values the same in XML-RPC's terms? By rules of its own (the C library's doubles and
 * calendar among them), not by the codec's. Whatever is not as it must be aborts. */
#ifndef RPCGATE_TESTS_ROUNDTRIP_VALUES_H
#define RPCGATE_TESTS_ROUNDTRIP_VALUES_H

#include "codec/xml/encode.h"

/* One document there and back. */
struct roundtrip {
    struct encode_options encode;
    int zone; /* east of UTC, as encode.timezone [s] */
    enum encode_kind kind;
    enum types_form types;
    size_t repaired; /* characters or strings, by the encoder */
};

void roundtrip_check(bool holds);

/* A value that the encoder has taken, and what the decoder has made of it, in the form `types`. */
void roundtrip_check_value(struct str in, struct str out, const struct roundtrip *trip);

/* As above for all elements of two arrays, or all members of two objects. */
void roundtrip_check_members(struct str in, struct str out, const struct roundtrip *trip);

#endif
