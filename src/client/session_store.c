/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct session_store *session_store_new(const struct upstream_config *config,
                                        struct upstream_record *record)
{
    const struct session_config *c = &config->session;
    struct session_store *s = xcalloc(1, sizeof *s);
    s->config = config;
    s->record = record;
    pthread_mutex_init(&s->lock, NULL);
    once_init(&s->changed);
    buf_init(&s->former, SIZE_MAX - 1, NULL);
    sessions_init(&s->sessions, &(struct session_rules){
                                    .idle_ms = c->idle,
                                    .max_age_ms = c->max_age,
                                    .settle_ms = c->settle,
                                    .retry_ms = c->retry,
                                    .parallel = (size_t)c->parallel,
                                    .serial = c->serial,
                                    .exclusive = c->exclusive,
                                });
    return s;
}

/* Those that could not be logged out are left to the server. */
void session_store_free(struct session_store *s)
{
    if (s == NULL)
        return;
    LIST_EACH (&s->sessions.all, at, following) {
        held_session_free(CONTAINER_OF(at, struct held_session, session.in_all));
    }
    hidden_unref(s->hidden);
    config_unref(s->hidden_for);
    buf_wipe(&s->former);
    once_done(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void tell(struct session_store *s)
{
    atomic_fetch_add_explicit(&s->changes, 1, memory_order_release);
    once_tell(&s->changed);
}

/* ---- Sessions with what they hold ------------------------------------------------------------ */

static void wipe_text(char *text)
{
    if (text != NULL)
        wipe(text, strlen(text));
    free(text);
}

void held_session_free(struct held_session *held)
{
    if (held == NULL)
        return;
    for (size_t i = 0; i < held->n_cookies; i++) {
        free(held->cookies[i].name);
        wipe_text(held->cookies[i].value);
    }
    buf_wipe(&held->text);
    free(held->values);
    free(held);
}

static size_t cookie_bytes(const struct held_session *held)
{
    size_t n = 0;
    for (size_t i = 0; i < held->n_cookies; i++)
        n += held->cookies[i].value != NULL ? strlen(held->cookies[i].value) : 0;
    return n;
}

/* RFC 6265 section 4.1.1 has none in a cookie; a bare CR would end a line for some servers. */
static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F)
            return true;
    return false;
}

static struct session_cookie *find_cookie(struct held_session *held, struct str name)
{
    for (size_t i = 0; i < held->n_cookies; i++)
        if (str_eq_c(name, held->cookies[i].name))
            return &held->cookies[i];
    if (held->n_cookies == SESSION_COOKIES_MAX)
        return NULL;
    struct session_cookie *cookie = &held->cookies[held->n_cookies++];
    cookie->name = xmemdup0(name.data, name.len);
    cookie->value = NULL;
    return cookie;
}

/* The contract of a session, not that of browsers, says where it goes (RFC 6265 section 5.2 says
 * how it is read). */
bool held_session_take_cookie(struct held_session *held, struct str value)
{
    struct str pair = str_slice(value, 0, str_find(value, ';'));
    size_t equals = str_find(pair, '=');
    struct str name = str_trim(str_slice(pair, 0, equals));
    if (equals == pair.len || name.len == 0 || has_control(pair) ||
        pair.len > SESSION_SECRETS_MAX - cookie_bytes(held))
        return false;
    struct session_cookie *cookie = find_cookie(held, name);
    struct str text = str_trim(str_slice(pair, equals + 1, pair.len));
    if (cookie == NULL || (cookie->value != NULL && str_eq_c(text, cookie->value)))
        return false;
    wipe_text(cookie->value);
    cookie->value = xmemdup0(text.data, text.len);
    return true;
}

void held_session_write_cookies(const struct held_session *held, struct buf *to)
{
    for (size_t i = 0; i < held->n_cookies; i++) {
        if (held->cookies[i].value[0] == '\0')
            continue;
        buf_append_c(to, to->len > 0 ? "; " : "");
        buf_append_c(to, held->cookies[i].name);
        buf_append_byte(to, '=');
        buf_append_c(to, held->cookies[i].value);
    }
}

enum session_state session_store_state(struct session_store *s)
{
    pthread_mutex_lock(&s->lock);
    enum session_state ret = sessions_state(&s->sessions, clock_now_ms());
    pthread_mutex_unlock(&s->lock);
    return ret;
}

size_t session_store_active(struct session_store *s)
{
    pthread_mutex_lock(&s->lock);
    size_t ret = s->sessions.n_live;
    pthread_mutex_unlock(&s->lock);
    return ret;
}

/* ---- What jobs tell -------------------------------------------------------------------------- */

