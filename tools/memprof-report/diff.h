/* SPDX-License-Identifier: MIT
 *
 * What has changed between two snapshots.
 */
#ifndef MEMPROF_REPORT_DIFF_H
#define MEMPROF_REPORT_DIFF_H

#include "reading.h"
#include "text.h"

/* `names` are two: `FILE` for its last snapshot, `FILE@N` for its Nth. At most `rows` in each
 * ranking, all if that is 0; of the process `pid` only, unless that is READING_UNKNOWN. -1, and
 * said on standard error, if there is no such snapshot. */
int diff_add(struct text *text, char **names, size_t rows, int64_t pid);

#endif
