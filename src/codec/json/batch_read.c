/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/batch_read.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "codec/json/scan.h"
#include "codec/json/text.h"
#include "codec/options.h"

#include <stdlib.h>

/* The arrays and objects that stand around params. */
#define ENVELOPE_DEPTH 2

/* No name that is known is longer, escaped or not. [bytes] */
#define NAME_MAX_ESCAPED 64

/* The members that are known, and the others. */
enum member_name { MEMBER_METHOD, MEMBER_PARAMS, MEMBER_ID, MEMBER_JSONRPC, MEMBER_OTHER, MEMBERS };

static const char *const known_names[][MEMBER_OTHER] = {
    [BATCH_REST] = { [MEMBER_METHOD] = "method", [MEMBER_PARAMS] = "params" },
    [BATCH_JSONRPC] = { [MEMBER_METHOD] = "method",
                        [MEMBER_PARAMS] = "params",
                        [MEMBER_ID] = "id",
                        [MEMBER_JSONRPC] = "jsonrpc" },
    [BATCH_XMLRPC] = { [MEMBER_METHOD] = "methodName", [MEMBER_PARAMS] = "params" },
};

struct batch_reader {
    enum batch_dialect dialect;
    struct json_scan scan;
    struct str text; /* borrowed, without white space around it */
    bool is_list;
    size_t count;
    size_t next; /* the index of the item at hand, or of the next one */
    const char *at, *end;
    bool in_item;
    bool is_object;
    bool in_value;              /* of the member at hand, or of an item that is no object */
    const char *value;          /* where it begins */
    size_t depth;               /* of what is open in it */
    enum member_name member;    /* whose value it is */
    struct str values[MEMBERS]; /* of the item at hand, as JSON text; NULL data: not there */
    struct str other;           /* the first name that is not known, in its quotes */
    const char *method_at; /* up to here its method is in `method`; NULL: it stands for itself */
    struct buf scratch;    /* text without its escapes */
    struct buf method;     /* as that */
};

struct batch_reader *batch_reader_new(struct budget *budget)
{
    struct batch_reader *b = xcalloc(1, sizeof *b);
    json_scan_init(&b->scan, budget);
    buf_init(&b->scratch, NAME_MAX_ESCAPED, budget);
    buf_init(&b->method, SIZE_MAX / 4, budget);
    return b;
}

void batch_reader_free(struct batch_reader *b)
{
    if (b == NULL)
        return;
    json_scan_done(&b->scan);
    buf_done(&b->scratch);
    buf_done(&b->method);
    free(b);
}

void batch_reader_clear(struct batch_reader *b)
{
    json_scan_clear(&b->scan);
    buf_done(&b->method);
    b->text = STR("");
    b->count = 0;
    b->is_list = false;
    batch_reader_rewind(b);
}

void batch_reader_begin(struct batch_reader *b, enum batch_dialect dialect, struct str text)
{
    unsigned depth = dialect == BATCH_XMLRPC ? CODEC_DEPTH_TYPED : CODEC_DEPTH_MAX;
    batch_reader_clear(b);
    b->dialect = dialect;
    json_scan_begin(&b->scan, json_without_mark(text), depth + ENVELOPE_DEPTH);
    b->text = json_trim(b->scan.text);
}

/* The text is valid: what is it? */
static bool settle(struct batch_reader *b, struct error *err)
{
    b->is_list = b->text.data[0] == '[';
    b->count = b->is_list ? b->scan.n_elements : 1;
    json_scan_clear(&b->scan);
    batch_reader_rewind(b);
    if (b->is_list || b->dialect == BATCH_JSONRPC)
        return true;
    error_set(err, PROBLEM_INVALID_REQUEST,
              "A batch is an array of calls; send [{\"method\": \"NAME\", \"params\": […]}, …].");
    error_at(err, STR(""));
    return false;
}

enum codec_step batch_reader_check(struct batch_reader *b, size_t bytes, struct error *err)
{
    enum codec_step step = json_scan_step(&b->scan, bytes, err);
    if (step == CODEC_DONE && !settle(b, err))
        step = CODEC_FAILED;
    if (step == CODEC_FAILED)
        json_scan_clear(&b->scan);
    return step;
}

size_t batch_reader_count(const struct batch_reader *b)
{
    return b->count;
}

bool batch_reader_is_list(const struct batch_reader *b)
{
    return b->is_list;
}

void batch_reader_rewind(struct batch_reader *b)
{
    b->at = b->text.data;
    b->end = b->text.data + b->text.len;
    b->next = 0;
    b->in_item = false;
    if (b->is_list)
        b->at++;
}

/* ---- Where things are ---- */

static void skip_space(struct batch_reader *b)
{
    b->at = json_skip_space(b->at, b->end);
}

/* Behind a comma, if there is one. */
static void skip_comma(struct batch_reader *b)
{
    skip_space(b);
    if (b->at < b->end && *b->at == ',') {
        b->at++;
        skip_space(b);
    }
}

