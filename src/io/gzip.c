/* SPDX-License-Identifier: Apache-2.0 */
#include "io/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

/* What all others have to wait for: XML is small already at the fastest level. */
#define LEVEL Z_BEST_SPEED

/* 15 bits of window, and 16 for gzip's own head and tail. */
#define WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

/* Feeds what `z` has as input; with Z_FINISH to the end. */
static bool run(z_stream *z, int flush, struct chain *to)
{
    int result;
    do {
        z->next_out = (Bytef *)chain_reserve(to, CHAIN_RESERVE_MAX);
        z->avail_out = (uInt)CHAIN_RESERVE_MAX;
        result = deflate(z, flush);
        chain_commit(to, CHAIN_RESERVE_MAX - z->avail_out);
        if (result == Z_STREAM_ERROR || chain_state(to) != CHAIN_OK)
            return false;
    } while (z->avail_out == 0 && result != Z_STREAM_END);
    return flush != Z_FINISH || result == Z_STREAM_END;
}

bool gzip_chain(const struct chain *from, struct chain *to)
{
    z_stream z = { 0 };
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    bool ok = true;
    for (const struct chain_block *b = from->first; b != NULL && ok; b = b->next) {
        z.next_in = (const Bytef *)b->data;
        z.avail_in = (uInt)b->len;
        ok = run(&z, Z_NO_FLUSH, to);
    }
    ok = ok && run(&z, Z_FINISH, to);
    deflateEnd(&z);
    return ok;
}
