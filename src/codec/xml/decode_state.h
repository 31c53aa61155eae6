/* SPDX-License-Identifier: Apache-2.0 */
/* What a decoder holds, for the files decode*.c alone: its bounds, the names of XML-RPC, the open
 * elements, and where each of its stages is. decode_private.h says what these do. */
#ifndef RPCGATE_CODEC_XML_DECODE_STATE_H
#define RPCGATE_CODEC_XML_DECODE_STATE_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/macros.h"
#include "base/sip_hash.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/value/base64.h"
#include "codec/xml/decode.h"
#include "codec/xml/decode_reasons.h"

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that go through all the stages at once: what libxml2 copies stays in the cache. */
#define SLICE_MAX ((size_t)16 * 1024)

#define SCRATCH_SIZE (SLICE_MAX + 16)

/* A start tag's greatest length: libxml2 takes seconds for 100,000 attributes. [bytes] */
#define TAG_MAX ((size_t)1024)

/* A reference's greatest length, from its `&` to its `;`: libxml2 reads all that it holds again for
 * each piece that comes before the `;`. [bytes] */
#define REFERENCE_MAX ((size_t)64)

/* The longest number, date or method name; strings and base64 have no such bound. [bytes] */
#define SCALAR_MAX ((size_t)1024 * 1024)

/* The longest name of a member, which is looked up and compared as a whole. [bytes] */
#define MEMBER_NAME_MAX ((size_t)64 * 1024)

/* Whole numbers in an integer's element with an exponent: at most so many digits. */
#define EXPANDED_DIGITS_MAX 400

/* The elements of XML-RPC, and what an upstream may call them. Several names may have one kind.
 * Of those with the same first letter the usual ones are first, for decode_plain.c.
 * X(KIND, "name") */
#define ELEMENT_LIST(X)                                                                            \
    X(PARAM, "param")                                                                              \
    X(PARAMS, "params")                                                                            \
    X(FAULT, "fault")                                                                              \
    X(VALUE, "value")                                                                              \
    X(ARRAY, "array")                                                                              \
    X(DATA, "data")                                                                                \
    X(STRUCT, "struct")                                                                            \
    X(MEMBER, "member")                                                                            \
    X(NAME, "name")                                                                                \
    X(CALL, "methodCall")                                                                          \
    X(RESPONSE, "methodResponse")                                                                  \
    X(METHOD_NAME, "methodName")                                                                   \
    X(INT, "int")                                                                                  \
    X(INT, "i1")                                                                                   \
    X(INT, "i2")                                                                                   \
    X(INT, "i4")                                                                                   \
    X(I8, "i8")                                                                                    \
    X(BIGINTEGER, "biginteger")                                                                    \
    X(DOUBLE, "double")                                                                            \
    X(DOUBLE, "float")                                                                             \
    X(BIGDECIMAL, "bigdecimal")                                                                    \
    X(STRING, "string")                                                                            \
    X(BOOLEAN, "boolean")                                                                          \
    X(DATE, "dateTime.iso8601")                                                                    \
    X(BASE64, "base64")                                                                            \
    X(NIL, "nil")

enum element {
    ELEMENT_NONE, /* none of ours; as a frame: outside of the root */
    ELEMENT_CALL,
    ELEMENT_RESPONSE,
    ELEMENT_METHOD_NAME,
    ELEMENT_PARAMS,
    ELEMENT_PARAM,
    ELEMENT_FAULT,
    ELEMENT_VALUE,
    ELEMENT_ARRAY,
    ELEMENT_DATA,
    ELEMENT_STRUCT,
    ELEMENT_MEMBER,
    ELEMENT_NAME,
    ELEMENT_INT,
    ELEMENT_I8,
    ELEMENT_BIGINTEGER,
    ELEMENT_DOUBLE,
    ELEMENT_BIGDECIMAL,
    ELEMENT_STRING,
    ELEMENT_BOOLEAN,
    ELEMENT_DATE,
    ELEMENT_BASE64,
    ELEMENT_NIL
};

