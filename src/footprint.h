/* SPDX-License-Identifier: MIT
 *
 * The memory of a process as everybody counts it who has a part in it, and how that has changed
 * from snapshot to snapshot, in bounded memory (6 KB). Pure.
 */
#ifndef MEMPROF_FOOTPRINT_H
#define MEMPROF_FOOTPRINT_H

#include "growth/series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOOTPRINT_UNKNOWN UINT64_MAX

/* Each member but the last three may be FOOTPRINT_UNKNOWN. */
struct footprint {
    uint64_t resident_bytes; /* of the kernel (process_stats.h) */
    uint64_t anonymous_bytes;
    uint64_t swapped_bytes;
    uint64_t blocks;               /* of Python's allocators (py_blocks.h) */
    uint64_t allocator_used_bytes; /* of the C library (allocator_stats.h) */
    uint64_t allocator_free_bytes;
    uint64_t tracked_bytes; /* of the snapshot itself */
    uint64_t tracked_objects;
    uint64_t snapshot; /* its number, rising */
};

/* Zero is the empty history. */
struct footprints {
    struct footprint first;
    struct footprint last;
    struct footprint *kept; /* those whose memory `memory` remembers, oldest first, owned */
    size_t kept_count;
    struct series memory; /* footprint_memory() of them; their counts are megabytes of Python's */
};

/* What the process has of the system and nobody else: anonymous memory, swapped or not, without the
 * pages of files, which come and go as the system likes. */
uint64_t footprint_memory(const struct footprint *footprint);

/* Adds what the snapshot itself knows. A count of blocks that is less than that of objects is not
 * one of all blocks (PYTHONMALLOC=mimalloc tells those of a single thread), and becomes unknown. */
void footprint_complete(struct footprint *footprint, uint64_t tracked_bytes,
                        uint64_t tracked_objects, uint64_t snapshot);

/* Adds the footprint of the newest snapshot. Where memory is short older ones are forgotten. */
void footprints_add(struct footprints *footprints, const struct footprint *footprint);

/* The newest one up to `at`, one of those kept, of which the C allocator's figures are known (not
 * every snapshot asks for them: allocator_stats.h); `at` itself where none are. */
const struct footprint *footprints_asked(const struct footprints *footprints,
                                         const struct footprint *at);

void footprints_clear(struct footprints *footprints);

#endif
