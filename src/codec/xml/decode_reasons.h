/* SPDX-License-Identifier: Apache-2.0 */
/* Why a document is refused, and what whoever gets it from an upstream can do about it: a setting
 * that helps, or that there is none. docs/api.md has the table. */
#ifndef RPCGATE_CODEC_XML_DECODE_REASONS_H
#define RPCGATE_CODEC_XML_DECODE_REASONS_H

#define DECODE_NO_SETTING "No setting helps: "

/* X(WORD, setting of the limit that it is over or NULL, what it is, what to do). The two texts are
 * Markdown, too. */
#define DECODE_REASON_LIST(X)                                                                      \
    X(EMPTY, NULL, "no document at all",                                                           \
      "If methods without a result end so, say it: methods = ( { match = \"NAME\"; empty = "       \
      "\"null\"; } ).")                                                                            \
    X(HTML, NULL, "a page of HTML",                                                                \
      "Check the path of `url`; many servers use /RPC2 or /xmlrpc. A server's own error may look " \
      "so, too: look into its log.")                                                               \
    X(SOAP, NULL, "SOAP",                                                                          \
      "Check the path of `url`: the server speaks SOAP there, and rpcgate "                        \
      "does not.")                                                                                 \
    X(NO_XML, NULL, "no XML, such as JSON, or a warning before the document",                      \
      "Check the path of `url`, and the server's log, if it begins with a warning.")               \
    X(ROOT, NULL, "XML of another kind",                                                           \
      "Check the path of `url`: something else than XML-RPC is served there.")                     \
    X(CUT_OFF, NULL, "only the beginning of a document",                                           \
      DECODE_NO_SETTING "look into the server's log for why it broke off.")                        \
    X(EXTRA, NULL, "something behind the document",                                                \
      DECODE_NO_SETTING "have the server send nothing behind its document, such as warnings.")     \
    X(DTD, NULL, "a document type declaration",                                                    \
      DECODE_NO_SETTING "have the server leave it out; no entity of it would be read.")            \
    X(ENCODING, NULL, "an encoding that is not known, or cannot be true",                          \
      "Set `response_encoding` to the one that the document really is in.")                        \
    X(BYTES, NULL, "bytes that its encoding does not have",                                        \
      "Set `response_encoding` to the one that it really is in, or have them repaired by text = "  \
      "\"replace\" or \"base64\".")                                                                \
    X(CHARACTER, NULL, "characters that XML cannot carry, such as NUL",                            \
      "Have them repaired: text = \"replace\", or \"base64\", which keeps them.")                  \
    X(HTML_NAME, NULL, "HTML's name of a character, such as `&nbsp;`",                             \
      "Have it read by text = \"replace\".")                                                       \
    X(ENTITY, NULL, "an entity that nobody has declared",                                          \
      DECODE_NO_SETTING "have the server write the character itself.")                             \
    X(MARKUP, NULL, "a bare `&`, `<` or `]]>` in text",                                            \
      DECODE_NO_SETTING "have the server write text as XML has it, with `&amp;`, `&lt;` and "      \
                        "`&gt;`.")                                                                 \
    X(ILL_FORMED, NULL, "tags or other markup that is no XML",                                     \
      DECODE_NO_SETTING "what writes the server's XML has to be mended.")                          \
    X(ELEMENT, NULL, "an element or type that XML-RPC does not have",                              \
      DECODE_NO_SETTING "rpcgate has no such type; have the server send another, such as a "       \
                        "string.")                                                                 \
    X(STRUCTURE, NULL, "an element where it cannot stand, or one that is missing",                 \
      DECODE_NO_SETTING "what writes the server's XML-RPC has to be mended.")                      \
    X(NUMBER, NULL, "a number or boolean that is none",                                            \
      DECODE_NO_SETTING "have the server write it without other characters, or as a string.")      \
    X(DATE, NULL, "a date with characters that XML cannot carry",                                  \
      "Set text = \"replace\": a date cannot become Base64.")                                      \
    X(BASE64, NULL, "bytes that are no Base64",                                                    \
      DECODE_NO_SETTING "have the server encode them anew, or send a string.")                     \
    X(SAME_NAME, NULL, "two members' names that a repair has made the same",                       \
      "Have the server send other names; text = \"reject\" tells where they are.")                 \
    X(TOO_LONG, NULL, "a tag, name, number or date that is too long, or too many names",           \
      DECODE_NO_SETTING "this limit is fixed; have the server send less at once.")                 \
    X(MULTICALL, NULL, "the results of a batch in another form, or another number of them",        \
      "Set multicall = \"never\": a batch's calls go out one by one then.")                        \
    X(OVER_RESPONSE, "limits.response", "more than `limits.response`",                             \
      "Raise limits.response, or ask for less at once.")                                           \
    X(OVER_DEPTH, "limits.depth", "nesting deeper than `limits.depth`",                            \
      "Raise limits.depth; 1000 is the most.")                                                     \
    X(OVER_MEMORY, "limits.memory", "more than finds room in `limits.memory`",                     \
      "Raise limits.memory, or ask for less at once.")

enum decode_reason {
#define X(word, setting, what, advice) REFUSED_##word,
    DECODE_REASON_LIST(X)
#undef X
        REFUSED_REASONS
};

struct decode_reason_info {
    const char *setting, *what, *advice; /* as above; static */
};

/* The row of DECODE_REASON_LIST. */
const struct decode_reason_info *decode_reason_info(enum decode_reason reason);

#endif
