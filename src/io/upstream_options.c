/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of an upstream as options of libcurl. Neither the environment nor files of the
 * user (.netrc) are read. */
#include "io/upstream_inside.h"

#include "base/alloc.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* For a function with an `ok`. */
#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok

/* Certificates are read anew for each connection. Where those are as many as the system's, libcurl
 * is given the file in their place, as it keeps what it has read of that. [bytes] */
#define CA_BLOB_MAX ((size_t)64 * 1024)

/* Headers of the configuration that would break a request's framing, or delay it. */
static const char *const refused_headers[] = {
    "Content-Length", "Transfer-Encoding", "Expect", "Connection", "TE", "Trailer", "Upgrade",
};

static struct curl_slist *append_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    if (longer == NULL)
        die_without_memory();
    return longer;
}

static bool is_refused(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(refused_headers); i++)
        if (str_eq_nocase(name, str_of(refused_headers[i])))
            return true;
    return false;
}

static struct curl_slist *append_header(struct curl_slist *list, struct str name, struct str value)
{
    struct buf text;
    buf_init(&text, name.len + value.len + 4, NULL);
    buf_reserve(&text, name.len + value.len + 4);
    /* libcurl's form for a header without a value is `Name;`. */
    buf_append(&text, name);
    buf_append(&text, value.len > 0 ? STR(": ") : STR(";"));
    buf_append(&text, value);
    list = append_line(list, buf_c(&text));
    buf_wipe(&text);
    return list;
}

static struct curl_slist *append_headers(struct curl_slist *list, const struct texts *headers)
{
    for (size_t i = 0; i < headers->n; i++) {
        struct str line = str_of(headers->items[i]);
        size_t colon = str_find(line, ':');
        struct str name = str_trim(str_slice(line, 0, colon));
        if (colon < line.len && !is_refused(name))
            list = append_header(list, name, str_trim(str_slice(line, colon + 1, line.len)));
    }
    return list;
}

static bool has_header(const struct texts *headers, struct str name)
{
    for (size_t i = 0; i < headers->n; i++) {
        struct str line = str_of(headers->items[i]);
        if (str_eq_nocase(str_trim(str_slice(line, 0, str_find(line, ':'))), name))
            return true;
    }
    return false;
}

static struct curl_slist *append_bearer(struct curl_slist *list, const char *token)
{
    struct buf text;
    size_t size = strlen(token) + sizeof "Bearer ";
    buf_init(&text, size, NULL);
    buf_reserve(&text, size);
    buf_append_c(&text, "Bearer ");
    buf_append_c(&text, token);
    list = append_header(list, STR("Authorization"), buf_str(&text));
    buf_wipe(&text);
    return list;
}

/* Of a name's addresses only the first is asked of a SOCKS proxy, which with libcurl 8 is ::1 for
 * `localhost`; servers that listen for this name alone listen at 127.0.0.1. */
static struct curl_slist *localhost_behind(const struct proxy_target *proxy)
{
    if (proxy->url == NULL || strncmp(proxy->url, "socks5://", 9) != 0 ||
        (proxy->no_proxy != NULL && strstr(proxy->no_proxy, "localhost") != NULL))
        return NULL;
    return append_line(NULL, "localhost::127.0.0.1:");
}

void options_open(struct upstream *u)
{
    const struct upstream_config *config = u->config;
    u->headers = append_headers(append_line(NULL, "Expect:"), &config->headers);
    u->has_content_type = has_header(&config->headers, STR("Content-Type"));
    if (config->auth.scheme == AUTH_SCHEME_BEARER && config->auth.token != NULL)
        u->headers = append_bearer(u->headers, config->auth.token);
    if (config->proxy_target.url != NULL)
        u->proxy_headers = append_headers(NULL, &config->proxy.headers);
    u->connect_to = localhost_behind(&config->proxy_target);
    u->share = upstream_shared_tls(u->shared);
}

void options_close(struct upstream *u)
{
    curl_slist_free_all(u->headers);
    curl_slist_free_all(u->proxy_headers);
    curl_slist_free_all(u->connect_to);
}

