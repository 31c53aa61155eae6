/* SPDX-License-Identifier: Apache-2.0 */
/* The part of option_list.h that is about what is added to calls, sessions, and results that are
 * failures; its rows are as there. */
#ifndef RPCGATE_SETTINGS_SESSION_LIST_H
#define RPCGATE_SETTINGS_SESSION_LIST_H

/* upstreams.NAME.inject = ( { … }, … ) */
#define INJECT_RULE_OPTIONS(X)                                                                     \
    X(match, match, NULL, "\"account.*\"", NULL, NULL, LIVE,                                       \
      "The methods that it is for. Without it: all.")                                              \
    X(count, at, NULL, "1", "-1", "10000", LIVE,                                                   \
      "Where `params` go: before that param of the caller's, -1: behind all. Without it: 0.")      \
    X(values, params, NULL, "\"{session}\"", NULL, NULL, LIVE, "Params that are inserted there.")  \
    X(count, in, NULL, "1", "0", "10000", LIVE,                                                    \
      "The param, as the caller counts, whose members `member` sets; it must be a struct. "        \
      "Without it: 0.")                                                                            \
    X(members, member, NULL, "token = \"{session}\"; ", NULL, NULL, LIVE,                          \
      "Members that are set in it; where there is no such param it is made. What the caller "      \
      "sends "                                                                                     \
      "under such a name is refused.")                                                             \
    X(header_templates, headers, NULL, "\"X-Session: {session}\"", NULL, NULL, LIVE,               \
      "`Name: value` lines that are sent with such calls.")                                        \
    X(flag, cookies, "false", NULL, NULL, NULL, LIVE,                                              \
      "Sends the cookies that the login has brought.")                                             \
    X(path_template, path, NULL, "/object", NULL, NULL, LIVE,                                      \
      "What is appended to the path of `url`, with one `/` between.")

/* upstreams.NAME.session = { … } */
#define SESSION_OPTIONS(X)                                                                         \
    X(duration, idle, NULL, "50m", "1s", "720h", LIVE,                                             \
      "After so long without a call a new login is made first. Without it: any time.")             \
    X(duration, max_age, NULL, "23h", "1s", "720h", LIVE,                                          \
      "A session of this age is replaced by a new login. Without it: at any age it is used.")      \
    X(count, parallel, "1", NULL, "1", "1000", LIVE, "Most sessions at once.")                     \
    X(flag, serial, "false", NULL, NULL, NULL, LIVE,                                               \
      "One call at a time with each session, for servers that count requests.")                    \
    X(flag, exclusive, "false", NULL, NULL, NULL, LIVE,                                            \
      "The server has room for one session: the old one is logged out before a new login.")        \
    X(duration, settle, "30s", NULL, "0s", "24h", LIVE,                                            \
      "A younger session is not renewed: what looks like its end is the answer.")                  \
    X(duration, retry, "5s", NULL, "100ms", "10m", LIVE,                                           \
      "After a refused login nobody tries again for so long, then twice as long, up to 10 "        \
      "minutes. After a failure of another kind that the server may have seen the next call "      \
      "tries at once; from the second in a row on there are such pauses, up to a minute.")

#define SESSION_GROUPS(G)                                                                          \
    G(login, login, "How a session begins; required.")                                             \
    G(logout, logout, "The call that ends it. Without it: it is left to the server.")              \
    G(keepalive, keepalive, "A call that keeps it alive while nobody else uses it.")

/* upstreams.NAME.session.login = { … } */
#define LOGIN_OPTIONS(X)                                                                           \
    X(text, method, NULL, "auth.login", NULL, NULL, LIVE,                                          \
      "The method that logs in; this or `form` must be set.")                                      \
    X(values, params, NULL, "\"{username}\", \"{password}\"", NULL, NULL, LIVE, "Its params.")     \
    X(path_template, path, NULL, "/common", NULL, NULL, LIVE,                                      \
      "What is appended to the path of `url`, with one `/` between.")                              \
    X(header_templates, headers, NULL, "\"Referer: https://srv.example/\"", NULL, NULL, LIVE,      \
      "`Name: value` lines that are sent with it.")                                                \
    X(fields, form, NULL, "user = \"{username}\"; password = \"{password}\"; ", NULL, NULL, LIVE,  \
      "In place of a call: the fields of a form (`application/x-www-form-urlencoded`).")           \
    X(pointer_names, keep, NULL, "key = \"/key\"; ", NULL, NULL, LIVE,                             \
      "Parts of the result that templates may name, beside `{session}`, the whole.")

#define LOGIN_GROUPS(G) G(value_test, good, "What the result of a login that went well is.")

/* upstreams.NAME.session.logout = { … } */
#define LOGOUT_OPTIONS(X)                                                                          \
    X(text, method, NULL, "auth.logout", NULL, NULL, LIVE, "The method; required.")                \
    X(values, params, NULL, "\"{session}\"", NULL, NULL, LIVE, "Its params.")                      \
    X(path_template, path, NULL, "/common", NULL, NULL, LIVE,                                      \
      "What is appended to the path of `url`, with one `/` between.")                              \
    X(header_templates, headers, NULL, "\"X-Session: {session}\"", NULL, NULL, LIVE,               \
      "`Name: value` lines that are sent with it.")

/* upstreams.NAME.session.keepalive = { … } */
#define KEEPALIVE_OPTIONS(X)                                                                       \
    X(duration, every, NULL, "5m", "1s", "24h", LIVE, "How often; required.")                      \
    LOGOUT_OPTIONS(X)

/* upstreams.NAME.envelope = ( { … }, … ) */
#define ENVELOPE_RULE_OPTIONS(X)                                                                   \
    X(match, match, NULL, "\"one.*\"", NULL, NULL, LIVE,                                           \
      "The methods that it is for. Without it: all.")                                              \
    X(pointer, value, NULL, "/1", NULL, NULL, LIVE,                                                \
      "Where the caller's result is; `\"\"`: the whole. Without it: the result is null.")          \
    X(pointer, code, NULL, "/2", NULL, NULL, LIVE, "Where a failure's code is. Without it: 0.")    \
    X(pointer, text, NULL, "/1", NULL, NULL, LIVE,                                                 \
      "Where a failure's text is. Without it: there is none.")

#define ENVELOPE_RULE_GROUPS(G)                                                                    \
    G(value_test, good, "What a result that is no failure is; this or `bad` must be set.")         \
    G(value_test, bad, "What a failure is.")

/* A test of a value: upstreams.NAME.envelope = ( { good = { … } }, … ) */
#define VALUE_TEST_OPTIONS(X)                                                                      \
    X(pointer, at, NULL, "/Status", NULL, NULL, LIVE,                                              \
      "Which part of the result is looked at. Without it: the whole.")                             \
    X(scalar, is, NULL, "Success", NULL, NULL, LIVE, "It is this.")                                \
    X(number, from, NULL, "1", NULL, NULL, LIVE, "It is a number, and at least this.")             \
    X(number, to, NULL, "99", NULL, NULL, LIVE, "It is a number, and at most this.")               \
    X(match, text, NULL, "\"OK*\"", NULL, NULL, LIVE,                                              \
      "It is a text that this matches; white space at its ends does not count.")                   \
    X(pointers, has, NULL, "\"/code\", \"/error\"", NULL, NULL, LIVE, "It has all of these parts.")

#endif
