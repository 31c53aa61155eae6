/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "codec/json/write.h"
#include "codec/xml/decode_private.h"

#include <assert.h>

#define BIT(kind) (UINT32_C(1) << ELEMENT_##kind)

#define SCALARS                                                                                    \
    (BIT(INT) | BIT(I8) | BIT(BIGINTEGER) | BIT(DOUBLE) | BIT(BIGDECIMAL) | BIT(STRING) |          \
     BIT(BOOLEAN) | BIT(DATE) | BIT(BASE64) | BIT(NIL))
#define TYPES (SCALARS | BIT(ARRAY) | BIT(STRUCT))

/* `xmlrpc.client` does without <value> around a type, and servers rely on it. */
#define VALUES (BIT(VALUE) | TYPES)

/* Elsewhere only blanks are expected, and all text is dropped, as `xmlrpc.client` does. */
#define TEXTS ((SCALARS & ~BIT(NIL)) | BIT(VALUE) | BIT(NAME) | BIT(METHOD_NAME))

static const uint32_t may_hold[] = {
    [ELEMENT_NONE] = BIT(CALL) | BIT(RESPONSE) | BIT(PARAMS) | BIT(FAULT),
    [ELEMENT_CALL] = BIT(METHOD_NAME) | BIT(PARAMS),
    [ELEMENT_RESPONSE] = BIT(PARAMS) | BIT(FAULT),
    [ELEMENT_PARAMS] = BIT(PARAM) | VALUES,
    [ELEMENT_PARAM] = VALUES,
    [ELEMENT_FAULT] = BIT(VALUE) | BIT(STRUCT),
    [ELEMENT_VALUE] = TYPES,
    [ELEMENT_ARRAY] = BIT(DATA) | VALUES,
    [ELEMENT_DATA] = VALUES,
    [ELEMENT_STRUCT] = BIT(MEMBER),
    [ELEMENT_MEMBER] = BIT(NAME),
    [ELEMENT_NIL] = 0, /* the last: so that the table has a row for each element */
};

static const char *element_name(enum element element)
{
    static const struct {
        const char *name;
        enum element element;
    } names[] = {
#define X(kind, name) { name, ELEMENT_##kind },
        ELEMENT_LIST(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].element == element)
            return names[i].name;
    return "";
}

void tree_begin(struct decoder *d)
{
    d->top = d->frames;
    *d->top = (struct frame){ .element = ELEMENT_NONE, .allowed = may_hold[ELEMENT_NONE] };
}

/* What else a document may be, by the name of a tag. */
struct guess {
    const char *name, *question;
    enum decode_reason reason;
};

static struct guess guess_of(const char *name, enum decode_reason otherwise)
{
    static const struct guess guesses[] = {
        { "html", "; is it an HTML page?", REFUSED_HTML },
        { "br", "; is it an HTML page?", REFUSED_HTML }, /* PHP's own errors begin so */
        { "Envelope", "; is it SOAP?", REFUSED_SOAP },
    };
    const char *colon = strrchr(name, ':');
    for (size_t i = 0; i < ARRAY_LEN(guesses); i++)
        if (str_eq_nocase(str_of(colon != NULL ? colon + 1 : name), str_of(guesses[i].name)))
            return guesses[i];
    return (struct guess){ name, "", otherwise };
}

static void fail_misplaced(struct decoder *d, enum element element, const char *name)
{
    const struct frame *top = d->top;
    struct error_cut shown = decode_shown(d, str_of(name), TREE_NAME_SHOWN);
    bool is_root = top->element == ELEMENT_NONE;
    struct guess guess = guess_of(name, is_root ? REFUSED_ROOT : REFUSED_ELEMENT);
    if (is_root)
        decode_fail(d, guess.reason, "the root is <%.*s%s>, not <%s>%s", ERROR_CUT_ARGS(shown),
                    d->options->is_request ? "methodCall" : "methodResponse", guess.question);
    else if (element == ELEMENT_NONE)
        decode_fail(d, guess.reason, "<%.*s%s> is no element of XML-RPC%s", ERROR_CUT_ARGS(shown),
                    guess.question);
    else if (top->element == ELEMENT_MEMBER && top->allowed & BIT(NAME))
        decode_fail(d, REFUSED_STRUCTURE, "a <member> has no <name> before its <%.*s%s>",
                    ERROR_CUT_ARGS(shown));
    else if (may_hold[top->element] >> element & 1)
        decode_fail(d, REFUSED_STRUCTURE, "there is one <%.*s%s> too many in <%s>",
                    ERROR_CUT_ARGS(shown), element_name(top->element));
    else
        decode_fail(d, REFUSED_STRUCTURE, "<%.*s%s> cannot stand in <%s>", ERROR_CUT_ARGS(shown),
                    element_name(top->element));
}

static bool is_multicall(const struct decoder *d)
{
    return d->options->items != NULL && d->kind == DOCUMENT_RESPONSE;
}

