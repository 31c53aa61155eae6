/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the reader: reader.c walks groups, reader_option.c reads one setting, reader_value.c has
 * what both need to know of its value. */
#ifndef RPCGATE_CONFIG_READER_INSIDE_H
#define RPCGATE_CONFIG_READER_INSIDE_H

#include "config/reader.h"

/* A list of more items is the wrong file. */
#define READER_LIST_MAX 10000

/* The longest reason, and the longest name of a setting with its path. [bytes] */
#define READER_WHY_MAX 8192
#define READER_PATH_MAX 512

/* A setting that is being read: its row, its place in the struct. */
struct target {
    const struct option_row *row;
    void *member;
    struct origin *origin;
    const struct setting *setting;
};

/* "limits.body: " and the sentence, where the setting stands. */
void reader_refuse(struct reader *r, const struct target *t, const char *sentence);

/* The setting has a type that its kind does not have. */
void reader_refuse_type(struct reader *r, const struct target *t);

/* The value as it is shown, then the rest of the sentence. */
void reader_refuse_value(struct reader *r, const struct target *t, const struct value *v,
                         const char *rest);

/* A setting as text, with its substitutions made. False: told. */
bool reader_resolve(struct reader *r, const struct target *t, struct value *ret) MUST_CHECK;

/* False: out of bounds, and `why` ends a sentence that begins with the value. */
bool reader_check_bounds(const struct option_row *row, int64_t value, struct buf *why) MUST_CHECK;

/* The text in the store, with other secrets where it is one. */
char *reader_keep(struct reader *r, const struct target *t, const struct value *v);

/* Puts the table's default into the member. */
void reader_put_default(const struct option_row *row, void *member);

/* What of a value came from a file or a credential is a secret. With `doubled` its braces are, as
 * they are in templates. */
void reader_remember_hidden(struct reader *r, const struct target *t, const struct value *v,
                            bool doubled);

/* The longest value as JSON, and as it is shown. [bytes] */
#define JSON_VALUE_MAX ((size_t)4 << 20)

/* A value as JSON text, and as `--show-config` has it. */
struct json_value {
    struct buf json, shown;
    bool hidden;     /* some of it came from a file or a credential */
    bool unresolved; /* it is not what it will be */
};

/* What a value may be, and what its strings are. */
struct json_form {
    bool templates; /* strings are: the braces of what is substituted are doubled */
    bool scalar;    /* neither a list nor a group */
    bool secret;    /* shown as *** */
};

void json_value_init(struct json_value *v);

/* Overwrites it. */
void json_value_done(struct json_value *v);

/* reader_json.c: appends the value. False: told. */
bool reader_write_json(struct reader *r, const struct target *t, struct json_form form,
                       struct json_value *to) MUST_CHECK;

/* Its JSON text in the store. */
char *reader_keep_json(struct reader *r, const struct json_value *v, bool secret);

/* A scalar, and a list of values. */
void reader_read_scalar_json(struct reader *r, const struct target *t);
void reader_read_values(struct reader *r, const struct target *t);

/* reader_route.c: a value, JSON in a string, a list of scalars, and a route's params. */
void reader_read_value(struct reader *r, const struct target *t);
void reader_read_json_text(struct reader *r, const struct target *t);
void reader_read_scalars(struct reader *r, const struct target *t);
void reader_read_shapes(struct reader *r, const struct target *t);

/* reader_named.c: a group of texts with names. */
void reader_read_named(struct reader *r, const struct target *t);

/* A profile has none. */
void reader_refuse_profile(struct reader *r, const struct setting *profile);

/* reader_profile.c: reads the profile that an upstream names, before its own settings are. */
void reader_read_profile(struct reader *r, const struct section *section,
                         const struct setting *upstream, void *base);

/* And behind them: where `auth` has another scheme of its own than the profile, what of the
 * profile's `auth` that scheme has no use for is gone. */
void reader_end_profile(struct upstream_config *u);

/* Reads one setting into its member. */
void reader_read_option(struct reader *r, const struct target *t);

#endif
