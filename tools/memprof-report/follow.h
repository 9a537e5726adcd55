/* SPDX-License-Identifier: MIT
 *
 * A view of what is still being written: the summary, anew whenever it changes.
 */
#ifndef MEMPROF_REPORT_FOLLOW_H
#define MEMPROF_REPORT_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

/* Ends at SIGINT or SIGTERM, and when all inputs are pipes that have ended. 0, or -1 and said on
 * standard error. */
int follow_run(char **names, size_t count, size_t rows, int64_t pid);

#endif
