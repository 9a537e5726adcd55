/* SPDX-License-Identifier: MIT
 *
 * A path is looked at before it is opened, because opening some devices already does something, and
 * the open file is looked at again, because the path may have changed in between. */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_facts.h"
#include "memprof.h"

static const char *type_name(unsigned type)
{
    switch (type) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "a special file";
    }
}

static int fail_with_errno(struct fault *fault)
{
    return fault_set(fault, 0, 0, "cannot be read: %s", strerror(errno));
}

static int check_type(int descriptor, const char *path, struct fault *fault)
{
    struct file_facts facts;

    if (file_facts_read(&facts, descriptor, path) == 0) {
        if (facts.type == S_IFREG)
            return 0;
        return fault_set(fault, 0, 0, "cannot be read: found %s, allowed: a regular file",
                         type_name(facts.type));
    }
    /* Kernels before 4.11 and old seccomp profiles refuse statx; O_NONBLOCK and lseek() still keep
     * a FIFO or a socket from harming us. */
    if (errno == ENOSYS || errno == EPERM)
        return path[0] == '\0' && lseek(descriptor, 0, SEEK_END) < 0 ? fail_with_errno(fault) : 0;
    return fail_with_errno(fault);
}

static int read_all(int descriptor, char *bytes, size_t room, size_t *size, struct fault *fault)
{
    *size = 0;
    while (*size < room) {
        ssize_t got = read(descriptor, bytes + *size, room - *size);

        if (got == 0)
            return 0;
        if (got > 0)
            *size += (size_t)got;
        else if (errno != EINTR)
            return fail_with_errno(fault);
    }
    return 0;
}

static int read_open_file(int descriptor, size_t limit_bytes, char **bytes, size_t *size,
                          struct fault *fault)
{
    if (check_type(descriptor, "", fault) != 0)
        return -1;
    if (lseek(descriptor, 0, SEEK_SET) < 0)
        return fail_with_errno(fault);
    /* Pages that the file does not fill are never touched, so asking for the limit costs nothing;
     * the size the kernel tells is not to be trusted, a file may grow while it is read. */
    *bytes = malloc(limit_bytes + 1);
    if (*bytes == NULL)
        return fault_out_of_memory(fault);
    if (read_all(descriptor, *bytes, limit_bytes + 1, size, fault) == 0) {
        if (*size <= limit_bytes)
            return 0;
        fault_set(fault, 0, 0, "found more than %zu bytes, allowed: at most %zu (%zu MiB)",
                  limit_bytes, limit_bytes, limit_bytes >> 20);
    }
    free(*bytes);
    *bytes = NULL;
    return -1;
}

int file_read(const char *path, size_t limit_bytes, char **bytes, size_t *size, struct fault *fault)
{
    int descriptor, result;

    *bytes = NULL;
    *size = 0;
    if (check_type(AT_FDCWD, path, fault) != 0)
        return -1;
    do
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        return fail_with_errno(fault);
    result = read_open_file(descriptor, limit_bytes, bytes, size, fault);
    close(descriptor);
    return result;
}