/* An open element; the fields that name elements are set for those alone. */
struct frame {
    uint8_t element;   /* enum element */
    bool text;         /* VALUE: text of an untyped value has been written */
    uint8_t name;      /* in decode_plain.c: which name of ELEMENT_LIST it has */
    uint32_t allowed;  /* set of enum element: what may begin in it now */
    size_t count;      /* ARRAY, DATA, STRUCT: values or members so far */
    size_t mark;       /* VALUE, STRING, ARRAY, STRUCT: where its JSON begins in `out` */
    size_t members;    /* STRUCT: index of its first member */
    size_t names;      /* STRUCT: where its first member's name begins in `names` */
    size_t n_repeated; /* STRUCT: members whose name had come before */
    size_t edits;      /* STRUCT: how many there were when it began */
    uint32_t repeated; /* STRUCT: index + 1 of the edit of its last member, if that is one */
    size_t line;       /* in decode_plain.c: of its tag */
};

/* A member of an open struct. */
struct member {
    size_t at;      /* where `"name":` begins in `out` */
    size_t value;   /* where the value's text begins in `out` */
    size_t name;    /* where the name begins in `names` */
    uint32_t len;   /* of the name [bytes] */
    uint32_t hash;  /* of the name */
    uint32_t moved; /* index + 1 of the edit that replaces its value; 0: none */
};

/* The arrays that stand around a result of system.multicall, at most. */
#define ITEMS_DEPTH 2

/* Each level of nesting has at most three elements; a few stand around them all. */
#define FRAMES_MAX (3 * (CODEC_DEPTH_MAX + ITEMS_DEPTH + 1) + 8)

/* How many most documents have. */
#define FRAMES_FIRST 32

enum scan_state { SCAN_TEXT, SCAN_TAG, SCAN_COMMENT, SCAN_PI, SCAN_CDATA };
enum tag_kind { TAG_OPEN, TAG_PLAIN, TAG_BANG, TAG_DASH, TAG_BRACKET, TAG_DOCTYPE };

/* Where decode_scan.c is in the document's text. */
struct scan {
    enum scan_state state;
    enum tag_kind kind; /* TAG: what is known about it */
    char quote;         /* TAG: of the attribute's value; 0: outside */
    size_t brackets;    /* TEXT: how many `]` the text before ended in, at most 2 */
    size_t reference;   /* bytes of a reference that has not ended, from its `&` on; 0: none */
    size_t tag_len;     /* TAG: bytes so far */
    size_t matched;     /* TAG_BRACKET: bytes of `CDATA[` so far */
    char last[2];       /* COMMENT, PI, CDATA: the bytes before */
    size_t run;         /* COMMENT, PI, CDATA: bytes that the parser has not seen the end of */
    size_t held;        /* bytes in `hold` */
    char hold[TAG_MAX]; /* TAG: its beginning, from earlier slices */
};

/* The longest of XML-RPC's names, and how many there are at most. */
#define PLAIN_NAME_MAX 16
#define PLAIN_NAMES 32

/* What decode_plain.c may have to keep of a slice's end, or of all before the root. [bytes] */
#define PLAIN_HOLD ((size_t)128)

/* A name as it is compared: in two words, of which the masks count. */
struct plain_name {
    uint64_t words[2], masks[2];
    uint8_t next; /* index + 1 of the next name with the same first letter; 0: none */
};

/* Where decode_plain.c is. */
struct plain {
    bool active;           /* it reads this document still */
    bool begun;            /* behind the root's tag */
    size_t line, column;   /* from 1 and 0; the column is that of `base` */
    const char *base;      /* borrowed; NULL between slices */
    const char *at;        /* behind what has been read; as `base` */
    size_t held;           /* bytes in `hold` */
    char hold[PLAIN_HOLD]; /* a token that the last slice ended in */
    uint8_t first[32];     /* by a name's first letter: index + 1 in `names` */
    struct plain_name names[PLAIN_NAMES];
};

enum charset_state { CHARSET_UNKNOWN, CHARSET_UTF8, CHARSET_CONVERTED };

/* The longest XML declaration in which the encoding is looked for. [bytes] */
#define HEAD_MAX ((size_t)1024)

