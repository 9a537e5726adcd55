/* SPDX-License-Identifier: MIT
 *
 * What was left out of the input: each is counted, and the first few are told on standard error.
 */
#ifndef MEMPROF_REPORT_COMPLAINTS_H
#define MEMPROF_REPORT_COMPLAINTS_H

#include "sink.h"

#include <stdio.h>

/* Zero is none. */
struct complaints {
    uint64_t counts[SKIPPED_KINDS];
    uint64_t told;
};

/* `text` is told with its place, unless it is NULL or enough have been. */
void complaints_add(struct complaints *complaints, enum skipped what, const char *file,
                    uint64_t line, const char *text);

/* One line that sums up, or none if there is nothing to say. */
void complaints_write(const struct complaints *complaints, FILE *out);

#endif
