/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "config/config.h"
#include "daemon/demo.h"
#include "daemon/options.h"
#include "daemon/service.h"
#include "settings/secret.h"

#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int show(const struct config *config)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    config_print(config, &text);
    return fputs(buf_c(&text), stdout) >= 0 && fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* Is stderr the stream that JOURNAL_STREAM names (systemd.exec(5))? Else it was led elsewhere. */
static bool is_under_journald(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat is;
    char own[64];
    if (stream == NULL || fstat(STDERR_FILENO, &is) != 0)
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)is.st_dev, (uintmax_t)is.st_ino);
    return strcmp(stream, own) == 0;
}

/* Takes the configuration. */
static int serve(struct config *config, const char *path)
{
    const struct service_options options = { path, is_under_journald() };
    log_start();
    int status = service_run(config, &options);
    log_stop();
    return status;
}

/* Takes the configuration. */
static int act(const struct daemon_options *options, struct config *config)
{
    int status = EX_OK;
    if (options->mode == DAEMON_RUN)
        return serve(config, options->config);
    if (options->mode == DAEMON_SHOW)
        status = show(config);
    else if (!options->quiet)
        puts("ok");
    config_unref(config);
    return status;
}

/* What a configuration is warned of belongs to the log of the daemon that runs with it. */
static void tell_warnings(const struct daemon_options *options, const struct config *config,
                          const struct buf *warnings)
{
    if (config == NULL || options->mode != DAEMON_RUN) {
        if (!options->quiet)
            fputs(buf_c(warnings), stderr);
        return;
    }
    log_configure(config->log.level, config->log.format, is_under_journald());
    log_lines(LOG_LEVEL_WARN, buf_c(warnings));
}

static int with_config(const struct daemon_options *options)
{
    struct config_report report;
    int status = EX_CONFIG;
    config_report_init(&report);
    /* What is shown has no secret in it, so that none needs to be read, nor may be. */
    const struct config_read_options how = { .testing = options->mode == DAEMON_TEST,
                                             .sealed = options->mode == DAEMON_SHOW };
    struct config *config = config_read_path(options->config, &how, &report);
    tell_warnings(options, config, &report.warnings);
    fputs(buf_c(&report.errors), stderr);
    if (report.missing)
        status = EX_NOINPUT;
    config_report_done(&report);
    return config != NULL ? act(options, config) : status;
}

static int demo(const struct daemon_options *options)
{
    log_start();
    int status = demo_run(options->listen);
    log_stop();
    return status;
}

/* A socket that got the number of a closed standard stream would receive the log. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* By default glibc gives the heap's top back after each reply, and fetches it again for the next
 * one; and it lets large bodies move into the heap, where they leave holes. */
static void tune_malloc(void)
{
#ifdef __GLIBC__
    mallopt(M_TOP_PAD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
}

int main(int argc, char **argv)
{
    struct daemon_options options;
    open_standard_streams();
    secret_forbid_dumps(); /* passwords are in memory as soon as the configuration is read */
    tune_malloc();
    if (!daemon_options_read(argc, argv, &options))
        return EX_USAGE;
    if (options.mode == DAEMON_END)
        return EX_OK;
    service_block_signals();
    return options.mode == DAEMON_DEMO ? demo(&options) : with_config(&options);
}
