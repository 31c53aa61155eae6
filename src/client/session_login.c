/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that sessions are made of: a login, a logout, one that keeps them alive. They belong to
 * no caller; the worker that has begun one sees it to its end. */
#include "client/session_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/call.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/upstream_state.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "rules/redacted.h"
#include "rules/test.h"
#include "settings/result_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a login's result, as JSON. [bytes] */
#define RESULT_MAX ((size_t)1024 * 1024)

/* How long the end waits for a server. */
#define LOGOUT_MS 2000

struct session_job {
    struct call call;
    enum session_job_kind kind;
    struct session_store *store;
    struct upstream_state *state; /* referenced: it has the store */
    struct held_session *held;    /* LOGIN: what it brings */
    struct buf params;            /* JSON, or the form */
    struct injected lines;
    struct chain reply;
};

static const struct call_owner owner;

static void end(struct session_job *job)
{
    memory_share_leave(&job->call.site->client->work->commons->own, job);
    if (job->kind == SESSION_LOGOUT)
        job->call.site->client->n_leaving--;
    buf_wipe(&job->params);
    injected_done(&job->lines);
    chain_wipe(&job->reply);
    upstream_state_unref(job->state);
    free(job);
}

/* ---- What is sent --------------------------------------------------------------------------- */

/* What the three kinds have alike in the configuration. */
struct job_call {
    const char *method; /* NULL: a form */
    size_t n_params, n_headers;
    const struct call_templates *templates;
};

static struct job_call call_of(const struct session_job *job)
{
    const struct session_config *c = &job->store->config->session;
#define CALL(of)                                                                                   \
    {                                                                                              \
        (of).method, (of).params.n, (of).headers.n, &(of).templates                                \
    }
    if (job->kind == SESSION_LOGIN)
        return (struct job_call)CALL(c->login);
    if (job->kind == SESSION_LOGOUT)
        return (struct job_call)CALL(c->logout);
    return (struct job_call)CALL(c->keepalive);
#undef CALL
}

static bool refuse(struct error *err, const struct buf *why)
{
    return error_set(err, PROBLEM_INTERNAL, "A call for the session cannot be made: %s.",
                     buf_c(why));
}

static bool append_template(struct session_job *job, const struct template *t,
                            const struct str *values, struct error *err)
{
    CLEANUP(buf_done) struct buf why;
    buf_init(&why, 256, NULL);
    return template_fill(t, values, &job->params, &why) || refuse(err, &why);
}

static bool write_params(struct session_job *job, const struct str *values, struct error *err)
{
    struct job_call call = call_of(job);
    bool ok = true;
    buf_append_byte(&job->params, '[');
    for (size_t i = 0; i < call.n_params && ok; i++) {
        if (i > 0)
            buf_append_byte(&job->params, ',');
        ok = append_template(job, &call.templates->params[i], values, err);
    }
    buf_append_byte(&job->params, ']');
    return ok;
}

static bool write_form(struct session_job *job, const struct str *values, struct error *err)
{
    const struct login_config *login = &job->store->config->session.login;
    bool ok = true;
    for (size_t i = 0; i < login->form.n && ok; i++) {
        if (i > 0)
            buf_append_byte(&job->params, '&');
        buf_append_c(&job->params, login->form.items[i].name);
        buf_append_byte(&job->params, '=');
        ok = append_template(job, &login->form_templates[i], values, err);
    }
    return ok;
}

static bool is_form(const struct session_job *job)
{
    return job->kind == SESSION_LOGIN && job->store->config->session.login.method == NULL;
}

static bool write_all(struct session_job *job, struct error *err)
{
    static const struct str none[TEMPLATE_KEPT];
    struct job_call call = call_of(job);
    struct held_session *held = job->kind != SESSION_LOGIN ? job->held : NULL;
    struct str *values = xcalloc(held != NULL ? held->n_values : TEMPLATE_KEPT, sizeof *values);
    CLEANUP(buf_wipe) struct buf cookies;
    char count[24];
    buf_init(&cookies, SIZE_MAX - 1, NULL);
    memcpy(values, none, sizeof none);
    if (held != NULL) {
        pthread_mutex_lock(&job->store->lock);
        memcpy(values, held->values, held->n_values * sizeof *values);
        snprintf(count, sizeof count, "%llu", (unsigned long long)held->session.count);
        values[TEMPLATE_COUNT] = str_of(count);
        held_session_write_cookies(held, &cookies);
        pthread_mutex_unlock(&job->store->lock);
    }
    struct inject_source source = { .values = values, .cookies = buf_str(&cookies) };
    bool ok = (is_form(job) ? write_form(job, values, err) : write_params(job, values, err)) &&
              injected_make_lines(call.templates, call.n_headers, &source, &job->lines, err);
    free(values);
    return ok;
}