/* A comma before all values but the first. */
static inline void separate(struct decoder *d, size_t *count)
{
    if ((*count)++ > 0)
        chain_append_byte(d->out, ',');
}

/* As that, of an array. */
static inline void separate_element(struct decoder *d, struct frame *array)
{
    if (UNLIKELY(d->items.open) && items_begin_child(d))
        return;
    if (LIKELY(d->depth != d->watch.depth)) {
        separate(d, &array->count);
        return;
    }
    size_t end = chain_len(d->out);
    separate(d, &array->count);
    watched_value(d, NULL, array->count - 1, end);
}

/* Only a response with one value is looked into. */
static void separate_param(struct decoder *d)
{
    separate(d, &d->n_params);
    if (LIKELY(d->watch.wanted == NULL) || d->kind != DOCUMENT_RESPONSE || is_multicall(d))
        return;
    if (d->n_params == 1)
        watched_value(d, NULL, 0, 0);
    else
        watched_begin(d, NULL, 0);
}

bool tree_may_be_outermost(struct decoder *d, enum element element)
{
    if (is_multicall(d))
        return items_may_begin(d, element);
    if (d->kind != DOCUMENT_FAULT || element == ELEMENT_STRUCT)
        return true;
    return decode_fail(d, REFUSED_STRUCTURE, "%s",
                       element == ELEMENT_ARRAY ? "the fault is an array, not a struct"
                                                : "the fault is not a struct");
}

static void begin_root(struct decoder *d, enum element element)
{
    d->kind = element == ELEMENT_CALL     ? DOCUMENT_CALL
              : element == ELEMENT_PARAMS ? DOCUMENT_PARAMS
              : element == ELEMENT_FAULT  ? DOCUMENT_FAULT
                                          : DOCUMENT_RESPONSE;
}

/* `element` begins in the element at the top, which may hold it: what may follow there? */
static inline void begin_child(struct decoder *d, struct frame *top, enum element element)
{
    switch ((enum element)top->element) {
    case ELEMENT_MEMBER:
        top->allowed = element == ELEMENT_NAME ? VALUES : 0;
        break;
    case ELEMENT_VALUE:
        top->allowed = 0;
        if (UNLIKELY(top->text)) /* text before a type is none, as blanks are */
            chain_truncate(d->out, top->mark);
        break;
    case ELEMENT_DATA:
        separate_element(d, top);
        break;
    case ELEMENT_ARRAY:
        if (element == ELEMENT_DATA) {
            top->allowed = 0;
        } else {
            top->allowed &= ~BIT(DATA);
            separate_element(d, top);
        }
        break;
    case ELEMENT_PARAMS:
        if (element != ELEMENT_PARAM)
            separate_param(d);
        break;
    case ELEMENT_PARAM:
        separate_param(d);
        top->allowed = 0;
        break;
    case ELEMENT_CALL:
        top->allowed &= ~(UINT32_C(1) << element);
        break;
    case ELEMENT_NONE:
        begin_root(d, element);
        FALLTHROUGH;
    case ELEMENT_RESPONSE:
    case ELEMENT_FAULT:
        top->allowed = 0;
        break;
    default:
        break;
    }
}

static void begin_container(struct decoder *d, struct frame *f)
{
    if (UNLIKELY(d->depth == 0) && !tree_may_be_outermost(d, (enum element)f->element))
        return;
    if (d->depth >= d->depth_max) {
        decode_fail(d, REFUSED_OVER_DEPTH,
                    "arrays and structs are nested deeper than limits.depth allows (%u)",
                    d->options->depth);
        return;
    }
    if (UNLIKELY(d->depth == d->watch.depth))
        watched_open(d, (enum element)f->element);
    d->depth++;
    f->count = 0;
    f->mark = chain_len(d->out);
    if (f->element == ELEMENT_ARRAY) {
        if (LIKELY(!d->items.open) || !items_begin_array(d))
            chain_append_byte(d->out, '[');
    } else {
        f->n_repeated = 0;
        f->edits = d->edits.n;
        f->repeated = 0;
        f->members = d->members.len / sizeof(struct member);
        f->names = d->names.len;
        chain_append_byte(d->out, '{');
    }
}

static void add_frames(struct decoder *d)
{
    size_t top = (size_t)(d->top - d->frames);
    d->n_frames = d->n_frames * 2 < FRAMES_MAX ? d->n_frames * 2 : FRAMES_MAX;
    assert(top + 1 < d->n_frames);
    d->frames = xreallocarray(d->frames, d->n_frames, sizeof *d->frames);
    d->top = d->frames + top;
}

