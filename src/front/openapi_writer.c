/* SPDX-License-Identifier: Apache-2.0 */
#include "front/openapi_writer.h"

#include "codec/json/cursor.h"

/* So many methods of an upstream are asked for their signatures; of others the names are told. */
#define DESCRIBED_MAX 500

/* What a step looks at before others have their turn: rights to a route or upstream, mostly; and
 * what it takes to write a path, counted as such. */
#define STEP_LOOKS 2000
#define PATH_LOOKS 10

/* What a step writes, unless one method has more. [bytes] */
#define STEP_BYTES ((size_t)64 * 1024)

/* Its parts, in their order. */
enum phase { ROUTES, UPSTREAMS, UPSTREAM_TAGS, ROUTE_TAGS, PHASES };

/* A step under way. */
struct stepping {
    struct openapi_writer *w;
    size_t looks;
    size_t before; /* length of the document when it began, */
    size_t room;   /* and how much longer it may become */
};

enum asked { ASKED_KNOWN, ASKED_UNKNOWN, ASKED_WAITS };

const struct upstream_config *openapi_writer_upstream(const struct openapi_writer *w)
{
    return &w->document.config->upstreams[w->index];
}

/* An upstream that is down leaves its part of the document general. */
static enum asked ask(struct openapi_writer *w, struct str key, struct description **ret)
{
    struct error err;
    if (w->waiter.site == NULL)
        return ASKED_UNKNOWN;
    w->waiter.upstream = openapi_writer_upstream(w);
    switch (introspection_ask(&w->waiter, key, ret, &err)) {
    case INTROSPECTION_READY:
        return ASKED_KNOWN;
    case INTROSPECTION_WAIT:
        return ASKED_WAITS;
    case INTROSPECTION_FAILED:
        break;
    }
    if (key.len == 0 && w->on_unknown != NULL)
        w->on_unknown(w, &err);
    return ASKED_UNKNOWN;
}

static size_t room(const struct stepping *s)
{
    size_t written = chain_len(s->w->document.to) - s->before;
    return written < s->room ? s->room - written : 0;
}

/* ---- Methods -------------------------------------------------------------------------------- */

/* DONE with it, or MORE: it finds no room in this step. */
static enum openapi_step put_method(struct stepping *s, struct str method)
{
    struct openapi_writer *w = s->w;
    struct str known = { NULL, 0 };
    if (w->described != NULL)
        known = description_text(w->described);
    size_t bytes = openapi_method_size(method, known);
    if (bytes > room(s)) {
        w->wanted = bytes > STEP_BYTES ? bytes : STEP_BYTES;
        return OPENAPI_MORE;
    }
    openapi_write_method(&w->document, openapi_writer_upstream(w), method, known);
    s->looks += PATH_LOOKS;
    description_unref(TAKE(w->described));
    w->is_asked = false;
    return OPENAPI_DONE;
}

static enum openapi_step write_method(struct stepping *s, struct str method)
{
    struct openapi_writer *w = s->w;
    s->looks++;
    if (!openapi_may_call(&w->document, openapi_writer_upstream(w), method))
        return OPENAPI_DONE;
    if (!w->is_asked && w->n_asked < DESCRIBED_MAX) {
        if (ask(w, method, &w->described) == ASKED_WAITS)
            return OPENAPI_WAITS;
        w->n_asked++;
        w->is_asked = true;
    }
    return put_method(s, method);
}

static bool is_over(const struct stepping *s)
{
    return s->looks >= STEP_LOOKS || room(s) < STEP_BYTES / 4;
}

static enum openapi_step write_methods(struct stepping *s)
{
    CLEANUP(buf_done) struct buf name;
    struct openapi_writer *w = s->w;
    struct str text = description_text(w->methods), quoted;
    buf_init(&name, text.len, NULL);
    struct json_cursor names = { .rest = str_slice(text, w->at, text.len), .first = w->at == 1 };
    while (json_next(&names, NULL, &quoted)) {
        buf_clear(&name);
        json_unquote(quoted, &name);
        enum openapi_step step = write_method(s, buf_str(&name));
        if (step != OPENAPI_DONE)
            return step;
        w->at = text.len - names.rest.len;
        if (is_over(s))
            return OPENAPI_MORE;
    }
    return OPENAPI_DONE;
}

static enum openapi_step write_upstream(struct stepping *s)
{
    struct openapi_writer *w = s->w;
    const struct upstream_config *upstream = openapi_writer_upstream(w);
    if (!openapi_may_ask(&w->document, upstream))
        return OPENAPI_DONE;
    if (w->methods == NULL) {
        enum asked asked = ask(w, KEY_METHODS, &w->methods);
        if (asked == ASKED_WAITS)
            return OPENAPI_WAITS;
        if (asked == ASKED_UNKNOWN || !w->methods->there) {
            openapi_write_any_method(&w->document, upstream);
            s->looks += PATH_LOOKS;
            return OPENAPI_DONE;
        }
        w->at = 1;
        w->n_asked = 0;
    }
    return write_methods(s);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static enum openapi_step write_item(struct stepping *s)
{
    struct openapi_writer *w = s->w;
    const struct config *config = w->document.config;
    s->looks++;
    switch ((enum phase)w->phase) {
    case ROUTES:
        openapi_write_route(&w->document, w->index);
        s->looks += PATH_LOOKS;
        return OPENAPI_DONE;
    case UPSTREAMS:
        return write_upstream(s);
    case UPSTREAM_TAGS:
        openapi_write_upstream_tag(&w->document, w->index);
        s->looks += config->n_routes;
        return OPENAPI_DONE;
    case ROUTE_TAGS:
        openapi_write_route_tags(&w->document, w->index);
        s->looks += config->routes[w->index].tags.n * (config->n_routes + config->n_upstreams);
        return OPENAPI_DONE;
    case PHASES:
    default:
        return OPENAPI_DONE;
    }
}

static bool is_phase_over(const struct openapi_writer *w)
{
    const struct config *config = w->document.config;
    bool of_routes = w->phase == ROUTES || w->phase == ROUTE_TAGS;
    return w->index >= (of_routes ? config->n_routes : config->n_upstreams);
}

/* False: that was the last. */
static bool next_phase(struct openapi_writer *w)
{
    w->index = 0;
    w->phase++;
    if (w->phase == UPSTREAM_TAGS)
        openapi_end_paths(&w->document);
    if (w->phase == PHASES)
        openapi_end(&w->document);
    return w->phase < PHASES;
}

enum openapi_step openapi_writer_step(struct openapi_writer *w)
{
    if (chain_len(w->document.to) == 0)
        openapi_begin(&w->document);
    struct stepping s = { w, 0, chain_len(w->document.to), w->wanted };
    w->wanted = STEP_BYTES;
    for (;;) {
        if (is_phase_over(w)) {
            if (!next_phase(w))
                return OPENAPI_DONE;
            continue;
        }
        enum openapi_step step = write_item(&s);
        if (step != OPENAPI_DONE)
            return step;
        description_unref(TAKE(w->methods));
        w->index++;
        if (is_over(&s))
            return OPENAPI_MORE;
    }
}

void openapi_writer_init(struct openapi_writer *w)
{
    *w = (struct openapi_writer){ .wanted = STEP_BYTES };
}

void openapi_writer_done(struct openapi_writer *w)
{
    introspection_leave(&w->waiter);
    description_unref(TAKE(w->methods));
    description_unref(TAKE(w->described));
}
