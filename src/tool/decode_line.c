/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/decode_line.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "codec/json/cursor.h"
#include "codec/json/scan.h"
#include "codec/value/base64.h"

#include <stdint.h>
#include <string.h>

/* The line is an object of one string: nesting beyond that is a mistake anyway. */
#define DEPTH 8

static bool misshapen(struct error *err)
{
    return error_set(err, PROBLEM_INVALID_JSON,
                     "Each line is {\"xml\": \"…\"} or {\"base64\": \"…\"}.");
}

static unsigned digit_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return (unsigned)(strchr(digits, c) - digits);
}

/* Bytes of base64 that is known to be valid, standard and in one line (RFC 4648 section 4). */
static void append_bytes(struct str digits, struct buf *to)
{
    unsigned bits = 0, n_bits = 0;
    for (size_t i = 0; i < digits.len && digits.data[i] != '='; i++) {
        bits = (bits << 6 | digit_value(digits.data[i])) & 0xFFFFU;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            buf_append_byte(to, (char)(unsigned char)(bits >> n_bits));
        }
    }
}

static bool decode_base64(struct str text, struct buf *to)
{
    struct base64 copy;
    struct chain standard;
    chain_init(&standard, SIZE_MAX, NULL);
    base64_begin(&copy, &standard, 0);
    bool good = base64_copy(&copy, text) && base64_copy_end(&copy);
    if (good) {
        char *digits = chain_dup(&standard);
        append_bytes(str_of(digits), to);
        free_charp(&digits);
    }
    chain_done(&standard);
    return good;
}

bool decode_line_document(struct str line, struct buf *to, struct error *err)
{
    struct str name, value, other;
    if (!json_scan_all(line, DEPTH, err))
        return false;
    line = json_trim(line);
    if (line.len == 0 || line.data[0] != '{')
        return misshapen(err);
    struct json_cursor members = json_enter(line);
    if (!json_next(&members, &name, &value) || value.data[0] != '"' ||
        json_next(&members, NULL, &other))
        return misshapen(err);
    if (str_eq(name, STR("\"xml\""))) {
        json_unquote(value, to);
        return true;
    }
    if (!str_eq(name, STR("\"base64\"")))
        return misshapen(err);
    if (decode_base64(str_slice(value, 1, value.len - 1), to))
        return true;
    return error_set(err, PROBLEM_INVALID_JSON, "The member base64 does not hold base64.");
}
