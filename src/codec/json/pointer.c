/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/pointer.h"

void json_pointer_add_name(struct buf *pointer, struct str name)
{
    buf_append_byte(pointer, '/');
    for (size_t i = 0; i < name.len; i++) { /* RFC 6901 section 3 */
        if (name.data[i] == '~')
            buf_append_c(pointer, "~0");
        else if (name.data[i] == '/')
            buf_append_c(pointer, "~1");
        else
            buf_append_byte(pointer, name.data[i]);
    }
}

void json_pointer_add_index(struct buf *pointer, size_t index)
{
    buf_printf(pointer, "/%zu", index);
}