static bool set_transport(CURL *easy, const struct upstream_config *config)
{
    bool ok = true;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    /* A name that does not resolve is left to its thread; else its call's end waits for it, and
     * the whole worker with it. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_BUFFERSIZE, 16384L);
    /* What it looks up by itself in spite of upstream_naming.c is looked up anew. */
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_MAXLIFETIME_CONN, (long)((config->timeouts.max_age + 999) / 1000));
    if (config->timeouts.idle > 0)
        SET(CURLOPT_MAXAGE_CONN, (long)((config->timeouts.idle + 999) / 1000));
    return ok;
}

/* The content of a file: it stays where it is as long as the configuration. */
static struct curl_blob blob_of(struct str content)
{
    return (struct curl_blob){ .data = (char *)(uintptr_t)content.data,
                               .len = content.len,
                               .flags = CURL_BLOB_NOCOPY };
}

/* Reading the system's CAs costs 20 ms of CPU. libcurl keeps them for the next connections of a
 * multi handle, but only where it has no folder beside the file. */
static bool trust_system(CURL *easy)
{
    const char *file = curl_version_info(CURLVERSION_NOW)->cainfo;
    bool ok = true;
    if (file == NULL || access(file, R_OK) != 0)
        return true;
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_PROXY_CAPATH, NULL);
    return ok;
}

/* Those that are named take the place of the system's: libcurl would trust both. */
static bool set_trust(CURL *easy, const struct upstream_config *config)
{
    struct curl_blob ca = blob_of(config->tls_files.ca);
    const char *path = config->tls.ca_path;
    bool large = ca.len > CA_BLOB_MAX, ok = true;
    if (ca.data == NULL && path == NULL)
        return trust_system(easy);
    SET(CURLOPT_CAINFO, large ? config->tls.ca_file : NULL);
    SET(CURLOPT_PROXY_CAINFO, large ? config->tls.ca_file : NULL);
    SET(CURLOPT_CAPATH, path);
    SET(CURLOPT_PROXY_CAPATH, path);
    if (ca.data != NULL && !large) {
        SET(CURLOPT_CAINFO_BLOB, &ca);
        SET(CURLOPT_PROXY_CAINFO_BLOB, &ca);
    }
    return ok;
}

/* Our own certificate. */
static bool set_identity(CURL *easy, const struct upstream_config *config)
{
    struct curl_blob cert = blob_of(config->tls_files.cert);
    struct curl_blob key = blob_of(config->tls_files.key);
    bool ok = true;
    if (cert.data == NULL)
        return true;
    SET(CURLOPT_SSLCERT_BLOB, &cert);
    SET(CURLOPT_SSLKEY_BLOB, &key);
    /* Without one OpenSSL would ask for it on the terminal. */
    SET(CURLOPT_KEYPASSWD, config->tls.key_password != NULL ? config->tls.key_password : "");
    return ok;
}

