/* SPDX-License-Identifier: Apache-2.0 */
/* The login and the logout of upstreams with a session, by the gateway's own client. */
#include "tool/check.h"

#include "base/clock.h"
#include "client/session_store.h"
#include "rules/advice.h"
#include "tool/lone.h"

#include <stdint.h>

struct trying {
    struct session_watcher watcher;
    struct check *check;
    struct lone *lone;
    int64_t began_us;
    bool entered, left; /* that step is over */
};

static void judge_enter(struct trying *t, const struct error *err, bool refused)
{
    struct check *c = t->check;
    const char *method = c->upstream->session.login.method;
    const char *advice = refused                        ? ADVICE_REFUSED
                         : err == NULL                  ? NULL
                         : err->type == PROBLEM_TIMEOUT ? ADVICE_TIMEOUT
                                                        : ADVICE_SESSION;
    CLEANUP(buf_done) struct buf detail;
    buf_init(&detail, SIZE_MAX - 1, NULL);
    if (err == NULL && method != NULL) {
        check_set(c, CHECK_ENTER, CHECK_OK, NULL, "by %s", method);
    } else if (err == NULL) {
        check_set(c, CHECK_ENTER, CHECK_OK, NULL, "by a form, with cookies");
    } else {
        /* What is called so says itself that it is refused. */
        bool is_said = err->type == PROBLEM_LOGIN_FAILED;
        lone_tell_detail(t->lone, c->upstream, err, &detail);
        check_set(c, CHECK_ENTER, CHECK_FAILED, advice, "%s%s",
                  refused && !is_said ? "the credentials are refused: " : "", buf_c(&detail));
    }
}

static void judge_leave(struct trying *t, const struct error *err)
{
    struct check *c = t->check;
    CLEANUP(buf_done) struct buf detail;
    buf_init(&detail, SIZE_MAX - 1, NULL);
    if (err == NULL) {
        check_set(c, CHECK_LEAVE, CHECK_OK, NULL, "by %s", c->upstream->session.logout.method);
    } else {
        lone_tell_detail(t->lone, c->upstream, err, &detail);
        check_set(c, CHECK_LEAVE, CHECK_FAILED, ADVICE_SESSION, "%s", buf_c(&detail));
    }
}

static void on_told(struct session_watcher *watcher, enum session_job_kind kind,
                    const struct error *err, bool refused)
{
    struct trying *t = CONTAINER_OF(watcher, struct trying, watcher);
    enum check_step_word word = kind == SESSION_LOGIN ? CHECK_ENTER : CHECK_LEAVE;
    if (kind == SESSION_KEEPALIVE)
        return;
    if (kind == SESSION_LOGIN)
        judge_enter(t, err, refused);
    else
        judge_leave(t, err);
    t->check->steps[word].time_us = clock_now_us() - t->began_us;
    t->entered |= kind == SESSION_LOGIN;
    t->left |= kind == SESSION_LOGOUT;
}

static bool try_session(struct config *config, struct check *c)
{
    struct lone *lone = lone_open(config);
    struct trying t = {
        .watcher = { on_told }, .check = c, .lone = lone, .began_us = clock_now_us()
    };
    if (lone == NULL)
        return false;
    session_try(lone_site(lone), c->upstream, &t.watcher);
    lone_run(lone, &t.entered);
    t.began_us = clock_now_us();
    lone_log_out(lone);
    if (!t.left && c->steps[CHECK_ENTER].result == CHECK_OK)
        check_set(c, CHECK_LEAVE, CHECK_SKIPPED, NULL, "no `session.logout` is configured");
    lone_close(lone);
    return true;
}

/* One login is for all URLs of an upstream: servers lock accounts. */
static bool try_upstream(struct config *config, struct check *checks, size_t n)
{
    struct check *first = NULL;
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        if (check_failed(&checks[i]))
            continue;
        if (first == NULL) {
            first = &checks[i];
            good = try_session(config, first);
        } else {
            check_set(&checks[i], CHECK_ENTER, CHECK_SKIPPED, NULL,
                      "one is made for all URLs, see above");
        }
    }
    return good;
}

bool check_sessions(struct config *config, struct check *checks, size_t n,
                    void (*told)(void *context), void *context)
{
    bool good = true;
    for (size_t i = 0; i < n && good;) {
        size_t n_urls = checks[i].upstream->n_targets;
        if (checks[i].upstream->session.present) {
            good = try_upstream(config, &checks[i], n_urls);
            for (size_t k = i; k < i + n_urls; k++)
                checks[k].done = true;
            told(context);
        }
        i += n_urls;
    }
    return good;
}