static void begin_value(struct batch_reader *b, enum member_name member)
{
    b->in_value = true;
    b->member = member;
    b->value = b->at;
    b->depth = 0;
}

/* False: it goes on behind `stop`. */
static bool skip_value(struct batch_reader *b, const char *stop)
{
    do
        b->at = json_skip_token(b->at, b->end, &b->depth);
    while (b->depth > 0 && b->at < stop);
    if (b->depth > 0)
        return false;
    b->in_value = false;
    b->values[b->member] = (struct str){ b->value, (size_t)(b->at - b->value) };
    return true;
}

/* The text in a string's quotes, in `to` where it has escapes; NULL data: it does not fit. */
static struct str read_text(struct str quoted, struct buf *to)
{
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    if (memchr(inside.data, '\\', inside.len) == NULL)
        return inside;
    buf_clear(to);
    json_unquote(quoted, to);
    return buf_ok(to) ? (struct str){ buf_c(to), to->len } : (struct str){ NULL, 0 };
}

static enum member_name find_name(struct batch_reader *b, struct str quoted)
{
    const char *const *known = known_names[b->dialect];
    struct str name = read_text(quoted, &b->scratch);
    for (size_t i = 0; i < MEMBER_OTHER && name.data != NULL; i++)
        if (known[i] != NULL && str_eq_c(name, known[i]))
            return (enum member_name)i;
    if (b->other.data == NULL)
        b->other = quoted;
    return MEMBER_OTHER;
}

static void read_name(struct batch_reader *b)
{
    const char *behind = json_string_end(b->at + 1, b->end) + 1;
    struct str quoted = { b->at, (size_t)(behind - b->at) };
    b->at = behind;
    skip_space(b);
    b->at++; /* the colon */
    skip_space(b);
    begin_value(b, find_name(b, quoted));
}

static void begin_item(struct batch_reader *b)
{
    skip_space(b);
    memset(b->values, 0, sizeof b->values);
    b->other = (struct str){ NULL, 0 };
    b->in_item = true;
    b->is_object = *b->at == '{';
    b->in_value = false;
    b->method_at = NULL;
    if (b->is_object)
        b->at++;
    else
        begin_value(b, MEMBER_OTHER);
}

/* Reads the item at hand to its end; false: it goes on behind `stop`. */
static bool read_item(struct batch_reader *b, const char *stop)
{
    for (;;) {
        if (b->in_value && !skip_value(b, stop))
            return false;
        skip_comma(b);
        if (!b->is_object)
            return true;
        if (*b->at == '}')
            break;
        if (b->at >= stop)
            return false;
        read_name(b);
    }
    b->at++;
    skip_comma(b);
    return true;
}

/* ---- What an item is ---- */

/* Fails the item at hand, with the pointer to it, or to its member of that name. */
static bool refuse(const struct batch_reader *b, struct str name, const char *detail,
                   struct error *err)
{
    struct buf pointer;
    buf_init(&pointer, ERROR_POINTER_MAX, NULL);
    error_set(err, PROBLEM_INVALID_REQUEST, "%s", detail);
    if (b->is_list)
        json_pointer_add_index(&pointer, b->next);
    if (name.data != NULL)
        json_pointer_add_name(&pointer, name);
    if (buf_ok(&pointer))
        error_at(err, (struct str){ buf_c(&pointer), pointer.len });
    buf_done(&pointer);
    return false;
}

static bool refuse_member(const struct batch_reader *b, enum member_name member, const char *detail,
                          struct error *err)
{
    bool there = b->values[member].data != NULL;
    struct str none = { NULL, 0 };
    return refuse(b, there ? str_of(known_names[b->dialect][member]) : none, detail, err);
}

static bool refuse_other(struct batch_reader *b, struct error *err)
{
    struct buf name;
    buf_init(&name, ERROR_POINTER_MAX, NULL);
    struct str text = read_text(b->other, &name);
    refuse(b, text,
           "A call of a batch has the members \"method\" and \"params\"; leave out this one.", err);
    buf_done(&name);
    return false;
}

/* The first byte of a value's text; 0: it is not there. */
static char first_byte(const struct batch_reader *b, enum member_name member)
{
    struct str value = b->values[member];
    return value.data != NULL ? value.data[0] : '\0';
}

/* Reads the method's text, where it has escapes; false: it goes on in the next step. */
static bool read_method(struct batch_reader *b, size_t bytes)
{
    struct str value = b->values[MEMBER_METHOD];
    if (first_byte(b, MEMBER_METHOD) != '"')
        return true;
    if (b->method_at == NULL) {
        if (memchr(value.data, '\\', value.len) == NULL)
            return true;
        b->method_at = value.data + 1;
        buf_clear(&b->method);
    }
    const char *end = value.data + value.len - 1;
    const char *stop = (size_t)(end - b->method_at) > bytes ? b->method_at + bytes : end;
    b->method_at = json_unquote_part(b->method_at, stop, &b->method);
    return b->method_at == end || !buf_ok(&b->method);
}