static void count_login(struct session_store *s, enum login_result result)
{
    atomic_fetch_add_explicit(&s->record->logins[result], 1, memory_order_relaxed);
}

void session_store_logged_in(struct session_store *s, struct held_session *held)
{
    pthread_mutex_lock(&s->lock);
    sessions_login_good(&s->sessions, clock_now_ms(), &held->session);
    session_secrets_changed(s);
    pthread_mutex_unlock(&s->lock);
    count_login(s, LOGIN_OK);
    LOG_EVENT(LOG_LEVEL_INFO, "logged in at the upstream", LOG_TEXT("upstream", s->config->name));
    tell(s);
}

/* The job's configuration may go before the store does; the store's has the same rules. */
static const char *keep_type(const struct session_store *s, const char *type)
{
    for (size_t i = 0; type != NULL && i < s->config->n_faults; i++)
        if (s->config->faults[i].type != NULL && strcmp(s->config->faults[i].type, type) == 0)
            return s->config->faults[i].type;
    return NULL;
}

/* Under the lock. How long no login is made now. */
static int64_t note_failure(struct session_store *s, enum login_failure how, unsigned retry_after)
{
    int64_t now_ms = clock_now_ms(), least_ms = (int64_t)retry_after * 1000;
    if (how == LOGIN_IS_REFUSED)
        return sessions_login_refused(&s->sessions, now_ms, least_ms);
    if (how == LOGIN_HAS_FAILED)
        return sessions_login_failed(&s->sessions, now_ms, least_ms);
    sessions_login_unsent(&s->sessions);
    return 0;
}

int64_t session_store_failed(struct session_store *s, const struct error *err,
                             enum login_failure how)
{
    pthread_mutex_lock(&s->lock);
    s->bad = *err;
    s->bad.type_uri = keep_type(s, err->type_uri);
    int64_t pause_ms = note_failure(s, how, err->retry_after);
    pthread_mutex_unlock(&s->lock);
    count_login(s, how == LOGIN_IS_REFUSED ? LOGIN_REFUSED : LOGIN_FAILED);
    tell(s);
    return pause_ms;
}

void session_store_gone(struct session_store *s, struct held_session *held)
{
    pthread_mutex_lock(&s->lock);
    session_secrets_remember(s, held);
    sessions_gone(&s->sessions, &held->session);
    pthread_mutex_unlock(&s->lock);
    held_session_free(held);
    if (s->config->session.exclusive)
        tell(s);
}

/* Without a server that would know it nobody logs out. */
static bool needs_logout(const struct session_store *s, const struct held_session *held)
{
    const struct session_config *c = &s->config->session;
    return c->logout.present && (!held->session.expired || c->exclusive);
}

static struct held_session *next_leaving(struct session_store *s)
{
    pthread_mutex_lock(&s->lock);
    struct session *session = sessions_next_leaving(&s->sessions);
    pthread_mutex_unlock(&s->lock);
    return session != NULL ? CONTAINER_OF(session, struct held_session, session) : NULL;
}

void session_store_tidy(struct session_store *s, struct site *site,
                        const struct upstream_config *upstream)
{
    struct held_session *held;
    while ((held = next_leaving(s)) != NULL) {
        if (needs_logout(s, held))
            session_job_begin(s, site, upstream, SESSION_LOGOUT, held);
        else
            session_store_gone(s, held);
    }
}

void session_store_count_expired(struct session_store *s)
{
    atomic_fetch_add_explicit(&s->record->sessions_expired, 1, memory_order_relaxed);
    LOG_EVENT(LOG_LEVEL_INFO, "the session at the upstream has expired",
              LOG_TEXT("upstream", s->config->name));
}

void session_store_kept(struct session_store *s, struct held_session *held, bool expired)
{
    enum session_verdict verdict = SESSION_FINAL;
    pthread_mutex_lock(&s->lock);
    if (expired)
        verdict = sessions_expired(&s->sessions, &held->session, clock_now_ms());
    sessions_release(&s->sessions, &held->session, clock_now_ms());
    pthread_mutex_unlock(&s->lock);
    if (verdict == SESSION_DROPPED)
        session_store_count_expired(s);
    if (s->config->session.serial)
        tell(s);
}

void session_store_join(struct session_store *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->n_pools++;
    s->sessions.closed = false;
    pthread_mutex_unlock(&s->lock);
}

void session_store_leave(struct session_store *s, struct site *site,
                         const struct upstream_config *upstream)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    bool is_last = --s->n_pools == 0;
    if (is_last)
        sessions_close(&s->sessions);
    pthread_mutex_unlock(&s->lock);
    if (is_last)
        session_store_tidy(s, site, upstream);
}
