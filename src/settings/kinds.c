/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/kinds.h"

#include "settings/checked_texts.h"

static bool refuse(struct buf *why, const char *rest)
{
    buf_append_c(why, rest);
    return false;
}

/* A number with one of some units behind it. */
struct unit {
    const char *name;
    int64_t factor;
};

static bool parse_with_unit(struct str text, const struct unit *units, size_t n, int64_t *ret)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t value = 0;
    if (!str_to_uint(str_slice(text, 0, digits), INT64_MAX, &value))
        return false;
    struct str name = str_slice(text, digits, text.len);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_nocase(name, str_of(units[i].name)))
            continue;
        return !__builtin_mul_overflow((int64_t)value, units[i].factor, ret);
    }
    return false;
}

static bool parse_flag(const struct kind *kind UNUSED, struct str text, int64_t *ret,
                       struct buf *why)
{
    *ret = str_eq_nocase(text, STR("true"));
    return *ret || str_eq_nocase(text, STR("false")) || refuse(why, "is neither true nor false");
}

static bool parse_count(const struct kind *kind UNUSED, struct str text, int64_t *ret,
                        struct buf *why)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t value = 0;
    if (!str_to_uint(negative ? str_slice(text, 1, text.len) : text, INT64_MAX, &value))
        return refuse(why, "is not a plain number");
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool parse_size(const struct kind *kind UNUSED, struct str text, int64_t *ret,
                       struct buf *why)
{
    static const struct unit units[] = { { "", 1 },
                                         { "K", (int64_t)1 << 10 },
                                         { "M", (int64_t)1 << 20 },
                                         { "G", (int64_t)1 << 30 },
                                         { "T", (int64_t)1 << 40 } };
    return parse_with_unit(text, units, ARRAY_LEN(units), ret) ||
           refuse(why, "is not a size: write a number of bytes with K, M, G or T, such as \"64K\"");
}

static bool parse_duration(const struct kind *kind UNUSED, struct str text, int64_t *ret,
                           struct buf *why)
{
    static const struct unit units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }
    };
    return parse_with_unit(text, units, ARRAY_LEN(units), ret) ||
           refuse(why, "is not a duration: write a whole number and ms, s, m or h, such as "
                       "\"250ms\" or \"30s\"");
}

/* A duration, or the word for what a fault's text tells. */
static bool parse_pause(const struct kind *kind, struct str text, int64_t *ret, struct buf *why)
{
    *ret = PAUSE_OF_TEXT;
    return str_eq_c(text, "<n>") || parse_duration(kind, text, ret, why);
}

static bool parse_mode(const struct kind *kind UNUSED, struct str text, int64_t *ret,
                       struct buf *why)
{
    *ret = 0;
    bool ok = text.len >= 3 && text.len <= 4;
    for (size_t i = 0; i < text.len && ok; i++) {
        ok = text.data[i] >= '0' && text.data[i] <= '7';
        *ret = *ret * 8 + (text.data[i] - '0');
    }
    ok = ok && *ret <= 0777;
    return ok || refuse(why, "is not a file mode: write octal digits in quotes, such as \"0660\"");
}

static bool parse_word(const struct kind *kind, struct str text, int64_t *ret, struct buf *why)
{
    for (size_t i = 0; i < kind->n_words; i++) {
        if (str_eq_c(text, kind->words[i].text)) {
            *ret = kind->words[i].value;
            return true;
        }
    }
    buf_append_c(why, "is none of the words ");
    kind_list_words(kind, why);
    return false;
}

/* Each list of words: its table, and parse_word() under the kind's name. */
#define WORD(word, text) { text, WORD_VALUE(word) },
#define WORDS_OF(kind) .words = words_##kind, .n_words = ARRAY_LEN(words_##kind)

