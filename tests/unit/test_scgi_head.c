/* SPDX-License-Identifier: Apache-2.0 */
#include "io/scgi_head.h"
#include "io/upstream_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As text: `=` behind a name, `;` behind a value. */
static void show(struct str scgi, struct buf *to)
{
    size_t n = 0;
    for (size_t i = 0; i < scgi.len; i++)
        buf_append_byte(to, scgi.data[i] != '\0' ? scgi.data[i] : n++ % 2 == 0 ? '=' : ';');
}

static void assert_written(const char *http, const char *variables)
{
    struct buf scgi, shown, expected;
    buf_init(&expected, SIZE_MAX - 1, NULL);
    buf_printf(&expected, "%zu:%s,", strlen(variables), variables);
    buf_init(&scgi, SIZE_MAX - 1, NULL);
    buf_init(&shown, SIZE_MAX - 1, NULL);
    buf_append_c(&scgi, "what was there");
    scgi_head_write(str_of(http), 27, &scgi);
    show(buf_str(&scgi), &shown);
    if (!str_eq(buf_str(&shown), buf_str(&expected)))
        fail_msg("%s\nnot %s", buf_c(&shown), buf_c(&expected));
    buf_done(&expected);
    buf_done(&scgi);
    buf_done(&shown);
}

#define BEGIN "CONTENT_LENGTH=27;SCGI=1;REQUEST_METHOD=POST;"
#define LOCAL "SERVER_NAME=localhost;SERVER_PORT=80;HTTP_HOST=localhost;"

static void writes_variables(void **state)
{
    (void)state;
    assert_written("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
                   "Content-Length: 27\r\n\r\n",
                   BEGIN "REQUEST_URI=/RPC2;SCRIPT_NAME=;PATH_INFO=/RPC2;QUERY_STRING=;"
                         "SERVER_PROTOCOL=HTTP/1.1;" LOCAL "CONTENT_TYPE=text/xml;");
    assert_written("POST /a%20b%2fc?x=%20;y HTTP/1.1\r\nHost: [::1]:5000\r\nX-Two-Words:a \r\n\r\n",
                   BEGIN "REQUEST_URI=/a%20b%2fc?x=%20;y;SCRIPT_NAME=;PATH_INFO=/a b/c;"
                         "QUERY_STRING=x=%20;y;SERVER_PROTOCOL=HTTP/1.1;SERVER_NAME=[::1];"
                         "SERVER_PORT=5000;HTTP_HOST=[::1]:5000;HTTP_X_TWO_WORDS=a;");
}

/* What would end a variable, or is no text, stays encoded. */
static void keeps_a_path_that_is_no_text(void **state)
{
    (void)state;
    assert_written("POST /a%00b HTTP/1.1\r\n\r\n",
                   BEGIN "REQUEST_URI=/a%00b;SCRIPT_NAME=;PATH_INFO=/a%00b;QUERY_STRING=;"
                         "SERVER_PROTOCOL=HTTP/1.1;SERVER_NAME=localhost;SERVER_PORT=80;");
    assert_written("POST /%ff HTTP/1.1\r\n\r\n",
                   BEGIN "REQUEST_URI=/%ff;SCRIPT_NAME=;PATH_INFO=/%ff;QUERY_STRING=;"
                         "SERVER_PROTOCOL=HTTP/1.1;SERVER_NAME=localhost;SERVER_PORT=80;");
}

static void joins_lines_of_one_name(void **state)
{
    (void)state;
    assert_written("POST / HTTP/1.1\r\nX-A: 1\r\nB: 2\r\nx_a: 3\r\nX-A:\r\n\r\n",
                   BEGIN "REQUEST_URI=/;SCRIPT_NAME=;PATH_INFO=/;QUERY_STRING=;"
                         "SERVER_PROTOCOL=HTTP/1.1;SERVER_NAME=localhost;SERVER_PORT=80;"
                         "HTTP_X_A=1, 3, ;HTTP_B=2;");
    assert_written("POST / HTTP/1.1\r\nCookie: a=1\r\nContent_Length: 5\r\nContent_Type: x\r\n"
                   "cookie: b=2\r\n\r\n",
                   BEGIN "REQUEST_URI=/;SCRIPT_NAME=;PATH_INFO=/;QUERY_STRING=;"
                         "SERVER_PROTOCOL=HTTP/1.1;SERVER_NAME=localhost;SERVER_PORT=80;"
                         "HTTP_COOKIE=a=1; b=2;CONTENT_TYPE=x;");
}

/* Lines end by `|`. */
static const struct {
    const char *lines;
    int status;
    const char *fault; /* how it begins; NULL: there is none */
} answers[] = {
    { "Status: 200 OK|Content-Type: text/xml|Content-Length: 3||", 200, NULL },
    { "Content-Type: text/xml||", 200, NULL },
    { "|", 200, NULL },
    { "Content-Length: 3|status:404 Not Found||", 404, NULL },
    { "Status: 500||", 500, NULL },
    { "Status: 200 OK|Connection: keep-alive||", 200, NULL },
    { "Status: 100 Continue||", 0, "the answer's Status is no number" },
    { "Status: 2000||", 0, "the answer's Status is no number" },
    { "Status: OK||", 0, "the answer's Status is no number" },
    { "Status:||", 0, "the answer's Status is no number" },
    { "<?xml version='1.0'?>|<methodResponse>||", 0, "the answer has no head of CGI" },
    { "Transfer-Encoding: chunked||", 0, "an answer of SCGI has no Transfer-Encoding" },
    { "Transfer-Encoding: identity||", 0, "an answer of SCGI has no Transfer-Encoding" },
    { "Content-Length: 3|Content-Length: 4||", 0, "the response has two different" },
    { "Status: 200 OK| folded||", 0, "the response's head has a line that begins with a blank" },
};

static void reads_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct response_head head;
        struct str rest = str_of(answers[i].lines);
        bool good = true;
        response_head_start_cgi(&head);
        while (rest.len > 0 && good) {
            char line[80];
            size_t end = str_find(rest, '|');
            snprintf(line, sizeof line, "%.*s\r\n", (int)end, rest.data);
            good = response_head_line(&head, str_of(line));
            rest = str_slice(rest, end + 1, rest.len);
        }
        const char *fault = answers[i].fault;
        if (good != (fault == NULL) || head.complete != good ||
            (good ? head.status != answers[i].status || head.keeps
                  : !str_starts_with(str_of(head.fault), str_of(fault))))
            fail_msg("%s: %d, %s", answers[i].lines, head.status, head.fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_variables),
        cmocka_unit_test(keeps_a_path_that_is_no_text),
        cmocka_unit_test(joins_lines_of_one_name),
        cmocka_unit_test(reads_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
