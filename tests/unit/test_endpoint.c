/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoints a worker has on its listeners as configurations follow each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_text.h"

#include "front/endpoint.h"
#include "front/front.h"
#include "work/commons.h"

#define LISTEN(serve) "{ address = \"127.0.0.1\"; port = 18080; serve = [ \"" serve "\" ]; }"
#define SETTINGS(listen, limits)                                                                   \
    "listen = ( " listen " ); limits = { " limits " };\n"                                          \
    "upstreams = { a = { url = \"http://a/\"; }; };"

struct rig {
    struct commons commons;
    struct work work;
    struct front_commons shared;
    struct front front;
    struct listener_state *state; /* with a port that the system has chosen */
};

static struct rig rig;

static void open_rig(void)
{
    struct listen_config any = { .address = (char[]){ "127.0.0.1" } };
    struct listener listener;
    char *why;
    memset(&rig, 0, sizeof rig);
    rig.commons.main_fd = -1;
    commons_init(&rig.commons, 1);
    assert_true(work_init(&rig.work, &rig.commons, 0));
    front_commons_init(&rig.shared, &rig.commons);
    front_init(&rig.front, &rig.work, NULL, &rig.shared);
    assert_true(listener_open(&(struct listener_options){ .config = &any, .n_workers = 1 },
                              &listener, &why));
    rig.state = listener_state_new(&listener, 1);
}

static void close_rig(void)
{
    front_done(&rig.front);
    listener_close(&rig.state->listener, false);
    listener_state_unref(rig.state);
    front_commons_done(&rig.shared);
    work_done(&rig.work);
    commons_done(&rig.commons);
}

/* Follows that configuration on the listener, which is borrowed until the next. */
static void follow(const char *settings, struct listener_set *set)
{
    struct config *config = config_of(settings);
    for (size_t i = 0; i < set->n; i++)
        set->items[i].config = &config->listen[i];
    assert_true(endpoints_follow(&rig.front, config, set));
    config_unref(config); /* endpoints hold it */
}

static size_t n_endpoints(void)
{
    size_t n = 0;
    for (const struct list *at = rig.front.endpoints.next; at != &rig.front.endpoints;
         at = at->next)
        n++;
    return n;
}

static struct endpoint *last_endpoint(void)
{
    return CONTAINER_OF(rig.front.endpoints.prev, struct endpoint, in_front);
}

static void what_does_not_concern_the_server_changes_nothing(void **state)
{
    struct open_listener open;
    struct listener_set set = { .items = &open, .n = 1 };
    (void)state;
    open_rig();
    open.state = rig.state;
    follow(SETTINGS(LISTEN("api"), "body = \"1K\";"), &set);
    struct endpoint *first = last_endpoint();
    assert_int_equal(n_endpoints(), 1);
    const struct config *before = first->config;
    follow(SETTINGS(LISTEN("api"), "body = \"2K\";"), &set);
    assert_int_equal(n_endpoints(), 1);
    assert_ptr_equal(last_endpoint(), first);
    assert_ptr_not_equal(first->config, before); /* whose secrets must not stay */
    assert_int_equal(first->config->limits.body, 2048);
    assert_false(first->is_closing);
    close_rig();
}

/* Each of these is the server's own. */
static void what_concerns_the_server_opens_another(void **state)
{
    static const char *const settings[] = {
        SETTINGS(LISTEN("api"), "headers = \"12K\";"),
        SETTINGS(LISTEN("api"), "connections = 50;"),
        SETTINGS(LISTEN("api"), "header_time = \"9s\";"),
        SETTINGS(LISTEN("api"), "body_time = \"9s\";"),
        SETTINGS(LISTEN("api"), "write_time = \"9s\";"),
        SETTINGS(LISTEN("api"), "idle = \"9s\";"),
        SETTINGS(LISTEN("health"), "idle = \"9s\";"),
    };
    struct open_listener open;
    struct listener_set set = { .items = &open, .n = 1 };
    (void)state;
    open_rig();
    open.state = rig.state;
    follow(SETTINGS(LISTEN("api"), ""), &set);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct endpoint *before = last_endpoint();
        follow(settings[i], &set);
        assert_int_equal(n_endpoints(), 2);
        assert_ptr_not_equal(last_endpoint(), before);
        assert_true(before->is_closing);
        endpoints_run(&rig.front); /* which has no connection */
        assert_int_equal(n_endpoints(), 1);
        assert_false(last_endpoint()->is_closing);
    }
    close_rig();
}

static void a_listener_that_goes_takes_its_endpoint_along(void **state)
{
    struct open_listener open;
    struct listener_set set = { .items = &open, .n = 1 }, none = { .items = &open, .n = 0 };
    (void)state;
    open_rig();
    open.state = rig.state;
    follow(SETTINGS(LISTEN("api"), ""), &set);
    follow(SETTINGS(LISTEN("api"), ""), &none);
    assert_true(last_endpoint()->is_closing);
    follow(SETTINGS(LISTEN("api"), ""), &set); /* it is there again: the old one goes on closing */
    assert_int_equal(n_endpoints(), 2);
    assert_false(last_endpoint()->is_closing);
    endpoints_run(&rig.front);
    assert_int_equal(n_endpoints(), 1);
    endpoints_close(&rig.front);
    endpoints_run(&rig.front);
    assert_int_equal(n_endpoints(), 0);
    close_rig();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_concern_the_server_changes_nothing),
        cmocka_unit_test(what_concerns_the_server_opens_another),
        cmocka_unit_test(a_listener_that_goes_takes_its_endpoint_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
