/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "io/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct spot {
    char folder[64];
    char path[256];
};

static int spot_make(void **state)
{
    struct spot *spot = xcalloc(1, sizeof *spot);
    strcpy(spot->folder, "/tmp/rpcgate-test-XXXXXX");
    if (mkdtemp(spot->folder) == NULL)
        return -1;
    snprintf(spot->path, sizeof spot->path, "%s/s.sock", spot->folder);
    *state = spot;
    return 0;
}

static int spot_remove(void **state)
{
    struct spot *spot = *state;
    unlink(spot->path);
    int result = rmdir(spot->folder);
    free(spot);
    return result;
}

static void expect_refusal(const struct listen_config *config, const char *part)
{
    struct listener l;
    char *why = NULL;
    assert_false(
        listener_open(&(struct listener_options){ .config = config, .n_workers = 2 }, &l, &why));
    assert_non_null(why);
    if (strstr(why, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, part);
    free(why);
}

static struct listener must_open(const struct listen_config *config, size_t n_workers)
{
    struct listener l = { .n = 0 };
    char *why = NULL;
    if (!listener_open(&(struct listener_options){ .config = config, .n_workers = n_workers }, &l,
                       &why))
        fail_msg("%s", why);
    return l;
}

static bool connects_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static void test_tcp(void **state UNUSED)
{
    char address[] = "127.0.0.1";
    struct listen_config config = { .address = address, .port = 0 };
    struct listener l = must_open(&config, 3);
    assert_int_equal(l.n, 3);
    assert_false(l.is_unix);
    assert_true(l.port > 0);
    char name[64];
    snprintf(name, sizeof name, "http://127.0.0.1:%u", l.port);
    assert_string_equal(l.name, name);
    for (size_t i = 0; i < l.n; i++) {
        struct sockaddr_in in;
        socklen_t len = sizeof in;
        assert_int_equal(getsockname(l.fds[i], (struct sockaddr *)&in, &len), 0);
        assert_int_equal(ntohs(in.sin_port), l.port);
        assert_true((fcntl(l.fds[i], F_GETFL) & O_NONBLOCK) != 0);
        assert_true((fcntl(l.fds[i], F_GETFD) & FD_CLOEXEC) != 0);
        assert_true(i == 0 || l.fds[i] != l.fds[i - 1]);
    }
    struct listen_config taken = { .address = address, .port = l.port };
    expect_refusal(&taken, "set another `port`");
    listener_close(&l, true);
    l = must_open(&taken, 1);
    listener_close(&l, false);
}

static bool have_ipv6(void)
{
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool have = probe >= 0 && bind(probe, (struct sockaddr *)&in6, sizeof in6) == 0;
    if (probe >= 0)
        close(probe);
    return have;
}

/* As a service manager gives them: of each family, and told whether the network can reach them. */
static void test_given(void **state UNUSED)
{
    struct {
        char address[16];
        bool is_6, faces_network;
    } cases[] = {
        { "127.0.0.1", false, false },
        { "0.0.0.0", false, true },
        { "::1", true, false },
        { "::", true, true },
    };
    char api[] = "api";
    struct listen_config given = { .systemd = api };
    struct listener_options options = { .config = &given, .n_workers = 2 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listen_config config = { .address = cases[i].address, .port = 0 };
        struct listener l;
        char *why = NULL;
        if (cases[i].is_6 && !have_ipv6())
            continue;
        struct listener open = must_open(&config, 1);
        if (!listener_take(&options, open.fds[0], &l, &why))
            fail_msg("%s", why);
        assert_string_equal(l.name, open.name);
        assert_true(l.is_given && l.is_shared && !l.is_unix);
        assert_int_equal(l.faces_network, cases[i].faces_network);
        assert_int_equal(l.port, open.port);
        assert_int_equal(l.n, 2);
        assert_int_not_equal(l.fds[0], open.fds[0]);
        listener_close(&l, true);
        listener_close(&open, false);
    }
}

static void test_tcp6(void **state)
{
    char loopback6[] = "::1", loopback[] = "127.0.0.1";
    struct listen_config config = { .address = loopback6, .port = 0 };
    (void)state;
    if (!have_ipv6())
        skip();
    struct listener l = must_open(&config, 1);
    char name[64];
    snprintf(name, sizeof name, "http://[::1]:%u", l.port);
    assert_string_equal(l.name, name);
    struct listen_config same_port = { .address = loopback, .port = l.port };
    struct listener other = must_open(&same_port, 1);
    listener_close(&other, false);
    listener_close(&l, false);
}

static void test_tcp_refusals(void **state UNUSED)
{
    char name[] = "localhost", loopback[] = "127.0.0.1";
    expect_refusal(&(struct listen_config){ .address = name }, "IPv4 or IPv6 address");
    struct listen_config config = { .address = loopback };
    struct listener l = must_open(&config, 1);
    assert_false(l.is_early);
    config.port = l.port;
    expect_refusal(&config, "another `port`");
    listener_close(&l, false);
}

/* RFC 5737, RFC 3849: no machine has these. */
static void test_tcp_before_the_address_is_there(void **state UNUSED)
{
    char v4[] = "192.0.2.7", v6[] = "2001:db8::7";
    char *addresses[] = { v4, v6 };
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct listen_config config = { .address = addresses[i] };
        struct listener l, other;
        char *why = NULL;
        const struct listener_options options = { .config = &config, .n_workers = 2 };
        if (!listener_open(&options, &l, &why)) {
            assert_ptr_equal(addresses[i], v6); /* a kernel without IPv6 */
            free(why);
            continue;
        }
        assert_true(l.is_early);
        assert_true(l.port != 0);
        config.port = l.port;
        assert_false(listener_open(&options, &other, &why));
        assert_non_null(strstr(why, "another `port`"));
        free(why);
        listener_close(&l, false);
    }
}

