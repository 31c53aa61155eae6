/* SPDX-License-Identifier: Apache-2.0 */
/* What may be chosen about the translation of values, in both directions. The configuration, the
 * query of a request and the tool's options all end up here. */
#ifndef RPCGATE_CODEC_OPTIONS_H
#define RPCGATE_CODEC_OPTIONS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Types beyond the XML-RPC specification that an upstream takes. */
enum extension {
    EXTENSION_NIL = 1 << 0,        /* <nil/> */
    EXTENSION_EX_NIL = 1 << 1,     /* <ex:nil/>, Apache's namespace */
    EXTENSION_I8 = 1 << 2,         /* integers of 64 bits */
    EXTENSION_BIGINTEGER = 1 << 3, /* integers of any size */
    EXTENSION_BIGDECIMAL = 1 << 4,
    EXTENSION_NONFINITE = 1 << 5 /* NaN, Infinity */
};

/* Names as written in configuration and on the command line: X(EXTENSION_WORD, "name"). */
#define EXTENSION_LIST(X)                                                                          \
    X(NIL, "nil")                                                                                  \
    X(EX_NIL, "ex:nil")                                                                            \
    X(I8, "i8")                                                                                    \
    X(BIGINTEGER, "biginteger")                                                                    \
    X(BIGDECIMAL, "bigdecimal")                                                                    \
    X(NONFINITE, "nonfinite")

/* How XML-RPC types show in JSON. */
enum types_form { TYPES_PLAIN, TYPES_TAGGED };

/* How integers show in JSON: every digit as a number; as a string where a double cannot hold it
 * exactly; every i8, biginteger and bigdecimal as a string. */
enum integers_form { INTEGERS_NUMBER, INTEGERS_SAFE, INTEGERS_STRING };

/* What happens to text that XML (requests) or JSON (responses) cannot carry. */
enum text_policy { TEXT_REJECT, TEXT_REPLACE, TEXT_BASE64 };

/* How dates are sent: as the specification has them, with hyphens, or as UTC's with `Z`. */
enum dates_form { DATES_BASIC, DATES_EXTENDED, DATES_ZULU };

#define DATES_FORM_LIST(X) X(BASIC, "basic") X(EXTENDED, "extended") X(ZULU, "zulu")
#define TYPES_FORM_LIST(X) X(PLAIN, "plain") X(TAGGED, "tagged")
#define INTEGERS_FORM_LIST(X) X(NUMBER, "number") X(SAFE, "safe") X(STRING, "string")
#define TEXT_POLICY_LIST(X) X(REJECT, "reject") X(REPLACE, "replace") X(BASE64, "base64")

/* Nesting that the codec supports at all; `limits.depth` is at most this. */
#define CODEC_DEPTH_MAX 1000

/* Of the JSON that a decoder writes with types: a struct may be a level within a tag, as a value
 * may be, and all stand in the array of the params. */
#define CODEC_DEPTH_TYPED (2 * CODEC_DEPTH_MAX + 2)

/* A caller's value on its way to an upstream. */
struct encode_options {
    unsigned extensions; /* set of enum extension */
    unsigned depth;      /* greatest nesting of arrays and objects */
    bool as_decoded;     /* the text is a decoder's, with types: dates go out as they stand, and
                            integers without a type as `int`, however large */
    enum text_policy text;
    enum dates_form dates;
    const char *timezone; /* for {"$dateTime"} with an offset: "UTC", "+02:00" or a name of the
                             system's zone database; NULL: UTC. Borrowed. */
    const char *encoding; /* of the document; NULL: UTF-8. Borrowed. */
};

struct decode_items;
struct decode_watch;

/* A value as XML-RPC on its way to JSON: an upstream's, or a caller's that speaks XML-RPC. */
struct decode_options {
    bool is_request; /* a caller's methodCall is expected, not an upstream's response: for
                        what errors are and say */
    bool is_secret;  /* errors show nothing of what the document says */
    enum types_form types;
    enum integers_form integers;
    enum text_policy text;
    unsigned depth;               /* greatest nesting, at most CODEC_DEPTH_MAX */
    size_t document_max;          /* [bytes] of XML, after decompression */
    size_t fault_max;             /* [bytes] of a fault's text and code that are kept; 0: all */
    const char *encoding_forced;  /* overrides all; NULL: none. Borrowed. */
    struct str encoding_declared; /* by HTTP's `charset`; counts where the document says nothing */
    const struct decode_items *items; /* decode.h: of an answer to system.multicall, whose results
                                         are limited in depth each by itself; NULL: of any other
                                         document. Borrowed. */
    const struct decode_watch *watch; /* decode.h: what is looked for in the one value of a
                                         response without `items`; NULL: nothing. Borrowed. */
};

#endif