/* OpenSSL has one list for TLS 1.3 and one for all before it. */
static bool set_ciphers(CURL *easy, const char *ciphers)
{
    struct buf old, new;
    struct str rest = str_of(ciphers);
    bool ok = true;
    buf_init(&old, rest.len + 1, NULL);
    buf_init(&new, rest.len + 1, NULL);
    while (rest.len > 0) {
        size_t end = str_find(rest, ':');
        struct str name = str_trim(str_slice(rest, 0, end));
        struct buf *to = str_starts_with(name, STR("TLS_")) ? &new : &old;
        if (to->len > 0)
            buf_append_byte(to, ':');
        buf_append(to, name);
        rest = str_slice(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    if (old.len > 0)
        SET(CURLOPT_SSL_CIPHER_LIST, buf_c(&old));
    if (new.len > 0)
        SET(CURLOPT_TLS13_CIPHERS, buf_c(&new));
    buf_done(&old);
    buf_done(&new);
    return ok;
}

/* For OpenSSL the versions before 1.2 are of level 0, as their signatures are made with SHA-1. */
#define OLD_CIPHERS "DEFAULT@SECLEVEL=0"

static const char *ciphers_of(const struct tls_config *tls)
{
    if (tls->ciphers == NULL && tls->min_version < TLS_VERSION_1_2)
        return OLD_CIPHERS;
    return tls->ciphers;
}

static bool set_tls(CURL *easy, const struct upstream_config *config)
{
    static const long versions[] = {
        [TLS_VERSION_1_0] = CURL_SSLVERSION_TLSv1_0,
        [TLS_VERSION_1_1] = CURL_SSLVERSION_TLSv1_1,
        [TLS_VERSION_1_2] = CURL_SSLVERSION_TLSv1_2,
        [TLS_VERSION_1_3] = CURL_SSLVERSION_TLSv1_3,
    };
    const struct tls_config *tls = &config->tls;
    const char *ciphers = ciphers_of(tls);
    bool ok = set_trust(easy, config) && set_identity(easy, config);
    SET(CURLOPT_SSLVERSION, versions[tls->min_version]);
    SET(CURLOPT_SSL_VERIFYPEER, tls->verify_peer ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, tls->verify_host ? 2L : 0L);
    if (tls->pinned_public_key != NULL)
        SET(CURLOPT_PINNEDPUBLICKEY, tls->pinned_public_key);
    return ok && (ciphers == NULL || set_ciphers(easy, ciphers));
}

static bool set_proxy(CURL *easy, const struct upstream *u)
{
    const struct proxy_target *proxy = &u->config->proxy_target;
    bool ok = true;
    /* Empty texts, so that libcurl does not look into the environment. */
    SET(CURLOPT_PROXY, proxy->url != NULL ? proxy->url : "");
    SET(CURLOPT_NOPROXY, proxy->no_proxy != NULL ? proxy->no_proxy : "");
    if (proxy->url == NULL)
        return ok;
    SET(CURLOPT_HTTPPROXYTUNNEL, u->config->proxy.tunnel ? 1L : 0L);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_PROXYHEADER, u->proxy_headers);
    SET(CURLOPT_CONNECT_TO, u->connect_to);
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXYUSERNAME, proxy->username);
    if (proxy->username != NULL)
        SET(CURLOPT_PROXYPASSWORD, proxy->password != NULL ? proxy->password : "");
    return ok;
}

bool options_set(CURL *easy, const struct upstream *u)
{
    const struct upstream_config *config = u->config;
    bool ok = set_transport(easy, config) && set_tls(easy, config) && set_proxy(easy, u);
    SET(CURLOPT_USERAGENT,
        config->user_agent != NULL ? config->user_agent : "rpcgate/" RPCGATE_VERSION);
    /* It is sent, but unpacking is ours: libcurl's cannot be paused without unpacking all. */
    SET(CURLOPT_ACCEPT_ENCODING, config->compression.accept ? "gzip, deflate" : NULL);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    return ok;
}

/* Our own certificate is not for a server that nobody vouches for. */
bool options_set_trusts_any(CURL *easy)
{
    bool ok = true;
    SET(CURLOPT_SHARE, NULL); /* nobody else is to go on with such a session */
    SET(CURLOPT_SSL_VERIFYPEER, 0L);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_PINNEDPUBLICKEY, NULL);
    SET(CURLOPT_SSLCERT_BLOB, NULL);
    SET(CURLOPT_SSLKEY_BLOB, NULL);
    return ok;
}

bool options_set_target(CURL *easy, const struct upstream_target *target)
{
    bool ok = true;
    SET(CURLOPT_URL, target->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, target->unix_socket);
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    /* Digest is ours (upstream_login.c). */
    bool basic = target->username != NULL && !target->digest;
    SET(CURLOPT_USERNAME, basic ? target->username : NULL);
    SET(CURLOPT_PASSWORD, !basic ? NULL : target->password != NULL ? target->password : "");
    return ok;
}

/* The library's own state is the process's, too. */
static pthread_mutex_t global_lock = PTHREAD_MUTEX_INITIALIZER;
static bool has_begun;

bool upstreams_global_init(void)
{
    pthread_mutex_lock(&global_lock);
    has_begun = has_begun || curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    bool ret = has_begun;
    pthread_mutex_unlock(&global_lock);
    return ret;
}

void upstreams_global_done(void)
{
    if (has_begun)
        curl_global_cleanup();
    has_begun = false;
}
