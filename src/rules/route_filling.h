/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of route_fill.h, for the files that have its parts: what is wrong (route_errors.c),
 * path and query (route_query.c), the body (route_body.c), and what becomes of it (route_fill.c).
 */
#ifndef RPCGATE_RULES_ROUTE_FILLING_H
#define RPCGATE_RULES_ROUTE_FILLING_H

#include "base/chain.h"
#include "codec/error.h"
#include "codec/value/base64.h"
#include "rules/route_fill.h"

/* So many things that are wrong are told; what is behind them is not looked at. */
#define ROUTE_ERRORS_MAX 32
#define ROUTE_ERRORS_BYTES ((size_t)64 * 1024)
#define ROUTE_SENTENCE_MAX ((size_t)1024)

/* What a step takes, about. [ns] */
#define ROUTE_STEP ((size_t)2 * 1000 * 1000)

/* What was given for an input. */
struct given_value {
    bool is_there;
    bool is_wrong;      /* which is told */
    struct str text;    /* JSON that stands elsewhere; NULL data: it stands in `scratch`, */
    size_t at, len;     /* there */
    size_t first, last; /* of the query: index + 1 of its pairs; 0: none */
};

enum body_state {
    BODY_BEGIN,
    BODY_NAME,   /* the next member comes, or the end */
    BODY_VALUE,  /* its value is passed over, to be taken then */
    BODY_ITEMS,  /* the next item of its list comes, or the end */
    BODY_ITEM,   /* which is passed over, to be taken then */
    BODY_BASE64, /* a long one is looked at, of a value or an item */
    BODY_REST    /* of a list with a wrong item, which is passed over */
};

/* The place in the body, which is JSON that is known to be valid. */
struct body_walk {
    enum body_state state;
    const char *at, *end;
    size_t depth;       /* of what is passed over */
    const char *value;  /* where the value or the item begins */
    size_t input;       /* whose it is; SIZE_MAX: of none */
    size_t n_items;     /* of the list; SIZE_MAX: it is none */
    size_t begin;       /* of what is made of it, in the scratch */
    struct str base64;  /* the long one, with its quotes */
    const char *looked; /* so far */
    struct base64 digits;
    struct chain nowhere;
};

enum fill_phase { FILL_PATH, FILL_QUERY, FILL_PAIRS, FILL_BODY, FILL_END };

struct route_filling {
    const struct route_config *route;
    struct str segments[ROUTE_SEGMENTS_MAX];
    struct str query; /* what is left of it */
    struct str body_text;
    bool by_name; /* as that of struct route_given, and its `within` */
    const char *within;
    struct route_filled *to;
    struct given_value values[ROUTE_INPUTS_MAX];
    struct buf scratch; /* values as JSON */
    struct buf text;    /* one that is being read */
    struct buf pairs;
    struct buf detail; /* all that is wrong, as a sentence */
    size_t n_errors;
    bool has_pointer;
    char pointer[ERROR_POINTER_MAX]; /* of the first that is wrong in the body */
    enum fill_phase phase;
    size_t next; /* index of the input whose pairs are next */
    struct body_walk body;
    size_t cost; /* of this step */
};

/* ---- What is wrong ---- */

/* NULL data of `name`: it is about the body as a whole. */
void route_tell(struct route_filling *f, enum route_in in, struct str name, struct str what);
void route_tell_input(struct route_filling *f, size_t i, struct str what);
void route_tell_unknown(struct route_filling *f, enum route_in in, struct str name);

/* Is that all that is told? */
static inline bool route_is_enough(const struct route_filling *f)
{
    return f->n_errors > ROUTE_ERRORS_MAX;
}

/* Ends `errors`, and makes an error of all that is wrong. */
void route_fail(struct route_filling *f, struct error *err);

/* ---- Values ---- */

/* The index of that input; SIZE_MAX: there is none. */
size_t route_input_find(const struct route_filling *f, enum route_in in, struct str name);

/* What was written behind `begin` of the scratch is the value. */
void route_keep(struct route_filling *f, size_t i, size_t begin);

/* What it costs to read such a value. [ns] */
size_t route_value_cost(const struct route_input *input, size_t len);

/* ---- The parts ---- */

void route_take_path(struct route_filling *f);

/* These return false where there is more to do, and the step is over. */
bool route_read_query(struct route_filling *f) MUST_CHECK;
bool route_take_pairs(struct route_filling *f) MUST_CHECK;
bool route_take_body(struct route_filling *f) MUST_CHECK;

#endif
