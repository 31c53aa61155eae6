/* SPDX-License-Identifier: Apache-2.0 */
/* The login and the logout of upstreams with a session, by the gateway's own client. */
#include "tool/check.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/session_store.h"
#include "rules/advice.h"
#include "tool/lone.h"

struct trying {
    struct session_watcher watcher;
    struct check *check;
    int64_t began_us;
    bool entered, left; /* that step is over */
};

static void judge_enter(struct check *c, const struct error *err, bool refused)
{
    const char *method = c->upstream->session.login.method;
    const char *advice = refused                        ? ADVICE_REFUSED
                         : err == NULL                  ? NULL
                         : err->type == PROBLEM_TIMEOUT ? ADVICE_TIMEOUT
                                                        : ADVICE_SESSION;
    /* What is called so says itself that it is refused. */
    bool is_said = err != NULL && err->type == PROBLEM_LOGIN_FAILED;
    if (err == NULL && method != NULL)
        check_set(c, CHECK_ENTER, CHECK_OK, NULL, "by %s", method);
    else if (err == NULL)
        check_set(c, CHECK_ENTER, CHECK_OK, NULL, "by a form, with cookies");
    else
        check_set(c, CHECK_ENTER, CHECK_FAILED, advice, "%s%s",
                  refused && !is_said ? "the credentials are refused: " : "", err->detail);
}

static void judge_leave(struct check *c, const struct error *err)
{
    if (err == NULL)
        check_set(c, CHECK_LEAVE, CHECK_OK, NULL, "by %s", c->upstream->session.logout.method);
    else
        check_set(c, CHECK_LEAVE, CHECK_FAILED, ADVICE_SESSION, "%s", err->detail);
}

static void on_told(struct session_watcher *watcher, enum session_job_kind kind,
                    const struct error *err, bool refused)
{
    struct trying *t = CONTAINER_OF(watcher, struct trying, watcher);
    enum check_step_word word = kind == SESSION_LOGIN ? CHECK_ENTER : CHECK_LEAVE;
    if (kind == SESSION_KEEPALIVE)
        return;
    if (kind == SESSION_LOGIN)
        judge_enter(t->check, err, refused);
    else
        judge_leave(t->check, err);
    t->check->steps[word].time_us = clock_now_us() - t->began_us;
    t->entered |= kind == SESSION_LOGIN;
    t->left |= kind == SESSION_LOGOUT;
}

static bool try_session(struct config *config, struct check *c)
{
    struct trying t = { .watcher = { on_told }, .check = c, .began_us = clock_now_us() };
    struct lone *lone = lone_open(config);
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
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* the steps say it all */
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
