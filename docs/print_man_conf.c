/* SPDX-License-Identifier: Apache-2.0 */
/* rpcgate.conf(5): the reference of the configuration as a man page. */
#include "print_man.h"

#include "config/config.h"
#include "roff.h"

#include <stdint.h>

void print_man_conf(struct buf *to)
{
    struct buf reference;
    buf_init(&reference, SIZE_MAX - 1, NULL);
    config_print_reference(&reference);
    buf_append_c(to, ".TH rpcgate.conf 5 \"\" \"rpcgate\"\n"
                     ".SH NAME\nrpcgate.conf \\- configuration of rpcgated(8)\n"
                     ".SH SYNOPSIS\n" RPCGATE_SYSCONFDIR "/rpcgate/rpcgate.conf\n"
                     ".SH DESCRIPTION\n");
    roff_markdown(to, buf_str(&reference));
    buf_append_c(to, ".SH \"SEE ALSO\"\n\\fBrpcgated\\fR(8), \\fBrpcgate\\fR(1), "
                     "\\fBsystemd.exec\\fR(5) for LoadCredential=\n");
    buf_done(&reference);
}
