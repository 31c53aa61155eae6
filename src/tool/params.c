/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/params.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "codec/json/scan.h"
#include "codec/json/write.h"
#include "codec/options.h"
#include "rules/path.h"
#include "tool/input.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Most of a word in a message. [bytes] */
#define SHOWN_MAX 60

static int read_input(struct buf *to)
{
    struct input in;
    if (!input_open(&in, NULL))
        return EX_NOINPUT;
    bool good = input_all(&in, to);
    input_close(&in);
    return good ? EX_OK : EX_NOINPUT;
}

static struct str shown(struct str word)
{
    struct str cut = str_slice(word, 0, word.len < SHOWN_MAX ? word.len : SHOWN_MAX);
    return str_slice(cut, 0, utf8_valid_prefix(cut));
}

static void append_string(struct str word, struct buf *to)
{
    struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    json_write_string(&text, word);
    char *copy = chain_dup(&text);
    buf_append_c(to, copy);
    free_charp(&copy);
    chain_done(&text);
}

static bool take_string(size_t i, struct str word, struct buf *to)
{
    if (utf8_valid_prefix(word) < word.len) {
        fprintf(stderr, "rpcgate: PARAM %zu is not UTF-8\n", i + 1);
        return false;
    }
    append_string(word, to);
    return true;
}

/* Alone it must be JSON: `1,2` would be two params. */
static bool take_json(size_t i, struct str word, struct buf *to)
{
    struct error err;
    if (json_scan_all(word, CODEC_DEPTH_MAX, &err)) {
        buf_append(to, word);
        return true;
    }
    fprintf(stderr, "rpcgate: PARAM %zu is no JSON value: %.*s\n  %s\n", i + 1,
            STR_ARGS(shown(word)), err.detail);
    if (str_eq_c(word, "-"))
        fputs("  To read the params from standard input, - must be the only PARAM.\n", stderr);
    else
        fputs("  A string stands in quotes, which the shell must leave: '\"text\"'. With -s each "
              "PARAM is\n  a string as it stands.\n",
              stderr);
    return false;
}

int params_from_words(const struct params_words *params, struct buf *to)
{
    char **words = params->words;
    if (!params->strings && words[0] != NULL && strcmp(words[0], "-") == 0 && words[1] == NULL)
        return read_input(to);
    buf_append_byte(to, '[');
    for (size_t i = 0; words[i] != NULL; i++) {
        struct str word = str_of(words[i]);
        if (i > 0)
            buf_append_byte(to, ',');
        if (!(params->strings ? take_string : take_json)(i, word, to))
            return EX_DATAERR;
    }
    buf_append_byte(to, ']');
    return EX_OK;
}

bool params_check_method(struct str method, struct error *err)
{
    if (utf8_valid_prefix(method) < method.len)
        return error_set(err, PROBLEM_INVALID_REQUEST, "The method's name is not UTF-8.");
    return path_check_method_name(method, err);
}
