/* SPDX-License-Identifier: MIT
 *
 * A snapshot as one line of JSON with exact figures: MEMPROF_SCHEMA_VERSION of the schema that the
 * README describes. Pure: no clock, no I/O.
 */
#ifndef MEMPROF_SNAPSHOT_LINE_H
#define MEMPROF_SNAPSHOT_LINE_H

#include "growth/trend_watch.h"
#include "snapshot.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct snapshot_verdict {
    enum trend_event event; /* but not TREND_NO_EVENT */
    const char *class;
    const char *text;
};

/* What a snapshot does not know of itself. */
struct snapshot_line {
    struct timespec time; /* when it began, by the wall clock */
    uint64_t elapsed_ms;  /* then, since the process began to be profiled */
    long pid;
    size_t rows; /* of each of its tables */
    const struct snapshot_verdict *verdicts;
    size_t verdict_count;
};

/* Appends the line of a ranked snapshot, with its newline. */
void snapshot_line_add(struct text *text, const struct snapshot *snapshot,
                       const struct snapshot_line *line);

#endif
