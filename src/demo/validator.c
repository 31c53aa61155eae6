/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/validator.h"

#include "codec/json/cursor.h"

#define FAULT_BAD_PARAMS (-32602)

static enum demo_answer bad_params(struct demo_call *call, const char *text)
{
    call->fault_code = FAULT_BAD_PARAMS;
    buf_clear(call->result);
    buf_append_c(call->result, text);
    return DEMO_FAULT;
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(member) ? member->valuedouble : 0.0;
}

static enum demo_answer stooges(struct demo_call *call, const cJSON *object)
{
    if (!cJSON_IsObject(object))
        return bad_params(call, "it takes a struct with moe, larry and curly");
    buf_printf(call->result, "%.0f",
               number_of(object, "moe") + number_of(object, "larry") + number_of(object, "curly"));
    return DEMO_RESULT;
}

enum demo_answer demo_array_of_structs(struct demo_call *call, const cJSON *params)
{
    const cJSON *array = cJSON_GetArrayItem(params, 0), *item;
    double sum = 0.0;
    if (!cJSON_IsArray(array))
        return bad_params(call, "it takes an array of structs");
    cJSON_ArrayForEach (item, array)
        sum += number_of(item, "curly");
    buf_printf(call->result, "%.0f", sum);
    return DEMO_RESULT;
}

enum demo_answer demo_count_entities(struct demo_call *call, const cJSON *params)
{
    static const struct {
        char byte;
        const char *name;
    } entities[] = { { '<', "ctLeftAngleBrackets" },
                     { '>', "ctRightAngleBrackets" },
                     { '&', "ctAmpersands" },
                     { '\'', "ctApostrophes" },
                     { '"', "ctQuotes" } };
    const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(params, 0));
    if (text == NULL)
        return bad_params(call, "it takes a string");
    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        int n = 0;
        for (const char *at = text; *at != '\0'; at++)
            n += *at == entities[i].byte;
        buf_printf(call->result, "%s\"%s\":%d", i == 0 ? "{" : ",", entities[i].name, n);
    }
    buf_append_byte(call->result, '}');
    return DEMO_RESULT;
}

enum demo_answer demo_easy_struct(struct demo_call *call, const cJSON *params)
{
    return stooges(call, cJSON_GetArrayItem(params, 0));
}

enum demo_answer demo_echo_struct(struct demo_call *call, const cJSON *params)
{
    struct json_cursor cursor = json_enter(call->params);
    struct str text;
    if (!cJSON_IsObject(cJSON_GetArrayItem(params, 0)) || !json_next(&cursor, NULL, &text))
        return bad_params(call, "it takes a struct");
    buf_append(call->result, text);
    return DEMO_RESULT;
}

enum demo_answer demo_many_types(struct demo_call *call, const cJSON *params)
{
    if (cJSON_GetArraySize(params) != 6)
        return bad_params(call, "it takes a number, boolean, string, double, dateTime and base64");
    buf_append(call->result, call->params);
    return DEMO_RESULT;
}

enum demo_answer demo_moderate_array(struct demo_call *call, const cJSON *params)
{
    const cJSON *array = cJSON_GetArrayItem(params, 0);
    int n = cJSON_GetArraySize(array);
    const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(array, 0));
    const char *last = cJSON_GetStringValue(cJSON_GetArrayItem(array, n - 1));
    if (!cJSON_IsArray(array) || first == NULL || last == NULL)
        return bad_params(call, "it takes an array of strings");
    CLEANUP(buf_done) struct buf both;
    buf_init(&both, call->result->max, NULL);
    buf_append_c(&both, first);
    buf_append_c(&both, last);
    cJSON *text = cJSON_CreateString(buf_c(&both));
    char *quoted = cJSON_PrintUnformatted(text);
    buf_append_c(call->result, quoted);
    cJSON_free(quoted);
    cJSON_Delete(text);
    return DEMO_RESULT;
}

enum demo_answer demo_nested_struct(struct demo_call *call, const cJSON *params)
{
    const cJSON *at = cJSON_GetArrayItem(params, 0);
    at = cJSON_GetObjectItemCaseSensitive(at, "2000");
    at = cJSON_GetObjectItemCaseSensitive(at, "04");
    return stooges(call, cJSON_GetObjectItemCaseSensitive(at, "01"));
}

enum demo_answer demo_simple_struct(struct demo_call *call, const cJSON *params)
{
    const cJSON *number = cJSON_GetArrayItem(params, 0);
    if (!cJSON_IsNumber(number))
        return bad_params(call, "it takes a number");
    buf_printf(call->result, "{\"times10\":%.0f,\"times100\":%.0f,\"times1000\":%.0f}",
               number->valuedouble * 10, number->valuedouble * 100, number->valuedouble * 1000);
    return DEMO_RESULT;
}
