/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/methods.h"

#include "codec/json/cursor.h"
#include "demo/validator.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <time.h>

/* "Specification for Fault Code Interoperability", version 20010516. */
#define FAULT_NO_METHOD (-32601)
#define FAULT_BAD_PARAMS (-32602)

#define SLEEP_MAX_S 3600.0
#define MULTICALL_RESULT_MAX ((size_t)16 * 1024 * 1024)

struct method {
    const char *name;
    const char *signature; /* JSON: as system.methodSignature answers */
    const char *help;
    enum demo_answer (*run)(struct demo_call *call, const cJSON *params);
};

static enum demo_answer refuse(struct demo_call *call, int64_t code, const char *text)
{
    call->fault_code = code;
    buf_clear(call->result);
    buf_append_c(call->result, text);
    return DEMO_FAULT;
}

/* The text of param `at`; the call has at least so many. */
static struct str param_text(const struct demo_call *call, int at)
{
    struct json_cursor cursor = json_enter(call->params);
    struct str value = { NULL, 0 };
    for (int i = 0; i <= at && json_next(&cursor, NULL, &value); i++)
        continue;
    return value;
}

static enum demo_answer run_add(struct demo_call *call, const cJSON *params)
{
    const cJSON *a = cJSON_GetArrayItem(params, 0), *b = cJSON_GetArrayItem(params, 1);
    if (cJSON_GetArraySize(params) != 2 || !cJSON_IsNumber(a) || !cJSON_IsNumber(b))
        return refuse(call, FAULT_BAD_PARAMS, "demo.add takes two integers");
    double sum = a->valuedouble + b->valuedouble;
    if (sum > 2147483647.0 || sum < -2147483648.0)
        return refuse(call, FAULT_BAD_PARAMS, "demo.add: the sum does not fit into 32 bits");
    buf_printf(call->result, "%.0f", sum);
    return DEMO_RESULT;
}

static enum demo_answer run_echo(struct demo_call *call, const cJSON *params)
{
    if (cJSON_GetArraySize(params) != 1)
        return refuse(call, FAULT_BAD_PARAMS, "demo.echo takes one param of any type");
    buf_append(call->result, param_text(call, 0));
    return DEMO_RESULT;
}

static enum demo_answer run_types(struct demo_call *call, const cJSON *params)
{
    (void)params;
    buf_append_c(call->result,
                 "{\"boolean\":true,\"int\":2147483647,\"i8\":{\"$i8\":\"9007199254740993\"},"
                 "\"biginteger\":{\"$biginteger\":\"123456789012345678901234567890\"},"
                 "\"double\":0.1,\"bigdecimal\":{\"$bigdecimal\":\"1.10\"},"
                 "\"string\":\"caf\\u00e9 <&> \\u20ac\","
                 "\"dateTime\":{\"$dateTime\":\"19980717T14:08:55\"},"
                 "\"base64\":{\"$base64\":\"eW91IGNhbid0IHJlYWQgdGhpcyE=\"},"
                 "\"array\":[1,\"two\",3.0,[]],\"struct\":{\"a\":1,\"empty\":{}},\"nil\":null}");
    return DEMO_RESULT;
}

static enum demo_answer run_now(struct demo_call *call, const cJSON *params)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[32];
    (void)params;
    gmtime_r(&now, &parts);
    if (strftime(text, sizeof text, "%Y%m%dT%H:%M:%S", &parts) == 0)
        text[0] = '\0';
    buf_printf(call->result, "{\"$dateTime\":\"%s\"}", text);
    return DEMO_RESULT;
}

static enum demo_answer run_sleep(struct demo_call *call, const cJSON *params)
{
    const cJSON *seconds = cJSON_GetArrayItem(params, 0);
    if (call->inside)
        return refuse(call, FAULT_BAD_PARAMS, "demo.sleep does not work inside system.multicall");
    if (cJSON_GetArraySize(params) != 1 || !cJSON_IsNumber(seconds) || seconds->valuedouble < 0 ||
        seconds->valuedouble > SLEEP_MAX_S)
        return refuse(call, FAULT_BAD_PARAMS, "demo.sleep takes seconds, from 0 to 3600");
    call->sleep_ms = (int64_t)(seconds->valuedouble * 1000.0);
    buf_append(call->result, param_text(call, 0));
    return DEMO_SLEEP;
}

static enum demo_answer run_fault(struct demo_call *call, const cJSON *params)
{
    const cJSON *code = cJSON_GetArrayItem(params, 0), *text = cJSON_GetArrayItem(params, 1);
    if (cJSON_GetArraySize(params) != 2 || !cJSON_IsNumber(code) || !cJSON_IsString(text))
        return refuse(call, FAULT_BAD_PARAMS, "demo.fault takes a code and a string");
    return refuse(call, (int64_t)code->valuedouble, text->valuestring);
}

static enum demo_answer run_list(struct demo_call *call, const cJSON *params);
static enum demo_answer run_signature(struct demo_call *call, const cJSON *params);
static enum demo_answer run_help(struct demo_call *call, const cJSON *params);
static enum demo_answer run_multicall(struct demo_call *call, const cJSON *params);