void tree_start(struct decoder *d, enum element element, const char *name)
{
    if (UNLIKELY(d->top + 1 == d->frames + d->n_frames))
        add_frames(d);
    struct frame *top = d->top;
    if (UNLIKELY(element == ELEMENT_NONE || !(top->allowed >> element & 1))) {
        fail_misplaced(d, element, name);
        return;
    }
    begin_child(d, top, element);
    struct frame *f = ++d->top;
    f->element = (uint8_t)element;
    f->text = false;
    f->allowed = may_hold[element];
    switch (element) {
    case ELEMENT_VALUE:
        f->mark = chain_len(d->out);
        break;
    case ELEMENT_MEMBER:
    case ELEMENT_PARAM:
    case ELEMENT_PARAMS:
    case ELEMENT_CALL:
    case ELEMENT_RESPONSE:
        break;
    case ELEMENT_DATA:
        f->count = 0;
        break;
    case ELEMENT_ARRAY:
    case ELEMENT_STRUCT:
        begin_container(d, f);
        break;
    case ELEMENT_NAME:
        f->mark = d->names.len;
        d->marked = false;
        break;
    case ELEMENT_METHOD_NAME:
        d->has_method = true;
        break;
    case ELEMENT_FAULT:
        d->kind = DOCUMENT_FAULT;
        break;
    default:
        scalar_start(d, f);
        break;
    }
}

void tree_text(struct decoder *d, struct str text)
{
    struct frame *top = d->top;
    if (!(TEXTS >> top->element & 1))
        return;
    switch ((enum element)top->element) {
    case ELEMENT_VALUE:
        if (top->allowed == 0)
            return;
        if (UNLIKELY(d->depth == 0) && (d->kind == DOCUMENT_FAULT || is_multicall(d)))
            return; /* dropped as before any type; no type at all is told at the end */
        if (!top->text)
            scalar_start(d, top);
        top->text = true;
        FALLTHROUGH;
    case ELEMENT_STRING:
        json_write_text(d->out, text);
        break;
    case ELEMENT_NAME:
        decode_keep(d, &d->names, text);
        break;
    case ELEMENT_METHOD_NAME:
        decode_keep(d, &d->method, text);
        return;
    case ELEMENT_BASE64:
        scalar_base64_text(d, text);
        return;
    default:
        decode_keep(d, &d->text, text);
        return;
    }
    if (UNLIKELY(d->options->text == TEXT_BASE64) && repair_is_marked(text))
        d->marked = true;
}

/* A grammar where something is obligatory. */
static void end_incomplete(struct decoder *d, const struct frame *f)
{
    if (f->element == ELEMENT_MEMBER && f->allowed & BIT(NAME))
        decode_fail(d, REFUSED_STRUCTURE, "a <member> has no <name>");
    else if (f->element == ELEMENT_RESPONSE)
        decode_fail(d, REFUSED_STRUCTURE, "<methodResponse> has neither <params> nor <fault>");
    else
        decode_fail(d, REFUSED_STRUCTURE, "a <%s> has no <value>", element_name(f->element));
}

static void end_call(struct decoder *d, const struct frame *f)
{
    if (f->allowed == may_hold[ELEMENT_CALL])
        decode_fail(d, REFUSED_STRUCTURE, "<methodCall> has neither <methodName> nor <params>");
}

static bool is_array(const struct frame *f)
{
    return f->element == ELEMENT_ARRAY || f->element == ELEMENT_DATA;
}

static inline void leave_container(struct decoder *d)
{
    d->depth--;
    if (UNLIKELY(d->depth + 1 == d->watch.depth) && d->watch.level > 0)
        watched_close(d);
}

void tree_end(struct decoder *d)
{
    struct frame *f = d->top--;
    switch ((enum element)f->element) {
    case ELEMENT_VALUE:
        if (f->allowed == 0)
            break;
        if (!f->text)
            scalar_start(d, f);
        scalar_end(d, f);
        break;
    case ELEMENT_STRUCT:
        leave_container(d);
        struct_end(d, f);
        break;
    case ELEMENT_ARRAY:
        leave_container(d);
        if (LIKELY(!d->items.open) || !items_end_array(d))
            chain_append_byte(d->out, ']');
        break;
    case ELEMENT_NAME:
        struct_name_end(d, f - 2, f->mark);
        break;
    case ELEMENT_CALL:
        end_call(d, f);
        break;
    case ELEMENT_MEMBER:
    case ELEMENT_PARAM:
    case ELEMENT_FAULT:
    case ELEMENT_RESPONSE:
        if (UNLIKELY(f->allowed != 0))
            end_incomplete(d, f);
        break;
    case ELEMENT_METHOD_NAME:
        if (d->options->text == TEXT_BASE64 && repair_is_marked(buf_str(&d->method)))
            decode_fail(d, REFUSED_CHARACTER,
                        "the method's name has a character that XML cannot carry");
        break;
    case ELEMENT_DATA:
    case ELEMENT_PARAMS:
        break;
    default:
        scalar_end(d, f);
        break;
    }
    if (UNLIKELY(d->items.open) && is_array(d->top) && f->element != ELEMENT_DATA)
        items_end_child(d);
    if (d->top == d->frames)
        d->root_closed = true;
}
