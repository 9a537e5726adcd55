/* SPDX-License-Identifier: MIT
 *
 * Invariants: the first sample is never given up, nor are the newest quarter. Of the samples
 * between, the distance grows with their age, so a slow leak can be told from weeks and the present
 * from snapshots. A run of equal values takes two samples, its first and its last, whatever its
 * length: leaks that come in rare jumps stay exact for a long time.
 */
#include "growth/series.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4, CAPACITY_STEP = 4 };

#define BYTES_MAX 0xffffffffffu
#define SNAPSHOT_MAX 0xffffffu

static uint64_t cut(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

struct series_sample series_pack(const struct trend_sample *sample)
{
    return (struct series_sample){
        .bytes = cut(sample->bytes, BYTES_MAX) & BYTES_MAX,
        .snapshot = cut(sample->snapshot, SNAPSHOT_MAX) & SNAPSHOT_MAX,
        .count = (uint32_t)cut(sample->count, UINT32_MAX),
        .time_ds = (uint32_t)cut(sample->time_ms / 100, UINT32_MAX),
    };
}

static bool is_equal(const struct series_sample *a, const struct series_sample *b)
{
    return a->count == b->count && a->bytes == b->bytes;
}

/* Whether `b` stands above or below both of its neighbours. */
static bool is_extreme(const struct series_sample *a, const struct series_sample *b,
                       const struct series_sample *c)
{
    return (b->count > a->count && b->count > c->count) ||
           (b->count < a->count && b->count < c->count) ||
           (b->bytes > a->bytes && b->bytes > c->bytes) ||
           (b->bytes < a->bytes && b->bytes < c->bytes);
}

/* How much is lost without samples[i]: the gap that it would leave, by the standard of its age to
 * the power of 2/3, here cubed. With the age itself too little would be left of the far past to see
 * a slow leak below churn; with its root, of the near past. Peaks and troughs are what churn and
 * floors are measured by, so they may stand closer. */
static double loss_of(const struct series *series, size_t i)
{
    const struct series_sample *sample = &series->samples[i];
    if (is_equal(sample - 1, sample) && is_equal(sample, sample + 1))
        return 0;
    double gap = (double)(sample[1].snapshot - sample[-1].snapshot);
    double age = (double)(series->samples[series->count - 1].snapshot - sample->snapshot);
    double loss = gap * gap * gap / ((age + 1) * (age + 1));
    return is_extreme(sample - 1, sample, sample + 1) ? loss * 16 : loss;
}

static void give_up_one(struct series *series, size_t limit)
{
    size_t victim = 1, end = series->count - (limit < 8 ? 1 : limit / 4);
    double least = loss_of(series, 1);
    for (size_t i = 2; i < end; i++) {
        double loss = loss_of(series, i);
        if (loss < least) {
            least = loss;
            victim = i;
        }
    }
    struct series_sample *samples = series->samples;
    size_t behind = series->count - victim - 1;
    memmove(&samples[victim], &samples[victim + 1], behind * sizeof(*samples));
    series->count--;
}

static int reserve_one(struct series *series, size_t limit)
{
    if (series->count >= limit) {
        while (series->count >= limit)
            give_up_one(series, limit);
        return 0;
    }
    if (series->count < series->capacity)
        return 0;
    size_t capacity = series->capacity == 0 ? FIRST_CAPACITY : series->capacity + CAPACITY_STEP;
    void *samples = realloc(series->samples, capacity * sizeof(*series->samples));
    if (samples == NULL) {
        if (series->count < 3)
            return -1;
        give_up_one(series, series->count);
        return 0;
    }
    series->samples = samples;
    series->capacity = (uint16_t)capacity;
    return 0;
}

int series_add(struct series *series, struct series_sample sample, size_t limit)
{
    struct series_sample *end = series->samples + series->count;
    if (series->count >= 2 && is_equal(end - 1, &sample) && is_equal(end - 2, &sample)) {
        end[-1] = sample;
        return 0;
    }
    if (reserve_one(series, limit) != 0)
        return -1;
    series->samples[series->count++] = sample;
    return 0;
}

void series_thin(struct series *series, size_t limit)
{
    while (series->count > limit)
        give_up_one(series, limit);
    size_t capacity = series->count < FIRST_CAPACITY ? FIRST_CAPACITY : series->count;
    if (capacity >= series->capacity)
        return;
    void *samples = realloc(series->samples, capacity * sizeof(*series->samples));
    if (samples == NULL)
        return;
    series->samples = samples;
    series->capacity = (uint16_t)capacity;
}

size_t series_read(const struct series *series, struct trend_sample *samples)
{
    size_t skipped = series->count > TREND_SAMPLES_MAX ? series->count - TREND_SAMPLES_MAX : 0;
    for (size_t i = skipped; i < series->count; i++) {
        const struct series_sample *sample = &series->samples[i];
        samples[i - skipped] = (struct trend_sample){
            .time_ms = (uint64_t)sample->time_ds * 100,
            .count = sample->count,
            .bytes = sample->bytes,
            .snapshot = (uint32_t)sample->snapshot,
        };
    }
    return series->count - skipped;
}

void series_clear(struct series *series)
{
    free(series->samples);
    *series = (struct series){0};
}
