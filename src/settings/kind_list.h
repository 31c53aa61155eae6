/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of settings there are; option_list.h has the settings. */
#ifndef RPCGATE_SETTINGS_KIND_LIST_H
#define RPCGATE_SETTINGS_KIND_LIST_H

/* Kinds: K(kind, form, "name for users", "how it is written"). The form says what it becomes: a
 * NUMBER (enum values and flags too), a TEXT, TEXTS, WORDS, which are a set of bits, a CODE, which
 * is a number or a glob, NAMED texts, or SHAPES, which are a tree. */
#define KIND_LIST(K)                                                                               \
    K(flag, NUMBER, "flag", "`true` or `false`")                                                   \
    K(count, NUMBER, "number", "a plain number, such as `64`")                                     \
    K(size, NUMBER, "size", "a string of bytes, with K, M, G or T for powers of 1024: `\"64K\"`")  \
    K(duration, NUMBER, "duration",                                                                \
      "a string with one of the units ms, s, m and h: `\"250ms\"`, `\"30s\"`, `\"10m\"`")          \
    K(mode, NUMBER, "mode", "a file mode as an octal string, such as `\"0660\"`")                  \
    K(text, TEXT, "string", "a string without control characters")                                 \
    K(path, TEXT, "file name",                                                                     \
      "the name of a file or folder; a relative one is seen from the main file's folder")          \
    K(problem, TEXT, "problem type", "`a-name` of lower-case letters, digits and `-`, or a URI")   \
    K(pin, TEXT, "public key",                                                                     \
      "`sha256//` and the Base64 of a key's SHA-256; several with `;` between them")               \
    K(fault_code, CODE, "fault code",                                                              \
      "an integer, or a string with a glob over codes that are strings")                           \
    K(secret, TEXT, "secret", "a string that is never shown")                                      \
    K(url, TEXT, "URL", "a string with a URL")                                                     \
    K(proxy_url, TEXT, "URL", "a string with a URL")                                               \
    K(urls, TEXTS, "list of URLs", "a list of URLs: `[ \"http://a/RPC2\", \"http://b/RPC2\" ]`")   \
    K(address, TEXT, "address", "an IPv4 or IPv6 address, such as `\"127.0.0.1\"` or `\"::1\"`")   \
    K(socket_path, TEXT, "path", "the absolute path of a unix socket, of at most 107 bytes")       \
    K(zone, TEXT, "time zone",                                                                     \
      "`\"UTC\"`, an offset such as `\"+02:00\"`, or a name of the system's zone database")        \
    K(encoding, TEXT, "encoding", "the name of an encoding, such as `\"UTF-8\"`")                  \
    K(decoding, TEXT, "encoding", "the name of an encoding, such as `\"ISO-8859-1\"`")             \
    K(auth_text, TEXT, "string", "a string without control characters")                            \
    K(auth_secret, TEXT, "secret", "a string that is never shown")                                 \
    K(own_headers, TEXTS, "list of headers", "a list of header lines: `[ \"X-Tenant: blue\" ]`")   \
    K(host_names, TEXTS, "list of host names",                                                     \
      "a list of host names without a port: `[ \"gw.internal\" ]`")                                \
    K(no_proxy, TEXTS, "list of hosts",                                                            \
      "a list of host names, each with its subdomains, addresses, networks: `[ \"10.0.0.0/8\" ]`") \
    K(headers, TEXTS, "list of headers", "a list of header lines: `[ \"X-Tenant: blue\" ]`")       \
    K(origins, TEXTS, "list of origins",                                                           \
      "a list of `scheme://host`, with `:port` where it is not the scheme's: "                     \
      "`[ \"https://app.example\" ]`")                                                             \
    K(name, TEXT, "name", "a letter, then up to 63 letters, digits, `_` and `-`")                  \
    K(call_glob, TEXT, "glob",                                                                     \
      "a glob over `upstream/method`, such as `\"demo/*\"`, or `@` with one over names of routes") \
    K(globs, TEXTS, "list of globs", "a list of globs: `[ \"read\", \"search_*\" ]`")              \
    K(match, TEXTS, "glob or globs",                                                               \
      "a glob, or a list of globs of which one must match: `\"read_*\"`, `[ \"read\", \"get\" ]`") \
    K(pause, NUMBER, "duration or `<n>`",                                                          \
      "a duration, or `\"<n>\"`: the seconds that `<n>` in `text` stands for")                     \
    K(number, TEXT, "any number", "a number, with a point or without one")                         \
    K(scalar, TEXT, "scalar", "a string, a number, `true` or `false`")                             \
    K(pointer, TEXT, "pointer",                                                                    \
      "a JSON Pointer (RFC 6901) into a result: `\"/0/id\"`; `\"\"` is the whole of it")           \
    K(pointers, TEXTS, "list of pointers", "a list of JSON Pointers: `[ \"/code\", \"/text\" ]`")  \
    K(values, TEXTS, "list of values",                                                             \
      "a list of strings, which are templates, numbers, flags, lists and groups; any JSON by "     \
      "`{ json = \"…\"; }`: `( \"{session}\", 5, { json = \"null\"; } )`")                         \
    K(members, NAMED, "named values", "a group of such values: `{ token = \"{session}\"; }`")      \
    K(credentials, NAMED, "named secrets",                                                         \
      "a group of strings, numbers and flags under names that templates have: "                    \
      "`{ username = \"api\"; password = \"${file:/etc/rpcgate/api.pw}\"; }`")                     \
    K(pointer_names, NAMED, "named pointers", "a group of JSON Pointers: `{ key = \"/0/key\"; }`") \
    K(fields, NAMED, "named templates", "a group of templates: `{ user = \"{username}\"; }`")      \
    K(route_path, TEXT, "path",                                                                    \
      "a path, whose segments are texts or a `{name}` each: `\"/partners/{id}\"`")                 \
    K(route_call, TEXT, "call", "`upstream/method`, such as `\"odoo/execute_kw\"`")                \
    K(shapes, SHAPES, "list of params",                                                            \
      "a list of constants and groups: `( \"read\", { name = \"id\"; type = \"int\"; } )`")        \
    K(value, TEXT, "value", "a string, a number, a flag, a list, a group, or `{ json = \"…\"; }`") \
    K(json_text, TEXT, "JSON", "a string of JSON: `\"null\"`")                                     \
    K(scalars, TEXTS, "list of scalars",                                                           \
      "a list of strings, numbers and flags: `[ \"a\", \"b\" ]`")                                  \
    K(words, TEXTS, "list of strings", "a list of strings: `[ \"partners\", \"crm\" ]`")           \
    K(path_template, TEXT, "template", "a string with `{name}` in it, see below")                  \
    K(header_templates, TEXTS, "list of headers",                                                  \
      "a list of header lines, whose values may be templates: `[ \"X-Session: {session}\" ]`")     \
    K(secrets, TEXTS, "list of secrets", "a list of strings that are never shown")                 \
    K(serve, WORDS, "list of words", "a list of words: `[ \"nil\", \"i8\" ]`")                     \
    K(extensions, WORDS, "list of words", "a list of words: `[ \"nil\", \"i8\" ]`")                \
    K(faces, WORDS, "list of words", "a list of words: `[ \"json\", \"xmlrpc\" ]`")                \
    K(log_level, NUMBER, "word", "a string with one of the words listed")                          \
    K(log_format, NUMBER, "word", "a string with one of the words listed")                         \
    K(route_in, NUMBER, "word", "a string with one of the words listed")                           \
    K(route_type, NUMBER, "word", "a string with one of the words listed")                         \
    K(types_form, NUMBER, "word", "a string with one of the words listed")                         \
    K(integers_form, NUMBER, "word", "a string with one of the words listed")                      \
    K(dates_form, NUMBER, "word", "a string with one of the words listed")                         \
    K(empty_answer, NUMBER, "word", "a string with one of the words listed")                       \
    K(text_policy, NUMBER, "word", "a string with one of the words listed")                        \
    K(auth_scheme, NUMBER, "word", "a string with one of the words listed")                        \
    K(any_tls_version, NUMBER, "word", "a string with one of the words listed")                    \
    K(tls_version, NUMBER, "word", "a string with one of the words listed")                        \
    K(multicall_use, NUMBER, "word", "a string with one of the words listed")                      \
    K(multicall_shape, NUMBER, "word", "a string with one of the words listed")                    \
    K(transport_use, NUMBER, "word", "a string with one of the words listed")

#endif
