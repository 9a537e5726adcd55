/* SPDX-License-Identifier: MIT
 *
 * How much the classes of a process have grown, from where each was first seen.
 */
#ifndef MEMPROF_REPORT_GROWTH_H
#define MEMPROF_REPORT_GROWTH_H

#include "model.h"

struct growth {
    const struct class *class;
    int64_t first, last;
    double per_hour; /* 0 where the time is not known */
};

/* Of classes that are in the newest snapshot the `limit` that have grown most, largest first. */
size_t growth_rank(const struct process *process, bool is_bytes, struct growth *rows, size_t limit);

/* Of a figure of the process: false if it is not known at two points in time. */
bool growth_of_figure(const struct process *process, enum figure figure, struct growth *growth);

/* What `change` is per hour, 0 where the time is not known or none has passed. */
double growth_per_hour(const struct process *process, int64_t change, int64_t span_ms);

enum { SPARKLINE_BARS = 12, SPARKLINE_SIZE = SPARKLINE_BARS * 3 + 1 };

/* Bars for the values of a class over the snapshots, `sparkline_of_figure` for those of a process.
 * Empty if there are less than two. */
void sparkline_of_class(char text[SPARKLINE_SIZE], const struct process *process,
                        const struct class *class, bool is_bytes);
void sparkline_of_figure(char text[SPARKLINE_SIZE], const struct process *process,
                         enum figure figure);

#endif
