/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/generation.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_text.h"

#define BOT(rate)                                                                                  \
    "callers = ( { name = \"bot\"; token = \"0123456789abcdef0123456789abcdef\"; rate = " rate     \
    "; allow = [ \"a/*\" ]; } );\n"

static const char first[] = BOT("5") "upstreams = { a = { url = \"http://a\"; };\n"
                                     "  b = { url = \"http://b\"; }; };\n";

/* b stays, and stands in another place; a has changed; c is new. */
static const char second[] = BOT("6") "upstreams = { b = { url = \"http://b\"; };\n"
                                      "  c = { url = \"http://c\"; };\n"
                                      "  a = { url = \"http://a\"; required = true; }; };\n";

static const struct listener_set no_listeners;

static struct generation *make(struct gateway *g, const char *text, const struct generation *before)
{
    struct config *config = config_of(text);
    struct generation *made = generation_new(g, config, before, &no_listeners);
    config_unref(config);
    return made;
}

static void what_lives_on(void **state)
{
    struct gateway g = { .commons = { .main_fd = -1 } };
    (void)state;
    gateway_init(&g, 2);
    struct generation *one = make(&g, first, NULL);
    struct generation *two = make(&g, second, one);
    assert_int_equal(one->number, 1);
    assert_int_equal(two->number, 2);
    assert_int_equal(two->n_changed, 2);
    assert_ptr_equal(two->upstreams[0], one->upstreams[1]);
    assert_ptr_not_equal(two->upstreams[2], one->upstreams[0]);
    assert_ptr_equal(two->upstreams[2]->record, one->upstreams[0]->record);
    assert_string_equal(two->upstreams[1]->record->name, "c");
    assert_ptr_equal(two->callers[0], one->callers[0]);

    generation_unref(one);
    assert_string_equal(two->upstreams[0]->config->name, "b"); /* of the first snapshot */
    struct generation *three = make(&g, first, two);
    assert_ptr_equal(three->upstreams[1], two->upstreams[0]);
    assert_ptr_equal(three->upstreams[0]->record, two->upstreams[2]->record);
    generation_unref(two);
    generation_unref(three);
    gateway_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_lives_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
