/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/head.h"

const struct header *head_find(const struct request_head *head, struct str name)
{
    for (size_t i = 0; i < head->n_headers; i++)
        if (str_eq_nocase(head->headers[i].name, name))
            return &head->headers[i];
    return NULL;
}

size_t head_count(const struct request_head *head, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < head->n_headers; i++)
        n += str_eq_nocase(head->headers[i].name, name);
    return n;
}

bool head_content_length(const struct request_head *head, uint64_t *ret)
{
    const struct header *h = head_find(head, STR("Content-Length"));
    return h != NULL && str_to_uint(str_trim(h->value), INT64_MAX, ret);
}

bool head_has_body(const struct request_head *head)
{
    uint64_t length;
    if (head_find(head, STR("Transfer-Encoding")) != NULL)
        return true;
    return head_content_length(head, &length) && length > 0;
}
