/* SPDX-License-Identifier: MIT
 *
 * A file that gets one line after the other, from several processes at once perhaps.
 */
#ifndef MEMPROF_SNAPSHOT_FILE_H
#define MEMPROF_SNAPSHOT_FILE_H

#include <stddef.h>
#include <stdint.h>

struct snapshot_file {
    const char *path; /* absolute; each `%p` in it stands for `pid`. Borrowed. */
    long pid;
    uint64_t limit_bytes; /* larger it does not become, unless a single line is */
};

/* Appends a line, which begins with MEMPROF_LINE_START and ends with a newline, in one write(); a
 * file that the line would make too large is renamed to the path with `.1` at its end, in the place
 * of the one that has that name. Makes the file, for its user only, but no directory. Never follows
 * a symbolic link to it, nor writes to anything but a regular file that is empty or begins with
 * such a line. Returns 0, or -1 with the reason in `*why` (valid until the next call): then the
 * line is lost. Takes about a second where another process holds it. One thread at a time. Needs no
 * GIL. */
int snapshot_file_append(const struct snapshot_file *file, const char *line, size_t size,
                         const char **why);

/* In a forked child: the parent may be writing at this moment. Async-signal-safe. */
void snapshot_file_forget(void);

#endif
