/* SPDX-License-Identifier: MIT
 *
 * Growth of the process is judged as that of a class is (growth/trend.h), and then compared with
 * Python's own: it is only told where Python's objects cannot account for it.
 */
#include "footprint_verdict.h"

#include "growth/trend.h"

enum {
    /* Less is nothing to speak of. */
    GROWTH_MIN_BYTES = 8 << 20,
    GROWTH_MIN_PART = 16, /* of the process */
    PYTHON_PART = 3,      /* of the growth of the process */
    /* Python's objects have become less for good when they have for so many snapshots, and the
     * process has not where it has given back less than this part of it. */
    FALL_SNAPSHOTS = 4,
    FALL_MIN_PART = 8, /* of the process */
    GIVEN_BACK_PART = 4,
};

static int64_t difference(uint64_t now, uint64_t before)
{
    return (int64_t)(now - before);
}

static bool has_grown(const struct footprint *since, const struct footprint *now)
{
    int64_t growth = difference(footprint_memory(now), footprint_memory(since));
    int64_t python = difference(now->tracked_bytes, since->tracked_bytes);
    return growth >= GROWTH_MIN_BYTES &&
           growth >= (int64_t)(footprint_memory(since) / GROWTH_MIN_PART) &&
           python <= growth / PYTHON_PART;
}

static const struct footprint *find_peak(const struct footprints *footprints)
{
    const struct footprint *peak = &footprints->kept[0];
    for (size_t i = 1; i < footprints->kept_count; i++) {
        if (footprints->kept[i].tracked_bytes >= peak->tracked_bytes)
            peak = &footprints->kept[i];
    }
    return peak;
}

/* Whether the process has kept what Python's objects gave back since `peak`. */
static bool has_kept(const struct footprints *footprints, const struct footprint *peak)
{
    const struct footprint *now = &footprints->kept[footprints->kept_count - 1];
    uint64_t most = 0;
    for (const struct footprint *at = now;
         at > peak && at->snapshot + FALL_SNAPSHOTS > now->snapshot; at--)
        most = at->tracked_bytes > most ? at->tracked_bytes : most;
    if (peak->snapshot + FALL_SNAPSHOTS > now->snapshot)
        return false;
    int64_t fallen = difference(peak->tracked_bytes, most);
    int64_t given_back = difference(footprint_memory(peak), footprint_memory(now));
    return fallen >= GROWTH_MIN_BYTES &&
           fallen >= (int64_t)(footprint_memory(peak) / FALL_MIN_PART) &&
           given_back < fallen / GIVEN_BACK_PART;
}

struct footprint_verdict footprint_verdict(const struct footprints *footprints)
{
    struct footprint_verdict verdict = {FOOTPRINT_AGREED, NULL, NULL};
    if (footprints->kept_count == 0 || footprints->kept_count != footprints->memory.count ||
        footprints->kept[footprints->kept_count - 1].snapshot != footprints->last.snapshot)
        return verdict;
    struct trend_sample samples[TREND_SAMPLES_MAX];
    size_t count = series_read(&footprints->memory, samples);
    for (size_t i = 0; i < count; i++)
        samples[i].count = 0;
    struct trend trend = trend_judge(samples, count, NULL);
    const struct footprint *peak = find_peak(footprints);
    verdict.now = &footprints->kept[footprints->kept_count - 1];
    verdict.since = &footprints->kept[trend.since];
    if (trend.verdict == TREND_LEAK && has_grown(verdict.since, verdict.now)) {
        verdict.kind = FOOTPRINT_GREW;
    } else if (has_kept(footprints, peak)) {
        verdict.kind = FOOTPRINT_KEPT;
        verdict.since = peak;
    }
    return verdict;
}
