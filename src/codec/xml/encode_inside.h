/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the encoder share: its second pass walks over text that the first one has
 * found valid, so it need not look for the end before each byte of a string, name or word. */
#ifndef RPCGATE_CODEC_XML_ENCODE_INSIDE_H
#define RPCGATE_CODEC_XML_ENCODE_INSIDE_H

#include "base/buf.h"
#include "base/chain.h"
#include "codec/error.h"
#include "codec/json/scan.h"
#include "codec/value/base64.h"
#include "codec/value/number.h"
#include "codec/value/time_zone.h"
#include "codec/xml/charset.h"
#include "codec/xml/encode.h"

#include <stdbool.h>
#include <stddef.h>

enum encode_phase { ENCODE_LANE, ENCODE_SCAN, ENCODE_HEAD, ENCODE_VALUES, ENCODE_TAIL, ENCODE_END };

enum encode_level_kind { LEVEL_PARAMS, LEVEL_ARRAY, LEVEL_STRUCT };

/* An open array or struct, or the list of params. */
struct encode_level {
    enum encode_level_kind kind;
    bool wrapped;     /* inside {"$struct": …} */
    bool has_more;    /* members of input.around stand in it, too */
    size_t index;     /* of the current element */
    const char *name; /* of the current member: its opening quote in the text */
};

/* The text that is being written: what did not fit into one step goes on in the next. */
enum encode_open {
    OPEN_NONE,
    OPEN_NAME,
    OPEN_STRING,
    OPEN_DATE,  /* of {"$dateTime": …}, as it stands */
    OPEN_BASE64 /* of {"$base64": …} */
};

/* What becomes of a name or string. */
enum encode_form {
    FORM_UNKNOWN, /* the text policy says base64 if XML cannot carry it, which is looked at first */
    FORM_TEXT,
    FORM_BASE64
};

/* How deep the params of a text for encode_lane.c are, and how many members each object has. */
#define ENCODE_LANE_DEPTH 16
#define ENCODE_LANE_NAMES 16

/* Where encode_lane.c is. */
struct encode_lane {
    size_t mark;    /* where the document begins in `out` */
    bool is_one;    /* the text is the one param, not a list of them */
    unsigned depth; /* of the params */
    struct encode_lane_level {
        bool is_struct;
        unsigned n_names;
        uint64_t names[ENCODE_LANE_NAMES]; /* hashes */
    } levels[ENCODE_LANE_DEPTH];
};

struct encoder {
    struct budget *budget; /* borrowed */
    struct encode_input input;
    struct chain *out;             /* borrowed; where the document goes */
    struct chain *to;              /* `out`, or `utf8` where the document has another encoding */
    struct chain utf8;             /* what waits to be converted, */
    struct chain_cursor converted; /* up to here it has been */
    bool converting;               /* and nothing is written before all is */
    struct charset *charset;       /* of the last document that had one; owned */
    struct time_zone *zone;        /* as above */
    char *zone_name;               /* as above */
    enum encode_phase phase;
    struct json_scan scan;
    size_t next_note; /* of the scan's notes */
    const char *at, *end;
    const char *stop; /* where the step ends: behind the token there, or within its text */
    enum encode_open open;
    enum encode_form form; /* of the name or string */
    const char *begin;     /* behind its opening quote */
    struct base64 base64;
    bool open_in_tag;            /* and the object around it is to be closed */
    struct encode_level *levels; /* owned */
    unsigned n_levels, depth;
    size_t n_params;    /* of the text, so far; counted where there is an input.around */
    bool wants_members; /* the param that begins gets those of input.around */
    struct buf scratch; /* strings without their escapes */
    size_t repaired;
    struct encode_lane lane;
};

/* encode_lane.c: the same as the two passes do of most texts, in one. */
bool encode_lane_may(const struct encoder *e);

/* Behind the document's head. False, and CODEC_FAILED: nothing is known about the text, and what is
 * written of it is of no use. */
bool encode_lane_begin(struct encoder *e);
enum codec_step encode_lane_step(struct encoder *e, size_t bytes);

