/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of xmlrpc-c: cc make.c -o make -lxmlrpc -lxmlrpc_util && ./make FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xmlrpc-c/base.h>

static xmlrpc_env env;

static void check(void)
{
    if (!env.fault_occurred)
        return;
    fprintf(stderr, "xmlrpc-c: %s\n", env.fault_string);
    exit(1);
}

static void save(const char *folder, const char *name, xmlrpc_mem_block *document)
{
    char path[4096];
    check();
    snprintf(path, sizeof path, "%s/%s.xml", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(xmlrpc_mem_block_contents(document), 1,
                               xmlrpc_mem_block_size(document), file) !=
                            xmlrpc_mem_block_size(document) ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    xmlrpc_mem_block_free(document);
}

static xmlrpc_value *types(void)
{
    static const unsigned char bytes[] = { 0, 1, 255, 'x', 'x' };
    struct tm tm = {
        .tm_year = 98, .tm_mon = 6, .tm_mday = 17, .tm_hour = 14, .tm_min = 8, .tm_sec = 55
    };
    xmlrpc_value *date = xmlrpc_datetime_new_timeval(
        &env, (struct timeval){ .tv_sec = timegm(&tm), .tv_usec = 250000 });
    xmlrpc_value *whole = xmlrpc_datetime_new_sec(&env, timegm(&tm));
    xmlrpc_value *value = xmlrpc_build_value(
        &env, "{s:b,s:i,s:I,s:d,s:d,s:d,s:d,s:s,s:V,s:s,s:V,s:V,s:6,s:A,s:S,s:n}",
        "boolean", (xmlrpc_bool)1, "int", -7, "i8", (xmlrpc_int64)9007199254740993LL,
        "double", 0.1, "twenty", 20.0, "great", 1e300, "small", 1e-7,
        "string", "R&D <gr\xC3\xB6\xC3\x9F" "er> \"'\n\tend ",
        "cr", xmlrpc_string_new_cr(&env, "a\r\nb"), "empty", "",
        "fraction", date, "date", whole, "bytes", bytes, sizeof bytes,
        "array", xmlrpc_build_value(&env, "(i()s)", 1, "two"),
        "struct", xmlrpc_build_value(&env, "{s:i,s:{s:b}}", "a", 1, "b", "c", (xmlrpc_bool)0),
        "nil");
    check();
    return value;
}

static void save_response(const char *folder, const char *name, xmlrpc_dialect dialect)
{
    xmlrpc_mem_block *document = xmlrpc_mem_block_new(&env, 0);
    xmlrpc_serialize_response2(&env, document, types(), dialect);
    save(folder, name, document);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    xmlrpc_env_init(&env);
    save_response(argv[1], "response-i8", xmlrpc_dialect_i8);
    save_response(argv[1], "response-apache", xmlrpc_dialect_apache);

    xmlrpc_mem_block *document = xmlrpc_mem_block_new(&env, 0);
    xmlrpc_serialize_call(&env, document, "demo.echo",
                          xmlrpc_build_value(&env, "(is)", 1, "\xC3\xA9"));
    save(argv[1], "call", document);

    document = xmlrpc_mem_block_new(&env, 0);
    xmlrpc_env fault;
    xmlrpc_env_init(&fault);
    xmlrpc_env_set_fault(&fault, -506, "Method 'x' not <defined>");
    xmlrpc_serialize_fault(&env, document, &fault);
    save(argv[1], "fault", document);
    return 0;
}
