/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/document.h"

#include "codec/xml/encode.h"
#include "rules/path.h"

/* Nobody else waits for this process. [bytes] */
#define STEP ((size_t)16 * 1024 * 1024)

static bool check_method(struct str method, struct error *err)
{
    if (utf8_valid_prefix(method) < method.len)
        return error_set(err, PROBLEM_INVALID_REQUEST, "The method's name is not UTF-8.");
    return path_check_method_name(method, err);
}

bool document_write(const struct document_call *call, struct chain *to, struct error *err)
{
    enum codec_step step;
    if (!check_method(str_of(call->method), err))
        return false;
    struct encoder *e = encoder_new(NULL);
    encoder_begin(e,
                  &(struct encode_input){ .kind = ENCODE_CALL,
                                          .method = str_of(call->method),
                                          .json = call->params,
                                          .options = call->options },
                  to);
    do
        step = encoder_step(e, STEP, err);
    while (step == CODEC_MORE);
    encoder_free(e);
    return step == CODEC_DONE;
}
