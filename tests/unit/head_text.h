/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a request's head of text, for the tests of rules. */
#ifndef RPCGATE_TESTS_HEAD_TEXT_H
#define RPCGATE_TESTS_HEAD_TEXT_H

#include "rules/head.h"

#define HEAD_TEXT_MAX 32

struct head_text {
    struct request_head head;
    struct header headers[HEAD_TEXT_MAX];
};

/* `lines` are `Name: value`, each ended by '\n'; name and value are taken as they stand, but for
 * one space after the colon. They come after those that are there already. */
static inline void head_text_add(struct head_text *t, const char *lines)
{
    struct str rest = str_of(lines);
    while (rest.len > 0 && t->head.n_headers < HEAD_TEXT_MAX) {
        size_t end = str_find(rest, '\n');
        struct str line = str_slice(rest, 0, end);
        size_t colon = str_find(line, ':');
        struct header *h = &t->headers[t->head.n_headers++];
        h->name = str_slice(line, 0, colon);
        h->is = head_name_of(h->name);
        h->value = str_slice(line, colon < line.len ? colon + 1 : colon, line.len);
        if (h->value.len > 0 && h->value.data[0] == ' ')
            h->value = str_slice(h->value, 1, h->value.len);
        rest = str_slice(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    t->head.headers = t->headers;
}

/* A POST over TCP to 127.0.0.1:8080. */
static inline void head_text_init(struct head_text *t, const char *lines)
{
    *t = (struct head_text){
        .head = { .method = STR("POST"),
                  .path = STR("/v1/demo/demo.add"),
                  .head_bytes = 100,
                  .local = { .ip = STR("127.0.0.1"), .port = 8080 } },
    };
    head_text_add(t, lines);
}

#endif
