/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libFuzzer's main where there is none: gives a fuzz target its corpus once more, so
 * that every compiler and every `make check` proves what fuzzing has found. The arguments are
 * files or folders; without any it is the corpus that belongs to the program's name, for
 * replay_NAME the folder tests/fuzz/corpus/NAME of the source tree. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static void die(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    exit(1);
}

/* The bytes are in memory of just their size, so that ASan sees a read beyond them. */
static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (file == NULL || data == NULL)
        die(path, strerror(errno));
    if (fread(data, 1, size, file) != size)
        die(path, "cannot be read whole");
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last line names the culprit of a crash */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        die(path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path, (size_t)info.st_size);
        return 1;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    size_t done = 0;
    if (n < 0)
        die(path, strerror(errno));
    for (int i = 0; i < n; i++) {
        char below[4096];
        snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            done += replay(below);
        free(entries[i]);
    }
    free(entries);
    return done;
}

static size_t replay_own_corpus(void)
{
    static const char prefix[] = "replay_";
    const char *name = program_invocation_short_name;
    const char *srcdir = getenv("srcdir");
    char path[4096];
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        die(name, "give the files or folders to replay");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
             name + sizeof prefix - 1);
    size_t done = replay(path);
    if (done == 0)
        die(path, "the corpus is empty");
    return done;
}

int main(int argc, char **argv)
{
    size_t done = 0;
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    if (argc == 1)
        done = replay_own_corpus();
    for (int i = 1; i < argc; i++)
        done += replay(argv[i]);
    printf("%zu inputs replayed\n", done);
    return 0;
}
