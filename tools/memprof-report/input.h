/* SPDX-License-Identifier: MIT
 *
 * The files of the command line, read one after the other.
 */
#ifndef MEMPROF_REPORT_INPUT_H
#define MEMPROF_REPORT_INPUT_H

#include "complaints.h"
#include "receiver.h"

#include <stddef.h>

/* Opens a file, or standard input for "-". -1, and said on standard error, if that cannot be. */
int input_open(const char *name);

/* What a file is called in the report: `snapshots.jsonl` for the rotated `snapshots.jsonl.2` too,
 * because it is the same process that goes on. Owned by the caller; NULL when out of memory. */
char *input_label(const char *name);

/* Puts the rotated files of one name in order: the highest number is the oldest. */
void input_order(char **names, size_t count);

/* Hands all that is in the files to the receiver. 0; -1, and said on standard error, if one could
 * not be read: the others are. */
int input_read(char **names, size_t count, const struct receiver *receiver,
               struct complaints *complaints);

#endif
