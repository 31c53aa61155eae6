/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate profiles`: the profiles that are built in. */
#include "config/profiles.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "tool/command.h"

#include <stdint.h>
#include <sysexits.h>

enum { HELP };

static const struct command_option options[] = {
    [HELP] = { 'h', "help", NULL, "print this" },
};

const struct command_info command_profiles_info = {
    .usage = "rpcgate profiles [NAME]",
    .about = "Lists the profiles that are built in: what each kind of server wants to know of its\n"
             "callers, and how it refuses. With a name: that profile, with comments on what it is\n"
             "for, which url to write and what the account needs, as it can be pasted into\n"
             "`profiles = { … };` of a configuration and changed.",
    .examples = "  rpcgate profiles\n"
                "  rpcgate profiles odoo\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
};

static bool apply(void *context UNUSED, size_t row UNUSED, const char *argument UNUSED)
{
    return true;
}

static bool list(void)
{
    CLEANUP(buf_done) struct buf lines;
    buf_init(&lines, SIZE_MAX - 1, NULL);
    for (size_t i = 0; i < n_profile_texts; i++) {
        struct str title = profile_title(&profile_texts[i]);
        buf_printf(&lines, "%-15s %.*s\n", profile_texts[i].name, STR_ARGS(title));
    }
    return command_write(buf_str(&lines));
}

int command_no_profile(const char *command, const char *name)
{
    const char *names[256];
    for (size_t i = 0; i < n_profile_texts && i < ARRAY_LEN(names); i++)
        names[i] = profile_texts[i].name;
    const char *nearest = nearest_name(name, names, n_profile_texts);
    return command_misuse(command, "there is no profile \"%s\"%s%s%s", name,
                          nearest != NULL ? "; did you mean \"" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

int command_profiles(int argc, char **argv)
{
    int operand = command_options(argc, argv, &command_profiles_info, apply, NULL);
    if (operand <= 0)
        return operand == 0 ? EX_OK : EX_USAGE;
    if (argc > operand + 1)
        return command_misuse("profiles", "it takes one name");
    if (argc == operand)
        return list() ? EX_OK : EX_IOERR;
    const struct profile_text *profile = profile_find(str_of(argv[operand]));
    if (profile == NULL)
        return command_no_profile("profiles", argv[operand]);
    return command_write(str_of(profile->text)) ? EX_OK : EX_IOERR;
}
