/* SPDX-License-Identifier: MIT
 *
 * Which Python process of a process tree this is. The first one on each path marks the environment
 * with its process id; whoever inherits the mark descends from it.
 */
#ifndef MEMPROF_LINEAGE_H
#define MEMPROF_LINEAGE_H

#include <sys/types.h>

enum lineage {
    LINEAGE_FIRST,     /* no Python process above this one was seen */
    LINEAGE_SAME,      /* the first one, after an exec that replaced its program */
    LINEAGE_DESCENDANT /* a Python process above this one carries the mark */
};

/* Reads the mark `text` (the value of MEMPROF_ENV_MARK, or NULL) for the process `self`. Anything
 * but a decimal process id counts as no mark. */
enum lineage lineage_read(const char *text, pid_t self);

#endif
