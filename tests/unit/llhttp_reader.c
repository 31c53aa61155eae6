/* SPDX-License-Identifier: Apache-2.0 */
#include "llhttp_reader.h"

#include "base/macros.h"

#ifdef HAVE_LLHTTP
#include <llhttp.h>
#include <stdint.h>

struct reader {
    llhttp_t parser;
    struct llhttp_reading *reading;
};

static int on_body(llhttp_t *parser, const char *bytes, size_t len)
{
    struct reader *r = CONTAINER_OF(parser, struct reader, parser);
    buf_append(&r->reading->body, (struct str){ bytes, len });
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct reader *r = CONTAINER_OF(parser, struct reader, parser);
    r->reading->status = parser->status_code;
    return parser->status_code >= 200 ? HPE_PAUSED : HPE_OK; /* what follows is not asked */
}

bool llhttp_read(struct str answer, struct llhttp_reading *ret)
{
    llhttp_settings_t settings;
    struct reader r = { .reading = ret };
    llhttp_settings_init(&settings);
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    llhttp_init(&r.parser, HTTP_RESPONSE, &settings);
    llhttp_set_lenient_optional_cr_before_lf(&r.parser, 1);
    ret->status = 0;
    buf_clear(&ret->body);
    llhttp_errno_t result = llhttp_execute(&r.parser, answer.data, answer.len);
    if (result == HPE_OK)
        result = llhttp_finish(&r.parser);
    ret->is_good = (result == HPE_OK || result == HPE_PAUSED) && ret->status >= 200;
    ret->why = llhttp_get_error_reason(&r.parser);
    return true;
}
#else
bool llhttp_read(struct str answer UNUSED, struct llhttp_reading *ret UNUSED)
{
    return false;
}
#endif
