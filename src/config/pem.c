/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pem.h"

static const struct str begin_mark = { "-----BEGIN ", 11 };
static const struct str end_mark = { "-----END ", 9 };
static const struct str dashes = { "-----", 5 };

static struct str next_line(struct str *text)
{
    size_t end = str_find(*text, '\n');
    struct str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end < text->len ? end + 1 : end, text->len);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return str_trim(line);
}

/* `-----BEGIN LABEL-----` */
static bool take_label(struct str line, struct str mark, struct str *ret)
{
    if (!str_starts_with(line, mark) || line.len < mark.len + dashes.len ||
        !str_eq(str_slice(line, line.len - dashes.len, line.len), dashes))
        return false;
    *ret = str_slice(line, mark.len, line.len - dashes.len);
    return true;
}

static bool is_base64(struct str line)
{
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' ||
                  c == '/' || c == '=';
        if (!ok)
            return false;
    }
    return true;
}

static bool ends_with(struct str s, struct str end)
{
    return s.len >= end.len && str_eq(str_slice(s, s.len - end.len, s.len), end);
}

static void count(struct str label, bool encrypted, struct pem_content *ret)
{
    if (str_eq_c(label, "CERTIFICATE") || str_eq_c(label, "TRUSTED CERTIFICATE"))
        ret->n_certificates++;
    if (!ends_with(label, STR("PRIVATE KEY")))
        return;
    ret->n_keys++;
    ret->encrypted |= encrypted || str_starts_with(label, STR("ENCRYPTED"));
}

/* From behind the BEGIN line to the END line. False: there is no such, or not Base64 between. */
static bool take_block(struct str *text, struct str label, struct pem_content *ret)
{
    struct str end;
    bool encrypted = false, any = false;
    while (text->len > 0) {
        struct str line = next_line(text);
        if (take_label(line, end_mark, &end)) {
            count(label, encrypted, ret);
            return any && str_eq(end, label);
        }
        /* RFC 1421 section 4.6: headers of an encrypted key in the old form. */
        if (str_find(line, ':') < line.len) {
            encrypted |=
                str_starts_with(line, STR("Proc-Type")) && ends_with(line, STR("ENCRYPTED"));
            continue;
        }
        if (!is_base64(line))
            return false;
        any |= line.len > 0;
    }
    return false;
}

bool pem_look(struct str text, struct pem_content *ret, struct buf *why)
{
    *ret = (struct pem_content){ 0 };
    while (text.len > 0) {
        struct str label;
        if (!take_label(next_line(&text), begin_mark, &label))
            continue;
        if (!take_block(&text, label, ret)) {
            buf_append_c(why, "is damaged: what stands between a BEGIN and an END line is not PEM");
            return false;
        }
    }
    return true;
}
