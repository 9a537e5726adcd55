/* SPDX-License-Identifier: MIT
 *
 * The numbers of one class over time, in bounded memory however long that is.
 */
#ifndef MEMPROF_SERIES_H
#define MEMPROF_SERIES_H

#include "growth/trend.h"

/* A struct trend_sample in half of the space. Larger numbers are cut off at what fits. */
struct series_sample {
    uint64_t bytes : 40;
    uint64_t snapshot : 24;
    uint32_t count;
    uint32_t time_ds; /* tenths of a second */
};

/* Zero is the empty series. */
struct series {
    struct series_sample *samples; /* oldest first, owned */
    uint16_t count;
    uint16_t capacity;
};

struct series_sample series_pack(const struct trend_sample *sample);

/* Adds a sample, newer than all others. Where `limit` (at least 4) or memory leave no room, an
 * older one goes. 0, or -1 when out of memory and there is not even a sample to give up. */
int series_add(struct series *series, struct series_sample sample, size_t limit);

/* Leaves `limit` samples at most, and gives memory back. */
void series_thin(struct series *series, size_t limit);

/* Unpacks at most TREND_SAMPLES_MAX samples, the newest; returns how many. */
size_t series_read(const struct series *series, struct trend_sample *samples);

void series_clear(struct series *series);

#endif
