/* SPDX-License-Identifier: Apache-2.0 */
#include "io/gzip.h"

#include "base/alloc.h"

#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

/* What all others have to wait for: XML is small already at the fastest level. */
#define LEVEL Z_BEST_SPEED

/* 15 bits of window, and 16 for gzip's own head and tail. */
#define WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

/* Of a deflated stream that has a head (RFC 1950), and of one that has none (RFC 1951). */
#define DEFLATE_BITS 15
#define BARE_BITS (-15)

/* What is packed or unpacked at once. [bytes] */
#define PIECE ((size_t)16 * 1024)

/* What zlib takes for a stream (zconf.h), and we. [bytes] */
#define GZIP_BYTES ((size_t)(256 + 8) * 1024 + sizeof(struct gzip))

struct gunzip {
    z_stream z;
    bool is_deflate;
    bool began;
    bool ended;
    bool is_full; /* the last piece was as long as it could be */
    char piece[PIECE];
};

struct gzip {
    z_stream z;
    struct chain_cursor cursor;
    const struct chain *from;
    struct budget *budget;
    char piece[PIECE];
};

struct gzip *gzip_new(const struct chain *from, struct budget *budget)
{
    if (!budget_take(budget, GZIP_BYTES))
        return NULL;
    struct gzip *g = xcalloc(1, sizeof *g);
    g->from = from;
    g->budget = budget;
    if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
        Z_OK)
        return g;
    budget_give(budget, GZIP_BYTES);
    free(g);
    return NULL;
}

void gzip_free(struct gzip *g)
{
    if (g == NULL)
        return;
    deflateEnd(&g->z);
    budget_give(g->budget, GZIP_BYTES);
    free(g);
}

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

enum gzip_state gzip_step(struct gzip *g, size_t bytes, struct chain *to)
{
    while (bytes > 0) {
        size_t n = chain_read(g->from, &g->cursor, g->piece, bytes < PIECE ? bytes : PIECE);
        if (n == 0)
            return run(&g->z, Z_FINISH, to) ? GZIP_DONE : GZIP_FAILED;
        g->z.next_in = (const Bytef *)g->piece;
        g->z.avail_in = (uInt)n;
        if (!run(&g->z, Z_NO_FLUSH, to))
            return GZIP_FAILED;
        bytes -= n;
    }
    return GZIP_MORE;
}

struct gunzip *gunzip_new(bool is_deflate)
{
    struct gunzip *g = xcalloc(1, sizeof *g);
    g->is_deflate = is_deflate;
    if (inflateInit2(&g->z, is_deflate ? DEFLATE_BITS : WINDOW_BITS) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void gunzip_free(struct gunzip *g)
{
    if (g == NULL)
        return;
    inflateEnd(&g->z);
    free(g);
}

/* RFC 1950 section 2.2: the first byte of a head says 8 in its lower half. */
static bool begin(struct gunzip *g, char first)
{
    g->began = true;
    if (!g->is_deflate || (first & 0x0f) == Z_DEFLATED)
        return true;
    return inflateReset2(&g->z, BARE_BITS) == Z_OK;
}

/* What servers put behind the end: zeros as gzip(1) allows them, and a script's last line end. */
static void skip_padding(struct str *in)
{
    size_t n = 0;
    while (n < in->len && (in->data[n] == '\0' || in->data[n] == '\r' || in->data[n] == '\n' ||
                           in->data[n] == ' ' || in->data[n] == '\t'))
        n++;
    *in = str_slice(*in, n, in->len);
}

/* RFC 1952 section 2.2: a file may have several members, one behind the other. */
static bool begin_anew(struct gunzip *g)
{
    g->ended = false;
    return !g->is_deflate && inflateReset(&g->z) == Z_OK;
}

bool gunzip_next(struct gunzip *g, struct str *in, struct str *ret_piece)
{
    if (!g->began && in->len > 0 && !begin(g, in->data[0]))
        return false;
    if (g->ended)
        skip_padding(in);
    if (g->ended && in->len > 0 && !begin_anew(g))
        return false;
    g->z.next_in = (const Bytef *)in->data;
    g->z.avail_in = (uInt)in->len;
    g->z.next_out = (Bytef *)g->piece;
    g->z.avail_out = (uInt)PIECE;
    int result = g->ended ? Z_STREAM_END : inflate(&g->z, Z_NO_FLUSH);
    *in = str_slice(*in, in->len - g->z.avail_in, in->len);
    *ret_piece = (struct str){ g->piece, PIECE - g->z.avail_out };
    g->ended = result == Z_STREAM_END;
    g->is_full = g->z.avail_out == 0 && !g->ended;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

bool gunzip_has_more(const struct gunzip *g)
{
    return g->is_full;
}