/* ---- What a login brings --------------------------------------------------------------------- */

/* NULL data: it is not there. */
static struct str part_of(struct str json, struct str pointer)
{
    struct json_path path;
    void *memory = xcalloc(1, json_path_size(pointer) + 1);
    struct str ret = { NULL, 0 };
    if (json_path_read(pointer, memory, &path))
        ret = json_path_find(&path, json);
    free(memory);
    return ret;
}

static bool take_values(struct session_job *job, struct error *err)
{
    const struct login_config *login = &job->store->config->session.login;
    struct held_session *held = job->held;
    char *text = chain_dup(&job->reply);
    size_t len = chain_len(&job->reply);
    buf_init(&held->text, len + 1, NULL);
    buf_append(&held->text, (struct str){ text, len });
    if (!buf_ok(&held->text))
        die_without_memory();
    wipe(text, len);
    free(text);
    held->is_used_whole = job->store->config->session.is_used_whole;
    held->n_values = TEMPLATE_KEPT + login->keep.n;
    held->values = xcalloc(held->n_values, sizeof *held->values);
    held->values[TEMPLATE_SESSION] = json_trim(buf_str(&held->text));
    for (size_t i = 0; i < login->keep.n; i++) {
        struct str pointer = str_of(login->keep.items[i].text);
        struct str part = part_of(held->values[TEMPLATE_SESSION], pointer);
        if (part.data == NULL)
            return error_set(err, PROBLEM_LOGIN_FAILED,
                             "The answer of the upstream %s to our login has no `%s`, which "
                             "`keep` takes as `%s`.",
                             job->store->config->name, login->keep.items[i].text,
                             login->keep.items[i].name);
        held->values[TEMPLATE_KEPT + i] = part;
    }
    return held_session_is_small(held) ||
           error_set(err, PROBLEM_LOGIN_FAILED,
                     "The upstream %s answered our login with more than %zu bytes that would have "
                     "to be kept secret. Name what is needed of it with `keep`.",
                     job->store->config->name, SESSION_SECRETS_MAX);
}

static bool is_good(struct session_job *job, const struct verdict *verdict, struct error *err)
{
    const struct login_config *login = &job->store->config->session.login;
    const char *name = job->store->config->name;
    if (is_form(job) && job->held->n_cookies == 0)
        return error_set(err, PROBLEM_LOGIN_FAILED,
                         "The upstream %s has answered our login without a cookie, so it has not "
                         "let us in. Look at its `credentials`.",
                         name);
    if (login->good.present && verdict->decoder != NULL &&
        !test_holds(&login->good, login_path_test(login), verdict->decoder, &job->reply))
        return error_set(err, PROBLEM_LOGIN_FAILED,
                         "The result of the login at the upstream %s is not what `good` says, as "
                         "where credentials are refused. Look at its `credentials`.",
                         name);
    return true;
}

/* Does it say that we are not let in? */
static bool is_refusal(const struct verdict *verdict)
{
    if (verdict->error->type == PROBLEM_FAULT ||
        verdict->error->type == PROBLEM_CREDENTIALS_REFUSED)
        return true;
    int status = verdict->error->type == PROBLEM_PROTOCOL_ERROR && verdict->protocol != NULL
                     ? verdict->protocol->status
                     : 0;
    return status == 401 || status == 403 || status == 429;
}

static void tell_refused(const struct session_job *job, const struct verdict *verdict,
                         struct error *err)
{
    error_set(err, PROBLEM_LOGIN_FAILED,
              "No login at the upstream %s is tried for a while (session.retry); look at its "
              "`credentials`. %s",
              job->store->config->name, verdict->error->detail);
    err->is_cut |= verdict->error->is_cut;
    err->retry_after = verdict->error->retry_after;
}

/* What the login itself may have done is no matter of the calls that wait for it. */
static void tell_failed(const struct verdict *verdict, struct error *err)
{
    *err = *verdict->error;
    error_preface(err, "The login that this call needs failed. ");
    err->executed = EXECUTED_NO;
}

static enum login_failure how_it_failed(const struct verdict *verdict, bool refused)
{
    if (refused)
        return LOGIN_IS_REFUSED;
    bool seen = verdict->error->executed != EXECUTED_NO || verdict->protocol != NULL;
    return seen ? LOGIN_HAS_FAILED : LOGIN_IS_UNSENT;
}

static void tell_watcher(const struct session_job *job, const struct error *err, bool refused)
{
    struct session_watcher *watcher = job->store->watcher;
    if (watcher != NULL)
        watcher->told(watcher, job->kind, err, refused);
}

