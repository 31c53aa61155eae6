/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/harmless.h"

#include "base/alloc.h"
#include "codec/json/layout.h"
#include "tool/command.h"

#include <unistd.h>

bool harmless_write_json(const struct chain *json)
{
    if (!isatty(STDOUT_FILENO))
        return command_write_chain(json);
    CLEANUP(free_charp) char *text = chain_dup(json);
    CLEANUP(chain_done) struct chain escaped;
    chain_init(&escaped, SIZE_MAX, NULL);
    json_escape_commands((struct str){ text, chain_len(json) }, &escaped);
    return command_write_chain(&escaped);
}
