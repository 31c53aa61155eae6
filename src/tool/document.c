/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/document.h"

#include "codec/encode.h"

/* Nobody else waits for this process. [bytes] */
#define STEP ((size_t)16 * 1024 * 1024)

bool document_write(const struct document_call *call, struct chain *to, struct error *err)
{
    struct encoder *e = encoder_new(NULL);
    enum codec_step step;
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
