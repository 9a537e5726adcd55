/* SPDX-License-Identifier: MIT
 *
 * How far a long input has been read, on standard error where that is a terminal.
 */
#ifndef MEMPROF_REPORT_PROGRESS_H
#define MEMPROF_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_shown; /* standard error is a terminal */
    bool is_dirty; /* the line is there */
    uint64_t steps;
    int64_t next_ms;
    uint64_t total_bytes;  /* of all files; 0 where it is not known */
    uint64_t bytes_before; /* of the files that are done */
};

void progress_start(struct progress *progress, uint64_t total_bytes);

/* Cheap enough for every line. */
void progress_step(struct progress *progress, const char *name, uint64_t bytes);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
