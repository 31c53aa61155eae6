/* SPDX-License-Identifier: Apache-2.0 */
#include "io/post.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/upstream.h"
#include "rules/retry_after.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Each request has an easy handle of its own: before 8.1.1 libcurl's keep the place of a header
 * line of the answer before, to which a folded line of the next is appended. */
struct post {
    CURLM *multi; /* keeps the connections */
    CURL *easy;
    atomic_llong hurry_ms; /* CLOCK_NEVER: there is none */
    struct post_answer *answer;
    char reason[CURL_ERROR_SIZE];
};

#define SET(option, value) ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
    struct post_answer *a = user;
    size_t room = sizeof a->body - a->body_len, len = size * n;
    size_t kept = len < room ? len : room;
    memcpy(a->body + a->body_len, data, kept);
    a->body_len += kept;
    return len;
}

static struct curl_blob blob_of(struct str content)
{
    return (struct curl_blob){ .data = (char *)(uintptr_t)content.data,
                               .len = content.len,
                               .flags = CURL_BLOB_NOCOPY };
}

/* A CA that is named takes the place of the system's: libcurl would trust both. */
static bool set_tls(CURL *easy, const struct tls_files *tls)
{
    struct curl_blob ca = blob_of(tls->ca), cert = blob_of(tls->cert), key = blob_of(tls->key);
    bool ok = true;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca.data != NULL) {
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO_BLOB, &ca);
    }
    if (cert.data != NULL) {
        SET(CURLOPT_SSLCERT_BLOB, &cert);
        SET(CURLOPT_SSLKEY_BLOB, &key);
        SET(CURLOPT_KEYPASSWD, ""); /* else OpenSSL would ask on the terminal */
    }
    return ok;
}

static bool set_target(CURL *easy, const struct upstream_target *target)
{
    bool ok = true;
    SET(CURLOPT_URL, target->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, target->unix_socket);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    /* Empty texts, so that libcurl does not look into the environment. */
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_USERNAME, target->username);
    if (target->username != NULL)
        SET(CURLOPT_PASSWORD, target->password != NULL ? target->password : "");
    return ok;
}

static bool set_all(struct post *post, const struct post_request *request,
                    struct curl_slist *headers)
{
    CURL *easy = post->easy;
    bool ok = set_target(easy, request->target) && set_tls(easy, request->tls);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "rpcgate/" RPCGATE_VERSION);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    SET(CURLOPT_POSTFIELDS, request->body.data);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, post->answer);
    SET(CURLOPT_ERRORBUFFER, post->reason);
    return ok;
}

static struct curl_slist *headers_of(const struct texts *headers)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *at = list == NULL ? NULL : curl_slist_append(list, "Expect:");
    for (size_t i = 0; i < headers->n && at != NULL; i++)
        at = curl_slist_append(list, headers->items[i]);
    if (at == NULL)
        die_without_memory();
    return list;
}

/* False: the deadline has passed. */
static bool wait(struct post *post, int64_t deadline_ms, CURLcode *ret)
{
    int running = 1, left;
    for (;;) {
        if (curl_multi_perform(post->multi, &running) != CURLM_OK)
            return false;
        for (CURLMsg *m; (m = curl_multi_info_read(post->multi, &left)) != NULL;) {
            if (m->msg == CURLMSG_DONE) {
                *ret = m->data.result;
                return true;
            }
        }
        int64_t until_ms = clock_min(deadline_ms, atomic_load(&post->hurry_ms));
        int64_t now_ms = clock_now_ms();
        if (now_ms >= until_ms)
            return false;
        curl_multi_poll(post->multi, NULL, 0, clock_wait_ms(until_ms, now_ms), NULL);
    }
}

static unsigned retry_after(CURL *easy)
{
    struct curl_header *value = NULL, *date = NULL;
    const struct str none = { NULL, 0 };
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &value) != CURLHE_OK)
        return 0;
    bool dated = curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK;
    return retry_after_read(str_of(value->value), dated ? str_of(date->value) : none, time(NULL));
}

static void exchange(struct post *post, const struct post_request *request)
{
    struct post_answer *answer = post->answer;
    CURLcode result = CURLE_OPERATION_TIMEDOUT;
    long status = 0;
    if (curl_multi_add_handle(post->multi, post->easy) != CURLM_OK)
        die_without_memory();
    if (!wait(post, request->deadline_ms, &result))
        snprintf(post->reason, sizeof post->reason, "no answer in time");
    if (result == CURLE_OK) {
        curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
        answer->retry_after = retry_after(post->easy);
        snprintf(answer->reason, sizeof answer->reason, "HTTP status %ld", status);
    } else {
        const char *why = post->reason[0] != '\0' ? post->reason : curl_easy_strerror(result);
        snprintf(answer->reason, sizeof answer->reason, "%s", why);
    }
    answer->status = (int)status;
    curl_multi_remove_handle(post->multi, post->easy);
}

void post_run(struct post *post, const struct post_request *request, struct post_answer *ret)
{
    struct curl_slist *headers = headers_of(request->headers);
    *ret = (struct post_answer){ .status = 0 };
    post->answer = ret;
    post->reason[0] = '\0';
    post->easy = curl_easy_init();
    if (post->easy == NULL)
        die_without_memory();
    if (set_all(post, request, headers))
        exchange(post, request);
    else
        snprintf(ret->reason, sizeof ret->reason, "libcurl does not take the settings");
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(headers);
}

void post_leave(struct post *post)
{
    curl_multi_cleanup(post->multi);
    post->multi = upstreams_global_init() ? curl_multi_init() : NULL;
    if (post->multi == NULL)
        die_without_memory();
}

void post_hurry(struct post *post, int64_t deadline_ms)
{
    atomic_store(&post->hurry_ms, deadline_ms);
    curl_multi_wakeup(post->multi);
}

struct post *post_new(void)
{
    struct post *post = xcalloc(1, sizeof *post);
    post->multi = curl_multi_init();
    atomic_init(&post->hurry_ms, CLOCK_NEVER);
    if (post->multi != NULL)
        return post;
    free(post);
    return NULL;
}

void post_free(struct post *post)
{
    if (post == NULL)
        return;
    curl_multi_cleanup(post->multi);
    free(post);
}
