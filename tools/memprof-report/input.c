/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "log.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROTATED_DIGITS_MAX = 3 };

static bool is_standard_input(const char *name)
{
    return strcmp(name, "-") == 0;
}

int input_open(const char *name)
{
    struct stat facts;
    int descriptor = is_standard_input(name) ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0 && fstat(descriptor, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        close(descriptor);
        descriptor = -1;
        errno = EISDIR;
    }
    if (descriptor < 0)
        fprintf(stderr, "memprof-report: %s: cannot be read: %s\n", name, strerror(errno));
    return descriptor;
}

/* ---- Rotated files ---- */

/* How long the name is without `.2`, and that number, 0 if there is none. */
static size_t split_name(const char *name, int *number)
{
    size_t size = strlen(name), digits = 0;
    *number = 0;
    while (digits < size && name[size - digits - 1] >= '0' && name[size - digits - 1] <= '9')
        digits++;
    if (digits == 0 || digits > ROTATED_DIGITS_MAX || size < digits + 2 ||
        name[size - digits - 1] != '.')
        return size;
    *number = atoi(name + size - digits);
    return size - digits - 1;
}

char *input_label(const char *name)
{
    int number;
    if (is_standard_input(name))
        return strdup("standard input");
    return strndup(name, split_name(name, &number));
}

static bool is_newer(const char *name, const char *other)
{
    int number, number_of_other;
    size_t size = split_name(name, &number);
    return size == split_name(other, &number_of_other) && memcmp(name, other, size) == 0 &&
           number < number_of_other;
}

void input_order(char **names, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t at = 0;
        while (at < i && !is_newer(names[at], names[i]))
            at++;
        char *older = names[i];
        memmove(&names[at + 1], &names[at], (i - at) * sizeof(*names));
        names[at] = older;
    }
}

/* ---- Reading ---- */

static uint64_t total_of(char **names, size_t count)
{
    uint64_t total = 0;
    struct stat facts;
    for (size_t i = 0; i < count; i++) {
        if (stat(names[i], &facts) != 0 || !S_ISREG(facts.st_mode))
            return 0;
        total += (uint64_t)facts.st_size;
    }
    return total;
}

static int complain(const char *name, const char *what)
{
    fprintf(stderr, "memprof-report: %s: cannot be read: %s\n", name, what);
    return -1;
}

static int read_all(struct log *log, struct progress *progress)
{
    enum log_status status;
    while ((status = log_step(log)) == LOG_MORE)
        progress_step(progress, log->name, log->reader.offset);
    progress->bytes_before += log->reader.offset;
    int failure = errno;
    progress_end(progress);
    int finished = log_finish(log);
    if (status == LOG_NO_MEMORY || finished != 0)
        return complain(log->name, "out of memory");
    return status == LOG_FAILED ? complain(log->name, strerror(failure)) : 0;
}

static int read_file(const char *name, const struct receiver *receiver,
                     struct complaints *complaints, struct progress *progress)
{
    struct log log;
    char *label = input_label(name);
    int descriptor = label == NULL ? -1 : input_open(name);
    int status = -1;
    if (descriptor >= 0) {
        log_start(&log, label, descriptor, receiver, complaints);
        status = read_all(&log, progress);
        log_clear(&log);
        if (descriptor != STDIN_FILENO)
            close(descriptor);
    }
    free(label);
    return status;
}

int input_read(char **names, size_t count, const struct receiver *receiver,
               struct complaints *complaints)
{
    struct progress progress;
    int status = 0;
    progress_start(&progress, total_of(names, count));
    for (size_t i = 0; i < count; i++)
        status |= read_file(names[i], receiver, complaints, &progress);
    return status;
}
