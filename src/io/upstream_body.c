/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_body.h"

/* Of a chunk's size: more do not fit into 64 bits with a bit to spare. */
#define DIGITS_MAX 15

/* Behind the size of one chunk. [bytes] */
#define EXTENSION_MAX ((size_t)4096)

void body_start(struct body *b, const struct response_head *head)
{
    *b = (struct body){ .kind = BODY_TO_THE_END, .state = BODY_IN_CONTENT };
    if (head->status == 204 || head->status == 304 || head->status == 101) {
        b->kind = BODY_NONE;
    } else if (head->is_chunked) {
        b->kind = BODY_CHUNKS;
        b->state = BODY_IN_SIZE;
    } else if (head->has_length) {
        b->kind = BODY_LENGTH;
        b->left = head->length;
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool refuse(struct body *b, const char *why)
{
    b->fault = why;
    return false;
}

static bool end_size(struct body *b)
{
    b->state = b->left > 0 ? BODY_IN_CONTENT : BODY_IN_TRAILERS;
    b->has_cr = false;
    return true;
}

static bool take_size(struct body *b, char c)
{
    int digit = digit_of(c);
    if (digit >= 0) {
        b->left = b->left << 4 | (uint64_t)digit;
        return ++b->n_digits <= DIGITS_MAX || refuse(b, "the size of a chunk is too large");
    }
    if (b->n_digits == 0)
        return refuse(b, "a chunk has no hexadecimal size");
    if (c == '\n')
        return end_size(b);
    b->state = BODY_IN_EXTENSION;
    b->n_extension = 0;
    b->has_extension = c == ';';
    b->has_cr = c == '\r';
    return b->has_cr || c == ';' || c == ' ' || c == '\t' ||
           refuse(b, "the size of a chunk is no number");
}

static bool take_extension(struct body *b, char c)
{
    if (c == '\n')
        return end_size(b);
    if (b->has_cr)
        return refuse(b, "a CR stands alone behind the size of a chunk");
    b->has_cr = c == '\r';
    if (!b->has_extension && !b->has_cr && c != ';' && c != ' ' && c != '\t')
        return refuse(b, "the size of a chunk is no number");
    b->has_extension |= c == ';';
    return ++b->n_extension <= EXTENSION_MAX ||
           refuse(b, "too much stands behind the size of a chunk");
}

static bool take_line_end(struct body *b, char c)
{
    if (c == '\r' && !b->has_cr) {
        b->has_cr = true;
        return true;
    }
    if (c != '\n')
        return refuse(b, "a chunk does not end where its size says");
    b->state = BODY_IN_SIZE;
    b->n_digits = 0;
    b->left = 0;
    return true;
}

static bool take_framing(struct body *b, char c)
{
    if (b->state == BODY_IN_SIZE)
        return take_size(b, c);
    return b->state == BODY_IN_EXTENSION ? take_extension(b, c) : take_line_end(b, c);
}

static enum body_step next_chunk(struct body *b, struct str *in, struct str *ret)
{
    while (in->len > 0 && b->state != BODY_IN_CONTENT && b->state != BODY_IN_TRAILERS) {
        if (!take_framing(b, in->data[0]))
            return BODY_BAD;
        *in = str_slice(*in, 1, in->len);
    }
    if (b->state == BODY_IN_TRAILERS)
        return BODY_TRAILERS;
    *ret = str_slice(*in, 0, b->left < in->len ? (size_t)b->left : in->len);
    return in->len > 0 ? BODY_CONTENT : BODY_MORE;
}

enum body_step body_next(struct body *b, struct str *in, struct str *ret)
{
    switch (b->kind) {
    case BODY_NONE:
        return BODY_END;
    case BODY_CHUNKS:
        return b->fault != NULL ? BODY_BAD : next_chunk(b, in, ret);
    case BODY_LENGTH:
        if (b->left == 0)
            return BODY_END;
        *ret = str_slice(*in, 0, b->left < in->len ? (size_t)b->left : in->len);
        break;
    case BODY_TO_THE_END:
        *ret = *in;
        break;
    }
    return in->len > 0 ? BODY_CONTENT : BODY_MORE;
}

void body_take(struct body *b, struct str *in, size_t bytes)
{
    *in = str_slice(*in, bytes, in->len);
    if (b->kind == BODY_TO_THE_END)
        return;
    b->left -= bytes;
    if (b->kind == BODY_CHUNKS && b->left == 0)
        b->state = BODY_BEHIND_CHUNK;
}
