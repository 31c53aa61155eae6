/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/head.h"

#include "base/macros.h"

enum header_name head_name_of(struct str name)
{
    static const struct str names[] = { [HEADER_OTHER] = { NULL, 0 },
#define X(word, name) [HEADER_##word] = { name, sizeof(name) - 1 },
                                        HEADER_LIST(X)
#undef X
    };
    for (size_t i = HEADER_OTHER + 1; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, names[i]))
            return (enum header_name)i;
    return HEADER_OTHER;
}

const struct header *head_find(const struct request_head *head, enum header_name name)
{
    for (size_t i = 0; i < head->n_headers; i++)
        if (head->headers[i].is == name)
            return &head->headers[i];
    return NULL;
}

size_t head_count(const struct request_head *head, enum header_name name)
{
    size_t n = 0;
    for (size_t i = 0; i < head->n_headers; i++)
        n += head->headers[i].is == name;
    return n;
}

/* RFC 9110 section 4.2: no other scheme leads to a server of HTTP. */
static size_t scheme_prefix(struct str target)
{
    static const struct str schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts_with_nocase(target, schemes[i]))
            return schemes[i].len;
    return 0;
}

void head_split_target(struct request_head *head)
{
    size_t begin = scheme_prefix(head->path);
    head->authority = (struct str){ NULL, 0 };
    if (begin == 0)
        return;
    struct str rest = str_slice(head->path, begin, head->path.len);
    size_t end = str_find(rest, '/');
    head->authority = str_slice(rest, 0, end);
    head->path = str_slice(rest, end, rest.len);
    if (head->path.len > 0)
        return;
    /* RFC 9112 section 3.2.4: `OPTIONS http://host` is what a proxy makes `OPTIONS *` of. */
    bool about_server = str_eq(head->method, STR("OPTIONS")) && head->query.data == NULL;
    head->path = about_server ? STR("*") : STR("/");
}

bool head_is_about_server(const struct request_head *head)
{
    return str_eq(head->method, STR("OPTIONS")) && str_eq(head->path, STR("*"));
}

struct str head_host(const struct request_head *head)
{
    const struct header *h = head_find(head, HEADER_HOST);
    if (head->authority.data != NULL)
        return head->authority;
    return h != NULL ? str_trim(h->value) : (struct str){ NULL, 0 };
}

bool head_content_length(const struct request_head *head, uint64_t *ret)
{
    const struct header *h = head_find(head, HEADER_CONTENT_LENGTH);
    return h != NULL && str_to_uint(str_trim(h->value), INT64_MAX, ret);
}

bool head_has_body(const struct request_head *head)
{
    uint64_t length;
    if (head_find(head, HEADER_TRANSFER_ENCODING) != NULL)
        return true;
    return head_content_length(head, &length) && length > 0;
}
