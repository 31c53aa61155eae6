/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of faults that mean the same at many servers: "Specification for Fault Code
 * Interoperability", version 20010516, of xmlrpc-epi. */
#ifndef RPCGATE_CODEC_INTEROP_H
#define RPCGATE_CODEC_INTEROP_H

enum interop_code {
    INTEROP_NOT_XML = -32700,
    INTEROP_BAD_ENCODING = -32701,
    INTEROP_BAD_CHARACTER = -32702,
    INTEROP_NO_CALL = -32600, /* it is XML, but none of XML-RPC */
    INTEROP_NO_METHOD = -32601,
    INTEROP_BAD_PARAMS = -32602,
    INTEROP_INTERNAL = -32603,
    INTEROP_TRANSPORT = -32300,

    /* It leaves -32099 to -32000 to implementations: these are ours. */
    INTEROP_RATE_LIMITED = -32099,
    INTEROP_OVERLOADED = -32098,
    INTEROP_CIRCUIT_OPEN = -32097,
    INTEROP_DRAINING = -32096
};

#endif
