/* SPDX-License-Identifier: MIT
 *
 * What kind of file stands behind a path or a descriptor, and which.
 */
#ifndef MEMPROF_FILE_FACTS_H
#define MEMPROF_FILE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct file_facts {
    unsigned type; /* S_IFREG and the like */
    uint64_t inode;
    uint32_t device_major, device_minor;
    uint32_t owner;
    uint32_t names;       /* how many directory entries it has */
    unsigned permissions; /* 0644 and the like */
};

/* Looks at `path`, relative to the directory behind `descriptor` (AT_FDCWD); an empty path means
 * the descriptor itself. Returns 0, or -1 with errno set: ENOSYS before Linux 4.11, EPERM from some
 * old seccomp profiles. Async-signal-safe. */
int file_facts_read(struct file_facts *facts, int descriptor, const char *path);

/* The same, but a symbolic link that `path` ends in is looked at itself. */
int file_facts_read_link(struct file_facts *facts, int descriptor, const char *path);

bool file_facts_same_file(const struct file_facts *one, const struct file_facts *other);

#endif
