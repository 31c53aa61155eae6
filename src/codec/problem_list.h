/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of problem that rpcgate answers, once: the HTTP status, what is known of the call's
 * execution, a title for people, and when it comes. The enum, the documents, the log, the metrics
 * and docs/reference/problems.md are made from this list.
 *
 * X(WORD, name, status, executed, title, when) */
#ifndef RPCGATE_CODEC_PROBLEM_LIST_H
#define RPCGATE_CODEC_PROBLEM_LIST_H

#define PROBLEM_LIST(X)                                                                            \
    X(INVALID_JSON, "invalid-json", 400, NO, "The body is not valid JSON",                         \
      "The request body breaks RFC 8259; `detail` has line and column.")                           \
    X(INVALID_REQUEST, "invalid-request", 400, NO, "The request is not valid",                     \
      "Framing, path, query, a header or a batch item is wrong.")                                  \
    X(UNAUTHENTICATED, "unauthenticated", 401, NO, "Who is calling is not known",                  \
      "Wrong credentials; or none, and no anonymous access.")                                      \
    X(FORBIDDEN, "forbidden", 403, NO, "This is not allowed",                                      \
      "The caller may not use that method, or the page's origin is foreign.")                      \
    X(NOT_FOUND, "not-found", 404, NO, "There is nothing here",                                    \
      "No such upstream or path, or none that the caller may use.")                                \
    X(METHOD_NOT_ALLOWED, "method-not-allowed", 405, NO, "This HTTP method is not for this path",  \
      "`Allow` names those that are.")                                                             \
    X(REQUEST_TIMEOUT, "request-timeout", 408, NO, "The request came too slowly",                  \
      "The caller took longer than `limits.header_time` or `limits.body_time`.")                   \
    X(BODY_TOO_LARGE, "body-too-large", 413, NO, "The body is too large",                          \
      "The request body is over `limits.body`.")                                                   \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, NO,                                   \
      "The body is of a type that is not taken here",                                              \
      "`Content-Type` is not JSON in UTF-8 (to `/xmlrpc`: XML), or there is a "                    \
      "`Content-Encoding`.")                                                                       \
    X(MISDIRECTED, "misdirected", 421, NO, "This host is not served here",                         \
      "`Host` is neither a loopback name, the local address, nor one of `hosts`.")                 \
    X(UNREPRESENTABLE, "unrepresentable", 422, NO, "A value has no XML-RPC form here",             \
      "`pointer` names the value, `detail` the extension or setting that would allow it.")         \
    X(RATE_LIMITED, "rate-limited", 429, NO, "Too many calls",                                     \
      "The caller's `rate` or `max_in_flight` is used up.")                                        \
    X(FAULT, "fault", 500, YES, "The upstream answered with a fault",                              \
      "`fault` has the code and the string that the upstream sent.")                               \
    X(PROTOCOL_ERROR, "protocol-error", 502, UNKNOWN, "The upstream answered with an HTTP error",  \
      "A status other than 200 without a fault in the body; `protocol` has the details.")          \
    X(BAD_RESPONSE, "bad-response", 502, UNKNOWN, "The upstream's answer is not usable XML-RPC",   \
      "HTML, nothing, half a document, a DTD, a wrong encoding or compression.")                   \
    X(RESPONSE_TOO_LARGE, "response-too-large", 502, UNKNOWN,                                      \
      "The upstream's answer is too large",                                                        \
      "Over `limits.response`, `limits.depth` or `limits.memory`.")                                \
    X(CONNECTION_LOST, "connection-lost", 502, UNKNOWN, "The upstream's connection broke",         \
      "It ended before a complete HTTP response.")                                                 \
    X(CONNECT_FAILED, "connect-failed", 502, NO, "The upstream cannot be reached",                 \
      "Its name is not known, or it takes no connection.")                                         \
    X(TLS_FAILED, "tls-failed", 502, NO, "No trusted connection to the upstream",                  \
      "The TLS handshake or the certificate's check failed.")                                      \
    X(LOGIN_FAILED, "login-failed", 502, NO, "The upstream refused our login",                     \
      "A session could not be opened.")                                                            \
    X(CREDENTIALS_REFUSED, "credentials-refused", 502, NO, "The upstream refused our credentials", \
      "A rule of `faults` says so: those that the gateway holds, not the caller's.")               \
    X(TIMEOUT, "timeout", 504, UNKNOWN, "The upstream did not answer in time",                     \
      "`timeouts.total`, or the caller's `X-Rpcgate-Timeout`, ran out.")                           \
    X(OVERLOADED, "overloaded", 503, NO, "There is no room for this call now",                     \
      "A queue or `limits.memory` is full.")                                                       \
    X(CIRCUIT_OPEN, "circuit-open", 503, NO, "The upstream is down and rests",                     \
      "`breaker.failures` calls in a row failed less than `breaker.open` ago.")                    \
    X(DRAINING, "draining", 503, NO, "rpcgate is shutting down", "The service stops or restarts.") \
    X(INTERNAL, "internal", 500, UNKNOWN, "rpcgate failed", "This should not happen.")

#endif
