/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong with a call, by value: never allocated, filled by the function that knows and
 * passed through untouched. A function that can fail returns bool and takes a `struct error *`
 * last; on failure it has filled that, and nothing else of its results. Making the RFC 9457
 * document of it is rules/problem.h's job. */
#ifndef RPCGATE_CODEC_ERROR_H
#define RPCGATE_CODEC_ERROR_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/problem_list.h"

#include <stdbool.h>

enum problem_type {
#define X(word, name, status, executed, title, when) PROBLEM_##word,
    PROBLEM_LIST(X)
#undef X
        PROBLEM_TYPES
};

/* Did the upstream run the call? */
enum executed { EXECUTED_NO, EXECUTED_YES, EXECUTED_UNKNOWN };

struct problem_info {
    const char *name; /* the last part of `urn:rpcgate:problem:NAME` */
    int status;       /* HTTP status unless a rule says otherwise */
    enum executed executed;
    const char *title;
    const char *when;
};

/* The row of PROBLEM_LIST. */
const struct problem_info *problem_info(enum problem_type type);

/* "no", "yes", "unknown". */
const char *executed_name(enum executed executed);

#define ERROR_DETAIL_MAX 512

/* Stands in a detail where foreign text was cut short. What looks like a secret's beginning there
 * is hidden before anybody sees it (rules/redacted.h), so none may be cut without it, but for what
 * a detail ends with that says `is_cut`. */
#define ERROR_CUT "…"

/* At most `max` bytes of foreign text, whole characters, and what is to stand behind them:
 * format with "%.*s%s" and ERROR_CUT_ARGS. */
struct error_cut {
    struct str text;
    const char *mark; /* ERROR_CUT or "" */
};
struct error_cut error_cut(struct str text, size_t max);
#define ERROR_CUT_ARGS(c) STR_ARGS((c).text), (c).mark
#define ERROR_POINTER_MAX 1024

struct error {
    enum problem_type type;
    enum executed executed;
    int status;           /* HTTP status */
    unsigned retry_after; /* [s]; 0: none */
    const char *type_uri; /* of the problem where it is not that of `type`: a name or a URI,
                             borrowed; NULL: none */
    const char *setting;  /* key of the limit that was hit, static; NULL: none */
    const char *advice;   /* what an upstream's caller can do that `detail` does not say, static;
                             NULL: nothing is known, or it says that */
    bool no_method;       /* a fault that says: there is no such method */
    bool is_cut;          /* more would stand behind the detail */
    int fault_code;       /* of the fault that tells a caller of XML-RPC of it, where `type` alone
                             does not say that: of enum interop_code; 0: it does */
    bool has_pointer;
    char pointer[ERROR_POINTER_MAX]; /* RFC 6901, NUL-terminated; "" is the whole document */
    char detail[ERROR_DETAIL_MAX];   /* one sentence or two, UTF-8, says what to do */
};

/* As if nothing had failed. It takes no time for the texts. */
static inline void error_clear(struct error *err)
{
    memset(err, 0, offsetof(struct error, pointer) + 1);
    err->detail[0] = '\0';
}

/* Makes text one line of UTF-8, as a detail is, in place: controls become blanks, bytes that are
 * not UTF-8 `?`, and what a cut has left of a character goes. Returns its length. */
size_t error_clean(char *text, size_t len);

/* Fills `err` from the row of `type` and the sentence; returns false, so that failing is one
 * expression. A detail that is too long is cut at a character's boundary, and error_clean() made
 * it. */
bool error_set(struct error *err, enum problem_type type, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* As error_set(), and names the setting of the limit that was hit. `setting` is static. */
bool error_limit(struct error *err, enum problem_type type, const char *setting, const char *format,
                 ...) PRINTF_LIKE(4, 5);

/* Ends the detail with what to do, behind a full stop. Where there is no room for it, it goes in
 * place of the detail's end. */
void error_advise(struct error *err, const char *advice);

/* Puts a sentence before the detail, whose end may be cut off for it. */
void error_preface(struct error *err, const char *sentence);

/* Says where in the request the value stands. A pointer that does not fit is left out: none is
 * better than a wrong one. */
void error_at(struct error *err, struct str pointer);

#endif