static const struct method methods[] = {
    { "demo.add", "[[\"int\",\"int\",\"int\"]]", "The sum of two integers.", run_add },
    { "demo.echo", "[[\"any\",\"any\"]]", "Gives back its param, of any type.", run_echo },
    { "demo.fault", "[[\"nil\",\"int\",\"string\"]]", "Answers with that fault.", run_fault },
    { "demo.now", "[[\"dateTime.iso8601\"]]", "The time, in UTC.", run_now },
    { "demo.sleep", "[[\"int\",\"int\"],[\"double\",\"double\"]]", "Answers after so many seconds.",
      run_sleep },
    { "demo.types", "[[\"struct\"]]", "A struct with a value of every type.", run_types },
    { "system.listMethods", "[[\"array\"]]", "The names of all methods.", run_list },
    { "system.methodHelp", "[[\"string\",\"string\"]]", "What a method does.", run_help },
    { "system.methodSignature", "[[\"array\",\"string\"]]",
      "A method's signatures: the type of the result, then those of the params.", run_signature },
    { "system.multicall", "[[\"array\",\"array\"]]",
      "Runs several calls: structs of methodName and params.", run_multicall },
#define X(name, signature, help, run) { "validator1." #name, signature, help, run },
    DEMO_VALIDATOR_LIST(X)
#undef X
};

static const struct method *find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq_c(name, methods[i].name))
            return &methods[i];
    return NULL;
}

static enum demo_answer run_list(struct demo_call *call, const cJSON *params)
{
    (void)params;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        buf_printf(call->result, "%s\"%s\"", i == 0 ? "[" : ",", methods[i].name);
    buf_append_byte(call->result, ']');
    return DEMO_RESULT;
}

/* The method that a system.method… call asks about, or NULL. */
static const struct method *asked(const cJSON *params)
{
    const cJSON *name = cJSON_GetArrayItem(params, 0);
    return cJSON_IsString(name) ? find(str_of(name->valuestring)) : NULL;
}

static enum demo_answer run_signature(struct demo_call *call, const cJSON *params)
{
    const struct method *m = asked(params);
    if (m == NULL)
        return refuse(call, FAULT_NO_METHOD, "there is no such method");
    buf_append_c(call->result, m->signature);
    return DEMO_RESULT;
}

static enum demo_answer run_help(struct demo_call *call, const cJSON *params)
{
    const struct method *m = asked(params);
    if (m == NULL)
        return refuse(call, FAULT_NO_METHOD, "there is no such method");
    buf_printf(call->result, "\"%s\"", m->help);
    return DEMO_RESULT;
}

/* Each result in an array of one, each fault as a struct (http://xmlrpc-c.sourceforge.net, and
 * Eric Kidd's proposal of 2001). */
static void run_inner(struct buf *results, const cJSON *item, struct str params)
{
    CLEANUP(buf_done) struct buf result;
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "methodName");
    buf_init(&result, MULTICALL_RESULT_MAX, NULL);
    struct demo_call inner = { .method = str_of(cJSON_GetStringValue(name)),
                               .params = params,
                               .inside = true,
                               .result = &result };
    if (demo_methods_run(&inner) == DEMO_RESULT) {
        buf_printf(results, "[%s]", buf_c(&result));
        return;
    }
    demo_methods_write_fault(results, "faultCode", "faultString",
                             &(struct demo_fault){ inner.fault_code, buf_c(&result) });
}

/* The text of the member `params` of an item of a multicall. */
static struct str inner_params(struct str item)
{
    struct json_cursor members = json_enter(item);
    struct str name, value;
    while (json_next(&members, &name, &value))
        if (str_eq(name, STR("\"params\"")) && value.len > 0 && value.data[0] == '[')
            return value;
    return STR("[]");
}

static enum demo_answer run_multicall(struct demo_call *call, const cJSON *params)
{
    const cJSON *calls = cJSON_GetArrayItem(params, 0), *item;
    if (call->inside)
        return refuse(call, FAULT_BAD_PARAMS, "system.multicall does not work inside itself");
    if (cJSON_GetArraySize(params) != 1 || !cJSON_IsArray(calls))
        return refuse(call, FAULT_BAD_PARAMS, "system.multicall takes one array of structs");
    struct json_cursor texts = json_enter(param_text(call, 0));
    struct str text;
    buf_append_byte(call->result, '[');
    cJSON_ArrayForEach (item, calls) {
        if (item != calls->child)
            buf_append_byte(call->result, ',');
        if (!json_next(&texts, NULL, &text) || text.data[0] != '{')
            text = STR("{}");
        run_inner(call->result, item, inner_params(text));
    }
    buf_append_byte(call->result, ']');
    return DEMO_RESULT;
}

void demo_methods_write_fault(struct buf *to, const char *code, const char *string,
                              const struct demo_fault *fault)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, code, (double)fault->code);
    cJSON_AddStringToObject(object, string, fault->text);
    char *text = cJSON_PrintUnformatted(object);
    buf_append_c(to, text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

enum demo_answer demo_methods_run(struct demo_call *call)
{
    const struct method *m = find(call->method);
    cJSON *params;
    if (m == NULL)
        return refuse(call, FAULT_NO_METHOD, "there is no such method");
    params = cJSON_ParseWithLength(call->params.data, call->params.len);
    if (params == NULL)
        return refuse(call, FAULT_BAD_PARAMS, "the params nest too deeply for the demo");
    enum demo_answer answer = m->run(call, params);
    cJSON_Delete(params);
    return answer;
}
