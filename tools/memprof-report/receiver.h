/* SPDX-License-Identifier: MIT
 *
 * What is done with snapshots, by those who know where each comes from.
 */
#ifndef MEMPROF_REPORT_RECEIVER_H
#define MEMPROF_REPORT_RECEIVER_H

#include "reading.h"

struct origin {
    const char *source; /* the file, and within it the container or unit where one is named */
    int64_t pid;        /* or READING_UNKNOWN */
};

/* The functions belong to `self` and return 0, or -1 when out of memory. What they are given is the
 * caller's. */
struct receiver {
    void *self;
    int (*snapshot)(void *self, const struct origin *origin, const struct reading *reading);
    int (*verdict)(void *self, const struct origin *origin, const struct verdict *verdict);
    int (*start)(void *self, const struct origin *origin);
};

#endif
