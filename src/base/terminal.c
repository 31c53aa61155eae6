/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"

#include "base/macros.h"

#include <stdbool.h>

/* Beyond ASCII. */
static const struct {
    uint32_t first, last;
} commands[] = {
    { 0x80, 0x9F },       /* C1 */
    { 0x061C, 0x061C },   /* ARABIC LETTER MARK */
    { 0x200E, 0x200F },   /* marks of direction */
    { 0x2028, 0x202E },   /* separators of lines, embeddings and overrides of direction */
    { 0x2066, 0x206F },   /* isolates, and what is deprecated of the kind */
    { 0xFEFF, 0xFEFF },   /* byte order mark */
    { 0xFFF9, 0xFFFB },   /* interlinear annotations */
    { 0xE0000, 0xE007F }, /* tags */
};

static uint32_t code_point(const unsigned char *at, size_t len)
{
    static const unsigned char masks[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t c = at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (at[i] & 0x3FU);
    return c;
}

size_t terminal_command(struct str text, uint32_t *ret)
{
    const unsigned char *at = (const unsigned char *)text.data;
    if (text.len == 0)
        return 0;
    if (at[0] < 0x80) {
        *ret = at[0];
        return (at[0] < 0x20 && at[0] != '\n' && at[0] != '\t') || at[0] == 0x7F;
    }
    size_t len = utf8_sequence(at, text.len);
    if (len == 0)
        return 1;
    *ret = code_point(at, len);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (*ret >= commands[i].first && *ret <= commands[i].last)
            return len;
    return 0;
}

void terminal_clean(struct buf *to, struct str text, bool lines)
{
    uint32_t ignored;
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_slice(text, i, text.len);
        size_t len = terminal_command(rest, &ignored);
        bool blank = text.data[i] == '\n' || text.data[i] == '\t';
        if (len > 0 || (blank && !lines)) {
            buf_append_byte(to, '?');
            i += len > 0 ? len : 1;
        } else {
            len = utf8_sequence((const unsigned char *)rest.data, rest.len);
            buf_append(to, str_slice(rest, 0, len));
            i += len;
        }
    }
}
