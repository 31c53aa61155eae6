/* SPDX-License-Identifier: Apache-2.0 */
/* Work on large documents goes in steps, so that it does not hold up a worker's other callers. */
#ifndef RPCGATE_CODEC_STEP_H
#define RPCGATE_CODEC_STEP_H

enum codec_step {
    CODEC_MORE, /* call again */
    CODEC_DONE,
    CODEC_FAILED
};

#endif
