/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the decoder, for the files decode*.c alone: what its stages do. decode_state.h has
 * what they hold. Bytes pass through them in this order:
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
 *   decode_fail.c     why a document is refused
 *
 * Every function that can fail calls decode_fail(), which keeps the first error. */
#ifndef RPCGATE_CODEC_XML_DECODE_PRIVATE_H
#define RPCGATE_CODEC_XML_DECODE_PRIVATE_H

#include "codec/xml/decode_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* decode_fail.c */

/* Keeps the first failure, with the advice for that reason, and returns false. What is over no
 * limit begins with line and column. */
bool decode_fail(struct decoder *d, enum decode_reason reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* What two stages refuse. */
#define DTD_REFUSED "there is a document type declaration (DTD), which is refused"
#define BRACKETS_REFUSED "\"]]>\" cannot stand in text; write \"]]&gt;\""

/* The failures of chains and buffers. */
bool decode_check_chain(struct decoder *d);
bool decode_fail_buf(struct decoder *d, const struct buf *b);

/* So much of a text of the document as an error may show. */
static inline struct error_cut decode_shown(const struct decoder *d, struct str text, size_t max)
{
    return d->options->is_secret ? (struct error_cut){ STR("***"), "" } : error_cut(text, max);
}

/* decode.c */

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
void xml_reader_free(struct xml_reader *x);
/* Makes it, too, where there is none. */
void xml_reader_begin(struct decoder *d);

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
