/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_details.h"

#include "base/clock.h"
#include "codec/error.h"
#include "io/upstream_inside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Since the exchange began, which may have waited for a name before libcurl was asked. */
static int64_t time_of(const struct exchange *x, CURLINFO what)
{
    curl_off_t us = 0;
    curl_easy_getinfo(exchange_handle(x), what, &us);
    return us > 0 ? us + (x->began_us - x->submitted_us) : 0;
}

static bool take_number(struct str *text, uint64_t max, int *ret)
{
    uint64_t number = 0;
    size_t end = 0;
    *text = str_trim(*text);
    while (end < text->len && text->data[end] >= '0' && text->data[end] <= '9')
        end++;
    bool good = str_to_uint(str_slice(*text, 0, end), max, &number);
    *text = str_slice(*text, end, text->len);
    *ret = (int)number;
    return good;
}

static bool take_colon(struct str *text)
{
    bool good = text->len > 0 && text->data[0] == ':';
    if (good)
        *text = str_slice(*text, 1, text->len);
    return good;
}

/* As OpenSSL prints it: "Nov  2 14:35:34 2026 GMT". strptime() would ask the locale. */
static int64_t time_read(struct str text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = { 0 };
    if (text.len < 3)
        return 0;
    while (tm.tm_mon < 12 && memcmp(months + (size_t)tm.tm_mon * 3, text.data, 3) != 0)
        tm.tm_mon++;
    text = str_slice(text, 3, text.len);
    if (tm.tm_mon == 12 || !take_number(&text, 31, &tm.tm_mday) ||
        !take_number(&text, 23, &tm.tm_hour) || !take_colon(&text) ||
        !take_number(&text, 59, &tm.tm_min) || !take_colon(&text) ||
        !take_number(&text, 60, &tm.tm_sec) || !take_number(&text, 9999, &tm.tm_year))
        return 0;
    tm.tm_year -= 1900;
    return timegm(&tm);
}

static void take_text(char to[UPSTREAM_CERTIFICATE_TEXT], struct str value)
{
    struct error_cut shown = error_cut(value, UPSTREAM_CERTIFICATE_TEXT - sizeof ERROR_CUT);
    snprintf(to, UPSTREAM_CERTIFICATE_TEXT, "%.*s%s", ERROR_CUT_ARGS(shown));
}

static void take_field(struct upstream_certificate *c, struct str name, struct str value)
{
    if (str_eq_c(name, "Subject"))
        take_text(c->subject, value);
    else if (str_eq_c(name, "Issuer"))
        take_text(c->issuer, value);
    else if (str_eq_c(name, "X509v3 Subject Alternative Name"))
        take_text(c->names, value);
    else if (str_eq_c(name, "Start date"))
        c->begins_s = time_read(value);
    else if (str_eq_c(name, "Expire date"))
        c->expires_s = time_read(value);
}

static void take_certificate(CURL *easy, struct upstream_certificate *ret)
{
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
        chain->num_of_certs < 1)
        return;
    ret->known = true;
    ret->n_sent = (unsigned)chain->num_of_certs;
    for (const struct curl_slist *at = chain->certinfo[0]; at != NULL; at = at->next) {
        struct str line = str_of(at->data);
        size_t colon = str_find(line, ':');
        if (colon < line.len)
            take_field(ret, str_slice(line, 0, colon),
                       str_trim(str_slice(line, colon + 1, line.len)));
    }
}

/* libcurl tells the time of connecting only once TLS is through, too. */
static CURLcode note_tls(CURL *easy, void *context, void *user)
{
    struct exchange *x = user;
    (void)easy;
    (void)context;
    x->tls_began_us = clock_now_us();
    return CURLE_OK;
}

bool details_prepare(struct exchange *x)
{
    bool wanted = x->extra->details != NULL;
    x->tls_began_us = 0;
    if (wanted == x->detailed)
        return true;
    x->detailed = wanted;
    return curl_easy_setopt(x->easy, CURLOPT_CERTINFO, wanted ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_SSL_CTX_FUNCTION, wanted ? note_tls : NULL) ==
               CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_SSL_CTX_DATA, x) == CURLE_OK;
}

void details_fill(const struct exchange *x, struct upstream_details *ret)
{
    CURL *easy = exchange_handle(x);
    const char *address = NULL;
    long port = 0;
    *ret = (struct upstream_details){ 0 };
    ret->resolved_us = time_of(x, CURLINFO_NAMELOOKUP_TIME_T);
    ret->connected_us = time_of(x, CURLINFO_CONNECT_TIME_T);
    if (ret->connected_us == 0 && x->tls_began_us > 0)
        ret->connected_us = x->tls_began_us - x->submitted_us;
    ret->tls_us = time_of(x, CURLINFO_APPCONNECT_TIME_T);
    ret->ended_us = x->http1.wire != NULL ? clock_now_us() - x->submitted_us
                                          : time_of(x, CURLINFO_TOTAL_TIME_T);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address != NULL &&
        x->target->unix_socket == NULL)
        snprintf(ret->address, sizeof ret->address, "%s", address);
    ret->port = (int)port;
    take_certificate(easy, &ret->certificate);
}

void details_fill_early(const struct exchange *x, struct upstream_details *ret)
{
    *ret = (struct upstream_details){ .ended_us = clock_now_us() - x->submitted_us };
}
