/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the decoder, for the files decode*.c alone. Bytes pass through it in this order:
 *
 *   decode.c          limits, and slices that end between two characters
 *   decode_charset.c  whatever encoding to UTF-8
 *   decode_plain.c    the usual documents, which need none of the next three
 *   decode_lane.c     most of what those hold
 *   decode_scan.c     where tags, comments and CDATA begin and end; holds an unfinished tag back
 *   decode_repair.c   what XML cannot carry, if the text policy wants that repaired
 *   decode_xml.c      libxml2
 *   decode_tree.c     the grammar of XML-RPC: which element may stand where
 *   decode_scalar.c, decode_number.c, decode_struct.c   the JSON of the values
 *   decode_names.c, decode_edits.c   structs that have a name twice
 *   decode_items.c    which of them are the results of system.multicall
 *   decode_watch.c    where those are that somebody looks for
 *
 * Every function that can fail calls decode_fail(), which keeps the first error. */
#ifndef RPCGATE_CODEC_XML_DECODE_PRIVATE_H
#define RPCGATE_CODEC_XML_DECODE_PRIVATE_H

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
    struct xml_reader *xml;               /* owned */
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

/* decode.c */

/* Keeps the first failure, with the advice for that reason, and returns false. What is over no
 * limit begins with line and column. */