static void test_unix(void **state)
{
    struct spot *spot = *state;
    struct group *own = getgrgid(getegid());
    struct listen_config config = { .unix = spot->path,
                                    .mode = 0620,
                                    .group = own != NULL ? own->gr_name : NULL };
    struct stat status;
    struct listener l = must_open(&config, 3);
    assert_true(l.is_unix);
    assert_int_equal(l.fds[0], l.fds[2]);
    assert_int_equal(stat(spot->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0620);
    assert_int_equal(status.st_gid, getegid());
    assert_true(connects_unix(spot->path));
    assert_int_equal(strncmp(l.name, "unix:/", 6), 0);
    expect_refusal(&config, "another process answers");
    assert_true(connects_unix(spot->path));

    listener_close(&l, /* unlink_path */ false); /* a stale socket stays */
    assert_int_equal(stat(spot->path, &status), 0);
    assert_false(connects_unix(spot->path));
    l = must_open(&config, 1);
    assert_true(connects_unix(spot->path));
    listener_close(&l, /* unlink_path */ true);
    assert_int_not_equal(stat(spot->path, &status), 0);
}

static void test_unix_refusals(void **state)
{
    struct spot *spot = *state;
    char path[512];
    snprintf(path, sizeof path, "%s/none/s.sock", spot->folder);
    expect_refusal(&(struct listen_config){ .unix = path, .mode = 0660 }, "folder does not exist");
    snprintf(path, sizeof path, "%s/%0200d", spot->folder, 1);
    expect_refusal(&(struct listen_config){ .unix = path, .mode = 0660 }, "may be 107");
    char group[] = "no-such-group";
    expect_refusal(&(struct listen_config){ .unix = spot->path, .mode = 0660, .group = group },
                   "the group \"no-such-group\" does not exist");
    assert_int_not_equal(access(spot->path, F_OK), 0);

    int file = open(spot->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(file);
    expect_refusal(&(struct listen_config){ .unix = spot->path, .mode = 0660 }, "no socket");
    assert_int_equal(access(spot->path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_tcp6),
        cmocka_unit_test(test_tcp_refusals),
        cmocka_unit_test(test_tcp_before_the_address_is_there),
        cmocka_unit_test_setup_teardown(test_unix, spot_make, spot_remove),
        cmocka_unit_test_setup_teardown(test_unix_refusals, spot_make, spot_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