static bool take_method(struct batch_reader *b, struct batch_item *ret, struct error *err)
{
    if (first_byte(b, MEMBER_METHOD) != '"')
        return refuse_member(b, MEMBER_METHOD,
                             b->dialect == BATCH_XMLRPC
                                 ? "A call names its method in \"methodName\", which is a string."
                                 : "A call names its method in \"method\", which is a string.",
                             err);
    struct str quoted = b->values[MEMBER_METHOD];
    ret->method = str_slice(quoted, 1, quoted.len - 1);
    if (b->method_at != NULL)
        ret->method = (struct str){ buf_c(&b->method), b->method.len };
    if (b->method_at == NULL || buf_ok(&b->method))
        return true;
    return error_limit(err, PROBLEM_OVERLOADED, "limits.memory",
                       "The gateway has no memory for this call now; try again later, or raise "
                       "limits.memory.");
}

static bool take_xmlrpc(struct batch_reader *b, struct batch_item *ret, struct error *err)
{
    char first = first_byte(b, MEMBER_PARAMS);
    if (!b->is_object)
        return refuse(b, (struct str){ NULL, 0 },
                      "A call in system.multicall is a struct of methodName and params.", err);
    if (first != '\0' && first != '[')
        return refuse_member(b, MEMBER_PARAMS,
                             "The params of a call in system.multicall are an array.", err);
    ret->params = b->values[MEMBER_PARAMS];
    return take_method(b, ret, err);
}

static bool take_rest(struct batch_reader *b, struct batch_item *ret, struct error *err)
{
    if (!b->is_object)
        return refuse(b, (struct str){ NULL, 0 },
                      "A call of a batch is an object: {\"method\": \"NAME\", \"params\": […]}.",
                      err);
    if (b->other.data != NULL)
        return refuse_other(b, err);
    ret->params = b->values[MEMBER_PARAMS];
    return take_method(b, ret, err);
}

/* An id that cannot be one is answered as if there were none (section 5.1). */
static bool take_id(struct batch_reader *b, struct batch_item *ret, struct error *err)
{
    char first = first_byte(b, MEMBER_ID);
    if (first == '{' || first == '[' || first == 't' || first == 'f')
        return refuse_member(b, MEMBER_ID, "An id is a string, a number or null.", err);
    ret->id = b->values[MEMBER_ID];
    return true;
}

static bool check_version(struct batch_reader *b, struct error *err)
{
    if (first_byte(b, MEMBER_JSONRPC) == '"' &&
        str_eq_c(read_text(b->values[MEMBER_JSONRPC], &b->scratch), "2.0"))
        return true;
    return refuse_member(b, MEMBER_JSONRPC,
                         "A request of JSON-RPC 2.0 has the member \"jsonrpc\": \"2.0\".", err);
}

static bool take_jsonrpc(struct batch_reader *b, struct batch_item *ret, struct error *err)
{
    if (!b->is_object)
        return refuse(b, (struct str){ NULL, 0 },
                      "A request of JSON-RPC 2.0 is an object: {\"jsonrpc\": \"2.0\", \"method\": "
                      "\"NAME\", \"params\": […], \"id\": 1}.",
                      err);
    if (!take_id(b, ret, err) || !check_version(b, err) || !take_method(b, ret, err))
        return false;
    char first = first_byte(b, MEMBER_PARAMS);
    if (first != '\0' && first != '[' && first != '{' && first != 'n')
        return refuse_member(b, MEMBER_PARAMS,
                             "The params of a request are an array, or an object.", err);
    /* `null` is no value for it (section 4.2), but many clients write it for what is left out. */
    if (first != 'n')
        ret->params = b->values[MEMBER_PARAMS];
    ret->notification = ret->id.data == NULL;
    return true;
}

static bool (*const take_item[])(struct batch_reader *, struct batch_item *, struct error *) = {
    [BATCH_REST] = take_rest,
    [BATCH_JSONRPC] = take_jsonrpc,
    [BATCH_XMLRPC] = take_xmlrpc,
};

enum batch_step batch_reader_next(struct batch_reader *b, size_t bytes, struct batch_item *ret,
                                  struct error *err)
{
    if (b->next == b->count)
        return BATCH_END;
    const char *stop = (size_t)(b->end - b->at) > bytes ? b->at + bytes : b->end;
    if (!b->in_item)
        begin_item(b);
    if ((b->method_at == NULL && !read_item(b, stop)) || !read_method(b, bytes))
        return BATCH_MORE;
    b->in_item = false;
    *ret = (struct batch_item){ .index = b->next };
    ret->failed = !take_item[b->dialect](b, ret, err);
    b->next++;
    return BATCH_ITEM;
}