struct decode_charset {
    enum charset_state state;
    bool marked;   /* a byte order mark of UTF-8 was passed over */
    iconv_t cd;    /* CONVERTED; else (iconv_t)-1 */
    char name[64]; /* for messages */
    size_t n;      /* bytes in `bytes` */
    char
        bytes[HEAD_MAX]; /* UNKNOWN: the document's beginning; CONVERTED: an unfinished character */
};

struct repair {
    bool cr;        /* the section's text before ended in CR */
    size_t n;       /* bytes in `bytes` */
    char bytes[40]; /* an unfinished reference */
};

/* Up to so many members all pairs of names are compared at a struct's end; beyond, each name is
 * looked up as it comes. */
#define MEMBERS_FEW 16

/* The names of the open structs that have more. */
struct name_table {
    struct sip_key key;
    struct buf levels; /* of struct level, in decode_names.c */
    struct buf links;  /* of struct link */
    size_t n, n_levels;
};

/* What is to be changed in the output at the end. */
struct edits {
    struct buf list;  /* of struct edit, in decode_edits.c */
    struct buf parts; /* of struct part */
    size_t n, n_parts;
    struct edit_pass *pass; /* owned; NULL: it has not begun */
};

/* Where decode_items.c is, if there are options->items. */
struct items {
    bool open;           /* in the array of the results */
    bool wrapping;       /* the result at hand is an array that should hold just a value */
    size_t n;            /* results that have ended */
    size_t n_values;     /* in that array */
    size_t mark;         /* where the result's JSON begins */
    size_t edits;        /* how many there were then */
    enum item_kind kind; /* of the result, as far as known */
};

/* Where decode_watch.c is. The innermost open container that a pointer leads into is at `level`,
 * from 1; 0: there is none but what stands around the result. */
struct watch {
    const struct decode_watch *wanted; /* borrowed; NULL: nothing */
    unsigned depth;                    /* of what stands in that container; UINT_MAX: nothing is
                                          looked for here */
    unsigned level;
    uint64_t found;                               /* set of indices in `values` */
    uint64_t leading[DECODE_WATCH_DEPTH_MAX + 1]; /* by level: the pointers that lead to, or
                                                     through, the value at hand there */
    struct decode_found values[DECODE_WATCH_MAX]; /* by pointer */
};

struct xml_reader;

struct decoder {
    const struct decode_options *options; /* borrowed; NULL between documents */
    struct chain *out;                    /* borrowed, as `options` */
    struct xml_reader *xml;               /* owned; NULL until a document needs it */
    bool failed;
    bool marked;  /* the string that is read holds marks of repair (TEXT_BASE64) */
    bool renamed; /* a member's name was made base64 */
    bool root_closed;
    bool begun;          /* something other than blanks and byte order marks has come */
    long lines, columns; /* that were passed over before: whole ones, and in the last one */
    enum document_kind kind;
    size_t bytes; /* of the document so far */
    size_t n_params;
    size_t repaired;
    unsigned depth; /* of arrays and structs */
    unsigned depth_max;
    size_t begin;      /* of the document's output in `out` */
    size_t carried;    /* bytes in `carry` */
    char carry[4];     /* an unfinished UTF-8 character */
    char *scratch;     /* SCRATCH_SIZE bytes, owned; of decode_scan.c; NULL until it needs them */
    struct frame *top; /* in `frames` */
    struct frame *frames; /* owned; they move where they become more */
    size_t n_frames;      /* at most FRAMES_MAX */
    struct buf text;      /* of the scalar that is read */
    struct buf names;     /* of the members of all open structs */
    struct buf members;   /* of the open structs: struct member */
    struct buf method, fault_code_text, fault_string;
    bool has_method, has_fault_code_text, has_fault_string, fault_truncated;
    int64_t fault_code;
    size_t base64_chars;  /* without the padding */
    unsigned base64_pads; /* `=` seen */
    struct name_table table;
    struct edits edits;
    struct items items;
    struct watch watch;
    struct plain plain;
    struct scan scan;
    struct decode_charset charset;
    struct repair repair;
    struct error err; /* the first failure */
};

#endif
