/* SPDX-License-Identifier: MIT
 *
 * Invariant: `kept` holds a footprint for each sample of `memory`, which decides what is forgotten,
 * in the same order.
 */
#include "footprint.h"

#include "memory.h"

uint64_t footprint_memory(const struct footprint *footprint)
{
    if (footprint->anonymous_bytes == FOOTPRINT_UNKNOWN)
        return FOOTPRINT_UNKNOWN;
    return footprint->anonymous_bytes +
           (footprint->swapped_bytes == FOOTPRINT_UNKNOWN ? 0 : footprint->swapped_bytes);
}

void footprint_complete(struct footprint *footprint, uint64_t tracked_bytes,
                        uint64_t tracked_objects, uint64_t snapshot)
{
    footprint->tracked_bytes = tracked_bytes;
    footprint->tracked_objects = tracked_objects;
    footprint->snapshot = snapshot;
    if (footprint->blocks < tracked_objects)
        footprint->blocks = FOOTPRINT_UNKNOWN;
}

static bool is_of(const struct footprint *footprint, const struct series_sample *sample)
{
    struct trend_sample full = {.snapshot = (uint32_t)footprint->snapshot};
    return series_pack(&full).snapshot == sample->snapshot;
}

/* Forgets what the series has. */
static void follow_series(struct footprints *footprints)
{
    size_t kept = 0;
    for (size_t i = 0; i < footprints->kept_count && kept < footprints->memory.count; i++) {
        if (is_of(&footprints->kept[i], &footprints->memory.samples[kept]))
            footprints->kept[kept++] = footprints->kept[i];
    }
    footprints->kept_count = kept;
}

static void remember(struct footprints *footprints, const struct footprint *footprint)
{
    if (footprints->kept == NULL)
        footprints->kept = memory_allocate_zeroed(TREND_SAMPLES_MAX + 1, sizeof(*footprints->kept));
    if (footprints->kept == NULL)
        return;
    struct trend_sample sample = {.bytes = footprint_memory(footprint),
                                  .count = footprint->tracked_bytes >> 20,
                                  .snapshot = (uint32_t)footprint->snapshot};
    if (series_add(&footprints->memory, series_pack(&sample), TREND_SAMPLES_MAX) != 0)
        return;
    footprints->kept[footprints->kept_count++] = *footprint;
    follow_series(footprints);
}

void footprints_add(struct footprints *footprints, const struct footprint *footprint)
{
    if (footprints->last.snapshot == 0)
        footprints->first = *footprint;
    footprints->last = *footprint;
    if (footprint_memory(footprint) != FOOTPRINT_UNKNOWN)
        remember(footprints, footprint);
}

const struct footprint *footprints_asked(const struct footprints *footprints,
                                         const struct footprint *at)
{
    for (size_t i = (size_t)(at - footprints->kept) + 1; i-- > 0;) {
        if (footprints->kept[i].allocator_used_bytes != FOOTPRINT_UNKNOWN)
            return &footprints->kept[i];
    }
    return at;
}

void footprints_clear(struct footprints *footprints)
{
    memory_free(footprints->kept);
    series_clear(&footprints->memory);
    *footprints = (struct footprints){0};
}
