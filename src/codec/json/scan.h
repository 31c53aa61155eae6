/* SPDX-License-Identifier: Apache-2.0 */
/* Checks JSON text against RFC 8259 to the letter, before anything else reads it: grammar, valid
 * UTF-8, paired surrogates, no name twice in an object, nesting. Whoever walks over the text
 * afterwards need not check anything again.
 *
 * Goes in steps, with a stack of its own: deep or large documents cost neither the thread's stack
 * nor other callers' time. Time and memory are linear in the text's size. */
#ifndef RPCGATE_CODEC_JSON_SCAN_H
#define RPCGATE_CODEC_JSON_SCAN_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/json/names.h"
#include "codec/json/place.h"
#include "codec/step.h"

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
    struct str text;   /* borrowed */
    struct str within; /* what errors tell line and column of; `text` unless set after the begin */
    struct json_place *place; /* the last error's place in `within`; NULL: none. As `within` */
    const char *at, *end;
    const char *stop;  /* where the step ends */
    const char *quote; /* the opening one of the last name */
    bool in_string;    /* `at` is within one, where a step has ended */
    unsigned depth, depth_max;
    size_t n_elements;         /* of the document, where it is an array */
    int state;                 /* enum expected of json_scan.c */
    const char *alike;         /* the first name that is written as another of its object, by
                                  names.policy; NULL: none */
    bool not_xml;              /* some string has a character that XML cannot carry */
    struct json_level *levels; /* owned */
    unsigned n_levels;
    struct buf notes; /* one bit for each object whose first name begins with `$`, in order */
    size_t n_notes;
    struct json_names names;
};

/* `budget` counts what grows with the document; NULL: none. */
void json_scan_init(struct json_scan *s, struct budget *budget);
void json_scan_done(struct json_scan *s);

/* Gives back what a large document has needed; the notes are lost. */
void json_scan_clear(struct json_scan *s);

/* Begins a document, which is borrowed until the last step, and gives up another one that may be
 * under way. */
void json_scan_begin(struct json_scan *s, struct str text, unsigned depth_max);

/* Checks about `bytes` more; of tokens only strings are split. CODEC_FAILED: `err` is INVALID_JSON
 * with line and column in the detail (and the setting `limits.depth` where it is that), or
 * OVERLOADED with the setting `limits.memory`. */
enum codec_step json_scan_step(struct json_scan *s, size_t bytes, struct error *err);

/* Checks a whole text at once, where nobody else waits. err: as above. */
bool json_scan_all(struct str text, unsigned depth_max, struct error *err) MUST_CHECK;

/* After CODEC_DONE: is the first name, which begins with `$`, the only one of its object? `i`
 * counts such objects in the order in which they begin. */
bool json_scan_is_single(const struct json_scan *s, size_t i);

/* Fills `err` as INVALID_JSON at that place of the text; returns false. */
bool json_scan_fail(const struct json_scan *s, const char *at, const char *what, struct error *err);

#endif