bool decode_fail(struct decoder *d, enum decode_reason reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* What two stages refuse. */
#define DTD_REFUSED "there is a document type declaration (DTD), which is refused"
#define BRACKETS_REFUSED "\"]]>\" cannot stand in text; write \"]]&gt;\""

/* The failures of chains and buffers. */
bool decode_check_chain(struct decoder *d);
/* So much of a text of the document as an error may show. */
static inline struct error_cut decode_shown(const struct decoder *d, struct str text, size_t max)
{
    return d->options->is_secret ? (struct error_cut){ STR("***"), "" } : error_cut(text, max);
}

bool decode_fail_buf(struct decoder *d, const struct buf *b);

/* Length of the blanks and byte order marks at the beginning of UTF-8, which stand before documents
 * as files begin with them, or to keep a connection alive. */
size_t decode_leading(struct str text);

/* Counts what is passed over, for the places in messages. */
void decode_pass_over(struct decoder *d, struct str text);

/* UTF-8 from decode_charset.c, cut anywhere, of any length. */
bool decode_push_utf8(struct decoder *d, struct str text);

/* decode_charset.c */
void decode_charset_init(struct decode_charset *c);
void decode_charset_reset(struct decode_charset *c);
bool decode_charset_feed(struct decoder *d, struct str bytes);
bool decode_charset_finish(struct decoder *d);
bool decode_charset_is_empty(const struct decoder *d);

/* decode_plain.c */
void plain_init(struct plain *p);
void plain_begin(struct decoder *d);

/* Slices as those of scan_feed(). *slice becomes what is left to the other stages, which get all
 * that follows, too, once plain.active is false. */
bool plain_feed(struct decoder *d, struct str *slice);

/* The document's end; if plain.active is false then, the others have to find what is missing. */
bool plain_finish(struct decoder *d);
void plain_place(const struct decoder *d, long *line, long *column);
struct str plain_name(const struct frame *f);

/* decode_lane.c. As many members of the struct, or elements of the <data>, that is at the top as
 * hold a scalar in its usual form; returns where it stopped, which is `at` if there is none. Not
 * for answers of system.multicall, nor where d->depth is watch.depth. */
const char *lane_read(struct decoder *d, const char *at, const char *end);

/* As much of a string's text, which has begun, as stands for itself or is a usual reference. */
const char *lane_read_text(struct decoder *d, const char *at, const char *end);

/* decode_plain_text.c: line ends, and characters, between the two. */
size_t plain_count_lines(const char *at, const char *end);
size_t plain_count_characters(const char *at, const char *end);

/* Behind the text that begins at `at` and stands for itself: no markup, nor a bracket or CR. */
const char *plain_text_end(const char *at, const char *end);

/* The character that a reference's inside (without `&` and `;`) stands for; 0: for libxml2. */
uint32_t plain_referenced(struct str text);

/* Behind the XML declaration, in its usual form, and blanks; NULL where it has another form. */
const char *plain_skip_prolog(struct str text);

/* decode_scan.c: at most SLICE_MAX bytes of UTF-8 that end between two characters, as far as they
 * are UTF-8. */
bool scan_feed(struct decoder *d, struct str slice);
bool scan_finish(struct decoder *d);

/* decode_repair.c */

/* Text for the parser. `references`: references are such in it (not so in CDATA). */
bool repair_feed(struct decoder *d, struct str text, bool references);
bool repair_flush(struct decoder *d);

/* Is there a mark of a repair in the text? The marks stand for bytes in TEXT_BASE64. */
bool repair_is_marked(struct str text);

/* Marks become the bytes that they stand for, in place. */
void repair_resolve_marks(struct buf *text);

/* Makes text with marks base64 of what it stood for. */
void repair_text_to_base64(struct buf *text);

/* Makes the JSON string's inside that begins at `mark` in `out` base64 of what it stood for: at
 * once, so it is for short ones. */
void repair_to_base64(struct decoder *d, size_t mark);

/* A part of such a string as base64, up to the place `end` at least; what follows is there, if
 * anything does. Returns how much it has taken. */
size_t repair_write_base64(struct base64 *to, struct str json, size_t end);

/* decode_xml.c: the one that knows libxml2. */
struct xml_reader *xml_reader_new(struct decoder *d);
void xml_reader_free(struct xml_reader *x);
void xml_reader_begin(struct xml_reader *x);

/* As if the tags of all open elements had been read, up to that place. */
void xml_reader_resume(struct decoder *d, long line, long column);
bool xml_reader_feed(struct decoder *d, struct str text);
bool xml_reader_finish(struct decoder *d);
void xml_reader_stop(struct xml_reader *x);
void xml_reader_place(const struct xml_reader *x, long *line, long *column);

/* decode_tree.c */
void tree_begin(struct decoder *d);
void tree_start(struct decoder *d, enum element element, const char *name);

/* Most of a foreign tag's name in a reason. [bytes] */
#define TREE_NAME_SHOWN 80
void tree_end(struct decoder *d);
void tree_text(struct decoder *d, struct str text);

/* May a value of that element stand in no other? Of faults and of answers of system.multicall only
 * one kind may. */
bool tree_may_be_outermost(struct decoder *d, enum element element);

/* decode_scalar.c: an element of a type, or an untyped <value>, has begun, has text, ends. */
void scalar_start(struct decoder *d, struct frame *f);
void scalar_end(struct decoder *d, const struct frame *f);
void scalar_base64_text(struct decoder *d, struct str text);

/* decode_number.c: the JSON of a number; false where the text is none. */
bool number_decode_integer(struct decoder *d, struct str text, enum element element);
bool number_decode_double(struct decoder *d, struct str text);
bool number_decode_decimal(struct decoder *d, struct str text);

/* decode_struct.c. `name`: where the member's name begins in `names`. */
void struct_name_end(struct decoder *d, struct frame *of, size_t name);

/* A member of that name, whose JSON stands behind the output's end: so many bytes with its name and
 * what is before and behind that, so many with its value. */
bool struct_take_member(struct decoder *d, struct frame *of, struct str name, size_t head,
                        size_t value);
void struct_end(struct decoder *d, struct frame *of);

/* decode_names.c: the struct's newest member is one of more than MEMBERS_FEW; such a struct has
 * ended. The first one gives the index of the first member of that name, or NOT_REPEATED. */
#define NOT_REPEATED SIZE_MAX
size_t names_add(struct decoder *d, const struct frame *of);
void names_close(struct decoder *d, const struct frame *of);
void names_clear(struct decoder *d);

/* decode_edits.c. The struct's newest member has the name of an earlier one, whose index in
 * `members` is given: the last one's value shall stand in the first one's place. */
void edit_repeat(struct decoder *d, struct frame *of, size_t member);

/* The struct's last member has ended, if it has any. */
void edit_end_member(struct decoder *d, struct frame *of);

/* The string whose inside begins there and goes to the output's end shall be base64. */
void edit_base64(struct decoder *d, size_t from);

/* `{"$struct":` shall stand before the struct that begins there. */
void edit_struct(struct decoder *d, size_t from);

/* Shall the string whose inside begins there be base64? */
bool edits_has_base64(const struct decoder *d, size_t from);

/* Only what stands from `from` to `end` of the output between `begin` and `stop` shall stay. */
void edits_keep(struct decoder *d, size_t begin, size_t from, size_t end, size_t stop);

/* Is anything to be changed there? */
bool edits_touch(const struct decoder *d, size_t from, size_t end);

/* Appends that part of the output as it will be; more than `max` bytes are cut to about that. */
void edits_read(struct decoder *d, size_t from, size_t end, size_t max, struct buf *to);

/* Forgets all but the first `n`; all. */
void edits_forget(struct decoder *d, size_t n);
void edits_clear(struct decoder *d);

/* Changes the output: about so many bytes of it. */
enum codec_step edits_step(struct decoder *d, size_t bytes);

/* decode_fault.c: keeps code and string of the fault's struct. */
void fault_keep(struct decoder *d, const struct member *members, size_t n);

/* What was kept, borrowed. */
struct fault decode_fault(const struct decoder *d);

/* decode_items.c. With options->items: may that element be the outermost value? */
bool items_may_begin(struct decoder *d, enum element element);

/* While items.open: what begins or ends in an array or its <data>. True: no comma is wanted. */
bool items_begin_child(struct decoder *d);
void items_end_child(struct decoder *d);

/* While items.open: an array begins or has ended. True: its bracket is not wanted. */
bool items_begin_array(struct decoder *d);
bool items_end_array(struct decoder *d);

/* While items.open: a struct has ended, its members are not dropped yet. */
void items_end_struct(struct decoder *d, const struct member *members, size_t n);

/* With options->items: the document's end. */
bool items_finish(struct decoder *d);

/* decode_watch.c: the result begins in that depth; NULL: nothing is looked for any more. */
void watched_begin(struct decoder *d, const struct decode_watch *wanted, unsigned depth);

/* Where d->depth is watch.depth: the value of that name (NULL: element or param of that index)
 * begins at the output's end. The one before it, if any, has ended at `end`. */
void watched_value(struct decoder *d, const struct str *name, size_t index, size_t end);

/* So: the value at hand is of that element; an array or struct begins there. */
void watched_scalar(struct decoder *d, enum element element);
void watched_open(struct decoder *d, enum element element);

/* The last value in the container at hand has ended; the container does, where its depth is the one
 * before watch.depth. */
void watched_close(struct decoder *d);

/* The result has ended. */
void watched_end(struct decoder *d);

/* Text of that length was put in between there. */
void watched_shift(struct decoder *d, size_t at, size_t len);

/* Appends a part of the output to `to`. */
void decode_copy_range(struct decoder *d, size_t from, size_t end, struct buf *to);

/* Without XML's white space at both ends. */
static inline struct str xml_trim(struct str s)
{
    static const char space[256] = { [' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\r'] = 1 };
    while (s.len > 0 && space[(unsigned char)s.data[0]])
        s = str_slice(s, 1, s.len);
    while (s.len > 0 && space[(unsigned char)s.data[s.len - 1]])
        s.len--;
    return s;
}

/* Appends without the cost of a call where there is room. */
static inline void decode_keep(struct decoder *d, struct buf *b, struct str text)
{
    if (LIKELY(b->state == BUF_OK && b->cap - b->len > text.len)) {
        memcpy(b->data + b->len, text.data, text.len);
        b->len += text.len;
        return;
    }
    buf_append(b, text);
    if (UNLIKELY(!buf_ok(b)))
        decode_fail_buf(d, b);
}

#endif