/* encode_values.c: what stands between the first and the last param. */

/* Begins at the text's first byte. */
void encode_values_begin(struct encoder *e);

/* Writes about `bytes` of text more. CODEC_DONE behind the last param. */
enum codec_step encode_values_step(struct encoder *e, size_t bytes, struct error *err);

/* Around a param: in system.multicall, and by itself, a value has no element of its own. */
void encode_param_tag(struct encoder *e, struct str tag);

/* Opens the struct at e->at, which is a brace; what comes next are its members. */
void encode_struct_begin(struct encoder *e, bool wrapped);

/* encode_around.c: what input.around has. */

/* Nothing of it stands among the text's params: it is written without counting them. */
bool encode_around_is_beside(const struct encoder *e);

/* Before the first of params that are not counted: what stands before all. */
void encode_around_begin(struct encoder *e);

/* Before the text's next param, whose value is at e->at. */
bool encode_around_param(struct encoder *e, struct error *err);

/* The struct that wants members has begun. */
void encode_around_struct(struct encoder *e);

/* Before a member of that struct, whose name's opening quote is at e->at. */
bool encode_around_member(struct encoder *e, struct error *err);

/* The param that wants members is none that could have some; returns false. */
bool encode_around_refuse(struct encoder *e, struct error *err);

/* Behind the text's last param. */
bool encode_around_end(struct encoder *e, struct error *err);

/* encode_scalar.c: each writes one value, with its <value>, and moves e->at behind it. */

bool encode_string(struct encoder *e, struct error *err);
bool encode_integer(struct encoder *e, struct str text, struct error *err);
bool encode_number(struct encoder *e, struct error *err);
bool encode_nil(struct encoder *e, struct error *err);
bool encode_nil_is_ex(const struct encoder *e); /* <ex:nil/>, whose prefix must be declared */
void encode_boolean(struct encoder *e, bool value);
bool encode_double(struct encoder *e, struct str text, struct error *err);

/* `<value><type>text</type></value>`; the text is markup already. */
void encode_element(struct encoder *e, const char *type, struct str text);
void encode_integer_element(struct encoder *e, const char *type, struct integer n);

/* Fills `err` as UNREPRESENTABLE with the pointer of the current value; returns false. */
bool encode_refuse(struct encoder *e, struct error *err, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds the pointer of the current value to `err`. */
void encode_point(struct encoder *e, struct error *err);

/* False, with `err`, where the upstream has not that extension. */
bool encode_need(struct encoder *e, enum extension extension, const char *what, struct error *err);

/* encode_text.c */

/* Writes the string whose opening quote is at e->at as XML text, by the text policy, with the end
 * tags of what it is, and moves behind it; or up to the step's end, and e->open stays what it is:
 * encode_text_go_on() is to be called in the next. */
bool encode_text(struct encoder *e, enum encode_open what, struct error *err);
bool encode_text_go_on(struct encoder *e, struct error *err);

/* Writes UTF-8 as XML text; false where XML cannot carry it. */
bool encode_plain_text(struct encoder *e, struct str text);

/* encode_base64.c: all up to the step's end; where the string ends before, e->open is OPEN_NONE
 * and e->at behind its closing quote. */

/* Looks whether XML can carry the string that is open. Once e->form says what becomes of it, e->at
 * is at its begin. */
void encode_look(struct encoder *e);

/* Writes what is open as base64; false where it goes on. */
bool encode_as_base64(struct encoder *e);

/* Copies the base64 in the string at e->at, with its <value>. */
bool encode_base64(struct encoder *e, struct error *err);
bool encode_base64_go_on(struct encoder *e, struct error *err);

/* encode_tag.c: the object at e->at, whose only name begins with `$`. */
bool encode_tagged(struct encoder *e, struct error *err);
void encode_tag_close(struct encoder *e); /* behind its value */

/* encode_tag_time.c: the value at e->at, of {"$dateTime": …}. */
bool encode_datetime(struct encoder *e, struct error *err);

/* encode_fault.c: the whole text, {"code": …, "string": …}. */
bool encode_fault(struct encoder *e, struct error *err);

#endif