static void log_pause(const struct session_job *job, const struct error *err, bool refused,
                      int64_t pause_ms)
{
    struct config *config = job->call.site->config;
    CLEANUP(buf_done) struct buf detail;
    struct hidden *hidden = session_store_hidden(job->store, config);
    buf_init(&detail, SIZE_MAX - 1, NULL);
    redacted_detail(hidden_redactor(hidden, config), err, &detail);
    hidden_unref(hidden);
    LOG_EVENT(LOG_LEVEL_WARN,
              refused ? "the upstream refused our login, and gets no other for a while"
                      : "our login at the upstream failed, and there is no other for a while",
              LOG_TEXT("upstream", job->store->config->name), LOG_STR("detail", buf_str(&detail)),
              LOG_NUM("retry_ms", pause_ms));
}

static void end_login(struct session_job *job, const struct verdict *verdict)
{
    struct session_store *s = job->store;
    struct error err;
    bool let_in = verdict->error == NULL && is_good(job, verdict, &err);
    if (let_in && take_values(job, &err)) {
        session_store_logged_in(s, TAKE(job->held));
        session_keep(job->call.site->pools[job->call.upstream->index]);
        tell_watcher(job, NULL, false);
        return;
    }
    bool refused = verdict->error == NULL || is_refusal(verdict);
    tell_watcher(job, verdict->error != NULL ? verdict->error : &err, refused && !let_in);
    if (verdict->error == NULL)
        err.retry_after = 0;
    else if (refused)
        tell_refused(job, verdict, &err);
    else
        tell_failed(verdict, &err);
    held_session_free(TAKE(job->held));
    int64_t pause_ms = session_store_failed(s, &err, how_it_failed(verdict, refused));
    if (pause_ms > 0)
        log_pause(job, &err, refused, pause_ms);
}

/* ---- Each of them ---------------------------------------------------------------------------- */

static void finish(struct session_job *job, const struct verdict *verdict)
{
    switch (job->kind) {
    case SESSION_LOGIN:
        end_login(job, verdict);
        break;
    case SESSION_LOGOUT:
        tell_watcher(job, verdict->error, false);
        session_store_gone(job->store, job->held);
        break;
    case SESSION_KEEPALIVE:
        session_store_kept(job->store, job->held, verdict->expired);
        session_store_tidy(job->store, job->call.site, job->call.upstream);
        break;
    }
    end(job);
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    finish(c->user, verdict);
}

static const struct call_owner owner = { .ended = on_ended };

static void on_cookie(struct upstream_call *exchange, struct str value)
{
    struct call *c = exchange->user;
    struct session_job *job = c->user;
    /* Nobody else knows what a login brings. */
    if (job->kind == SESSION_LOGIN)
        (void)!held_session_take_cookie(job->held, value);
    else
        session_store_take_cookie(job->store, job->held, value);
}

static void fill_call(struct session_job *job, struct site *site,
                      const struct upstream_config *upstream)
{
    static const struct query tagged = {
        .has_types = true, .types = TYPES_TAGGED, .has_integers = true, .integers = INTEGERS_NUMBER
    };
    bool form = is_form(job);
    struct str method = form ? STR("") : str_of(call_of(job).method);
    job->call = (struct call){
        .site = site,
        .upstream = upstream,
        .owner = &owner,
        .user = job,
        .own = form ? CALL_OWN_FORM : CALL_OWN,
        .text = { .method = method },
        .query = &tagged,
        .rule = method_rule_find(upstream, method),
        .share = &site->client->work->commons->own,
        .request = job,
        .reply = &job->reply,
        .on_cookie = on_cookie,
    };
    if (job->kind == SESSION_LOGIN && !form && upstream->session.login.good.present)
        job->call.watch = &job->store->config->session.login.watch;
    if (job->kind == SESSION_LOGOUT) {
        job->call.rule.timeout_ms = LOGOUT_MS;
        job->call.outlives = true;
        site->client->n_leaving++;
    }
    job->call.deadline_ms = clock_now_ms() + job->call.rule.timeout_ms;
}

void session_job_begin(struct session_store *s, struct site *site,
                       const struct upstream_config *upstream, enum session_job_kind kind,
                       struct held_session *held)
{
    struct session_job *job = xcalloc(1, sizeof *job);
    struct error err;
    job->kind = kind;
    job->store = s;
    job->state = upstream_state_ref(site->pools[upstream->index]->shared);
    job->held = held != NULL ? held : xcalloc(1, sizeof *held);
    buf_init(&job->params, 2 * TEMPLATE_MAX, NULL);
    chain_init(&job->reply, RESULT_MAX, &site->client->work->commons->own.budget);
    fill_call(job, site, upstream);
    if (!write_all(job, &err)) {
        finish(job, &(struct verdict){ .error = &err });
        return;
    }
    job->call.text.params = buf_str(&job->params);
    job->call.added = job->lines.added;
    call_begin(&job->call);
}
