/* SPDX-License-Identifier: MIT
 *
 * What the C library's malloc() has of the system, as mallinfo2() tells it: glibc 2.33 and later,
 * mallinfo(3). Large blocks that are mappings of their own count as used.
 *
 * It walks every free block with its arena locked: 13 ms per million of them where they were freed
 * in the order of their addresses, 180 ms where they were not, and threads that call malloc() wait
 * meanwhile. So the place to ask is a twin (twin.h), where it may wait for ever on a lock, though.
 */
#ifndef MEMPROF_ALLOCATOR_STATS_H
#define MEMPROF_ALLOCATOR_STATS_H

#include <stdint.h>

#define ALLOCATOR_STATS_UNKNOWN UINT64_MAX

/* Both are ALLOCATOR_STATS_UNKNOWN where there is no such function, or malloc() is another
 * library's (jemalloc, tcmalloc). */
struct allocator_stats {
    uint64_t used_bytes; /* given to the program, and not given back or kept for the same thread */
    uint64_t free_bytes; /* given back, but not to the system: not all of it needs to be resident */
};

void allocator_stats_read(struct allocator_stats *stats);

/* The same in the program itself: unknown too where asking has just taken so long that it would
 * take more than five milliseconds per call. On one thread only. */
void allocator_stats_read_if_cheap(struct allocator_stats *stats);

#endif
