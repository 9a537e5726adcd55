/* SPDX-License-Identifier: MIT
 *
 * Nobody is told the same thing twice. A suspect is spoken of again when its growth has doubled, so
 * a leak of any length takes a handful of lines. What was cleared has shown up to which height it
 * may grow: only what exceeds that by a quarter counts afterwards, so that a wave, or the last part
 * of a cache that fills ever more slowly, is not suspected again and again.
 */
#include "growth/trend_watch.h"

static enum trend_measure first_of(unsigned measures)
{
    return measures & TREND_BYTES ? TREND_BYTES : TREND_COUNT;
}

static size_t find_base(const struct trend_watch *watch, const struct trend_sample *samples,
                        size_t count)
{
    size_t since = 0;
    while (since + 1 < count && samples[since + 1].snapshot <= watch->base.snapshot)
        since++;
    return since;
}

int64_t trend_watch_growth(const struct trend_watch *watch, const struct trend_sample *now,
                           enum trend_measure measure)
{
    const struct trend_sample samples[] = {watch->base, *now};
    return trend_growth(samples, 2, measure, 0);
}

double trend_watch_rate_per_hour(const struct trend_watch *watch, const struct trend_sample *now,
                                 enum trend_measure measure)
{
    const struct trend_sample samples[] = {watch->base, *now};
    return trend_rate_per_hour(samples, 2, measure, 0);
}

enum { FEW = 4 };

/* New objects are taken to be of the size of all others. */
bool trend_watch_is_by_size(const struct trend_watch *watch, const struct trend_sample *now)
{
    if (watch->measures != TREND_BYTES || now->count == 0)
        return false;
    double each = (double)now->bytes / (double)now->count;
    double objects = (double)trend_watch_growth(watch, now, TREND_COUNT);
    if (objects <= FEW)
        return true; /* what is large may be new itself */
    return objects * each * 2 < (double)trend_watch_growth(watch, now, TREND_BYTES);
}

static uint64_t height_to_forgive(uint64_t forgiven, uint64_t base, uint64_t height)
{
    if (height > base)
        height += (height - base) / 4;
    return height > forgiven ? height : forgiven;
}

static void forgive(struct trend_watch *watch, const struct trend_sample *samples, size_t count)
{
    struct trend_level height = {0, 0};
    for (size_t i = find_base(watch, samples, count); i < count; i++) {
        if (samples[i].count > height.count)
            height.count = samples[i].count;
        if (samples[i].bytes > height.bytes)
            height.bytes = samples[i].bytes;
    }
    struct trend_level *forgiven = &watch->forgiven;
    forgiven->count = height_to_forgive(forgiven->count, watch->base.count, height.count);
    forgiven->bytes = height_to_forgive(forgiven->bytes, watch->base.bytes, height.bytes);
    watch->suspected = false;
    watch->measures = 0;
}

static bool still_grows(const struct trend_watch *watch, const struct trend_sample *samples,
                        size_t count)
{
    size_t since = find_base(watch, samples, count);
    return ((watch->measures & TREND_COUNT) && trend_grows(samples, count, TREND_COUNT, since)) ||
           ((watch->measures & TREND_BYTES) && trend_grows(samples, count, TREND_BYTES, since));
}

/* In each of the last eight snapshots: a leak that has become much slower, after a warm-up, is one
 * still, from some later sample on; the last part of a cache that fills is not. */
static bool rises_always(const struct trend_sample *samples, size_t count)
{
    size_t more_objects = 0, more_bytes = 0;
    for (size_t i = count > 8 ? count - 8 : 1; i < count; i++) {
        if (samples[i].snapshot - samples[i - 1].snapshot > 1)
            return false;
        more_objects += samples[i].count > samples[i - 1].count;
        more_bytes += samples[i].bytes > samples[i - 1].bytes;
    }
    return more_objects == 8 || more_bytes == 8;
}

static bool accuse(struct trend_watch *watch, const struct trend_sample *samples, size_t count,
                   struct trend *trend)
{
    *trend = trend_judge(samples, count, &watch->forgiven);
    if (trend->verdict != TREND_LEAK)
        return false;
    watch->suspected = true;
    watch->measures = trend->measures;
    watch->base = samples[trend->since];
    watch->told = trend_watch_growth(watch, &samples[count - 1], first_of(watch->measures));
    return true;
}

static enum trend_event clear(struct trend_watch *watch, const struct trend_sample *samples,
                              size_t count, struct trend *trend)
{
    forgive(watch, samples, count);
    *trend = trend_judge(samples, count, &watch->forgiven);
    if (trend->verdict == TREND_LEAK)
        *trend = (struct trend){TREND_UNDECIDED, 0, 0};
    return TREND_CLEARED;
}

enum trend_event trend_watch_step(struct trend_watch *watch, const struct trend_sample *samples,
                                  size_t count, struct trend *trend)
{
    if (!watch->suspected)
        return accuse(watch, samples, count, trend) ? TREND_SUSPECTED : TREND_NO_EVENT;
    if (!still_grows(watch, samples, count) &&
        !(rises_always(samples, count) && accuse(watch, samples, count, trend)))
        return clear(watch, samples, count, trend);
    *trend = (struct trend){TREND_LEAK, watch->measures, find_base(watch, samples, count)};
    int64_t growth = trend_watch_growth(watch, &samples[count - 1], first_of(watch->measures));
    if (growth / 2 < watch->told)
        return TREND_NO_EVENT;
    watch->told = growth;
    return TREND_DOUBLED;
}