static const struct word words_log_level[] = {
#define WORD_VALUE(word) LOG_LEVEL_##word
    LOG_LEVEL_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_log_format[] = {
#define WORD_VALUE(word) LOG_FORMAT_##word
    LOG_FORMAT_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_types_form[] = {
#define WORD_VALUE(word) TYPES_##word
    TYPES_FORM_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_integers_form[] = {
#define WORD_VALUE(word) INTEGERS_##word
    INTEGERS_FORM_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_text_policy[] = {
#define WORD_VALUE(word) TEXT_##word
    TEXT_POLICY_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_dates_form[] = {
#define WORD_VALUE(word) DATES_##word
    DATES_FORM_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_empty_answer[] = {
#define WORD_VALUE(word) EMPTY_ANSWER_##word
    EMPTY_ANSWER_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_auth_scheme[] = {
#define WORD_VALUE(word) AUTH_SCHEME_##word
    AUTH_SCHEME_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_tls_version[] = {
#define WORD_VALUE(word) TLS_VERSION_##word
    TLS_VERSION_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_any_tls_version[] = {
#define WORD_VALUE(word) TLS_VERSION_##word
    ANY_TLS_VERSION_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_multicall_use[] = {
#define WORD_VALUE(word) MULTICALL_USE_##word
    MULTICALL_USE_LIST(WORD)
#undef WORD_VALUE
};

static const struct word words_transport_use[] = {
#define WORD_VALUE(word) TRANSPORT_USE_##word
    TRANSPORT_USE_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_multicall_shape[] = {
#define WORD_VALUE(word) MULTICALL_SHAPE_##word
    MULTICALL_SHAPE_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_route_in[] = {
#define WORD_VALUE(word) ROUTE_IN_##word
    ROUTE_IN_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_route_type[] = {
#define X(word, text, one, several)                                                                \
    { text, ROUTE_TYPE_##word }, { text "[]", ROUTE_TYPE_##word | ROUTE_TYPE_SEVERAL },
    ROUTE_TYPE_LIST(X)
#undef X
};
static const struct word words_serve[] = {
#define WORD_VALUE(word) SERVE_##word
    SERVE_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_faces[] = {
#define WORD_VALUE(word) FACE_##word
    FACE_LIST(WORD)
#undef WORD_VALUE
};
static const struct word words_extensions[] = {
#define WORD_VALUE(word) EXTENSION_##word
    EXTENSION_LIST(WORD)
#undef WORD_VALUE
};

/* Numbers are put into their members and taken out, whatever their C type is. */
#define PUT_NUMBER(kind)                                                                           \
    static void put_##kind(void *member, int64_t value)                                            \
    {                                                                                              \
        *(OPTION_C_##kind *)member = (OPTION_C_##kind)value;                                       \
    }                                                                                              \
    static int64_t get_##kind(const void *member)                                                  \
    {                                                                                              \
        return (int64_t) * (const OPTION_C_##kind *)member;                                        \
    }
#define PUT_WORDS(kind) PUT_NUMBER(kind)
#define PUT_TEXT(kind)
#define PUT_TEXTS(kind)
#define PUT_CODE(kind)
#define PUT_NAMED(kind)
#define PUT_SHAPES(kind)
#define K(kind, form, name, written) PUT_##form(kind)
KIND_LIST(K)
#undef K

#define NUMBER(kind, type_, parse_)                                                                \
    .type = (type_), .parse = (parse_), .put = put_##kind, .get = get_##kind
#define ENUM(kind) NUMBER(kind, SETTING_TEXT, parse_word), WORDS_OF(kind)
#define CHECKED(type_, check_) .type = (type_), .check = (check_)

#define BEHAVIOUR_flag NUMBER(flag, SETTING_FLAG, parse_flag)
#define BEHAVIOUR_count NUMBER(count, SETTING_INTEGER, parse_count)
#define BEHAVIOUR_size NUMBER(size, SETTING_TEXT, parse_size)
#define BEHAVIOUR_duration NUMBER(duration, SETTING_TEXT, parse_duration)
#define BEHAVIOUR_mode NUMBER(mode, SETTING_TEXT, parse_mode)
#define BEHAVIOUR_text CHECKED(SETTING_TEXT, check_text)
#define BEHAVIOUR_path CHECKED(SETTING_TEXT, check_path)
#define BEHAVIOUR_problem CHECKED(SETTING_TEXT, check_problem)
#define BEHAVIOUR_pin CHECKED(SETTING_TEXT, check_pin)
#define BEHAVIOUR_fault_code CHECKED(SETTING_TEXT, check_text)
#define BEHAVIOUR_secret CHECKED(SETTING_TEXT, check_text), .sensitive = true
#define BEHAVIOUR_url CHECKED(SETTING_TEXT, check_url), .sensitive = true
#define BEHAVIOUR_proxy_url CHECKED(SETTING_TEXT, check_proxy_url), .sensitive = true
#define BEHAVIOUR_urls CHECKED(SETTING_LIST, check_url), .sensitive = true
#define BEHAVIOUR_address CHECKED(SETTING_TEXT, check_address)
#define BEHAVIOUR_socket_path CHECKED(SETTING_TEXT, check_socket_path)
#define BEHAVIOUR_zone CHECKED(SETTING_TEXT, check_zone)
#define BEHAVIOUR_encoding CHECKED(SETTING_TEXT, check_encoding)
#define BEHAVIOUR_decoding CHECKED(SETTING_TEXT, check_decoding)
#define BEHAVIOUR_host_names CHECKED(SETTING_LIST, check_host_name)
#define BEHAVIOUR_no_proxy CHECKED(SETTING_LIST, check_no_proxy)
#define BEHAVIOUR_headers CHECKED(SETTING_LIST, check_header), .sensitive = true
#define BEHAVIOUR_origins CHECKED(SETTING_LIST, check_origin)
#define BEHAVIOUR_name CHECKED(SETTING_TEXT, check_name)
#define BEHAVIOUR_call_glob CHECKED(SETTING_TEXT, check_call_glob)
#define BEHAVIOUR_globs CHECKED(SETTING_LIST, check_text)
#define BEHAVIOUR_secrets CHECKED(SETTING_LIST, check_text), .sensitive = true
#define BEHAVIOUR_auth_text BEHAVIOUR_text
#define BEHAVIOUR_auth_secret BEHAVIOUR_secret
#define BEHAVIOUR_own_headers BEHAVIOUR_headers
#define BEHAVIOUR_match CHECKED(SETTING_LIST, check_text)
#define BEHAVIOUR_pause NUMBER(pause, SETTING_TEXT, parse_pause)
#define BEHAVIOUR_number CHECKED(SETTING_DECIMAL, check_number)
#define BEHAVIOUR_scalar CHECKED(SETTING_TEXT, check_any)
#define BEHAVIOUR_pointer CHECKED(SETTING_TEXT, check_pointer)
#define BEHAVIOUR_pointers CHECKED(SETTING_LIST, check_pointer)
#define BEHAVIOUR_values CHECKED(SETTING_LIST, check_any)
#define BEHAVIOUR_members CHECKED(SETTING_GROUP, check_any)
#define BEHAVIOUR_credentials CHECKED(SETTING_GROUP, check_any), .sensitive = true
#define BEHAVIOUR_pointer_names CHECKED(SETTING_GROUP, check_pointer)
#define BEHAVIOUR_fields CHECKED(SETTING_GROUP, check_any)
#define BEHAVIOUR_route_path CHECKED(SETTING_TEXT, check_route_path)
#define BEHAVIOUR_route_call CHECKED(SETTING_TEXT, check_route_call)
#define BEHAVIOUR_shapes CHECKED(SETTING_LIST, check_any)
#define BEHAVIOUR_value CHECKED(SETTING_TEXT, check_any)
#define BEHAVIOUR_json_text CHECKED(SETTING_TEXT, check_any)
#define BEHAVIOUR_scalars CHECKED(SETTING_LIST, check_any)
#define BEHAVIOUR_words CHECKED(SETTING_LIST, check_text)
#define BEHAVIOUR_path_template CHECKED(SETTING_TEXT, check_text)
#define BEHAVIOUR_header_templates CHECKED(SETTING_LIST, check_header)
#define BEHAVIOUR_serve NUMBER(serve, SETTING_LIST, parse_word), WORDS_OF(serve)
#define BEHAVIOUR_extensions NUMBER(extensions, SETTING_LIST, parse_word), WORDS_OF(extensions)
#define BEHAVIOUR_faces NUMBER(faces, SETTING_LIST, parse_word), WORDS_OF(faces)
#define BEHAVIOUR_log_level ENUM(log_level)
#define BEHAVIOUR_log_format ENUM(log_format)
#define BEHAVIOUR_route_in ENUM(route_in)
#define BEHAVIOUR_route_type ENUM(route_type)
#define BEHAVIOUR_types_form ENUM(types_form)
#define BEHAVIOUR_integers_form ENUM(integers_form)
#define BEHAVIOUR_text_policy ENUM(text_policy)
#define BEHAVIOUR_dates_form ENUM(dates_form)
#define BEHAVIOUR_empty_answer ENUM(empty_answer)
#define BEHAVIOUR_auth_scheme ENUM(auth_scheme)
#define BEHAVIOUR_tls_version ENUM(tls_version)
#define BEHAVIOUR_any_tls_version ENUM(any_tls_version)
#define BEHAVIOUR_multicall_use ENUM(multicall_use)
#define BEHAVIOUR_transport_use ENUM(transport_use)
#define BEHAVIOUR_multicall_shape ENUM(multicall_shape)

const struct kind kinds[KINDS] = {
#define K(kind, form_, name_, written_)                                                            \
    [KIND_##kind] = {                                                                              \
        .name = (name_), .written = (written_), .form = FORM_##form_, BEHAVIOUR_##kind             \
    },
    KIND_LIST(K)
#undef K
};

void kind_list_words(const struct kind *kind, struct buf *to)
{
    for (size_t i = 0; i < kind->n_words; i++) {
        const char *between = i == 0 ? "" : i + 1 == kind->n_words ? " and " : ", ";
        buf_printf(to, "%s`%s`", between, kind->words[i].text);
    }
}
