/* SPDX-License-Identifier: MIT
 *
 * What a snapshot will cost the program, from what earlier ones did, and what follows: where it is
 * taken and when the next one may come. Pure: no clock, no I/O.
 */
#ifndef MEMPROF_COST_H
#define MEMPROF_COST_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

/* `auto` takes snapshots in place up to this pause. */
#define COST_INLINE_LIMIT_MS 20

struct cost {
    uint64_t objects;       /* in the last snapshot, or as counted since */
    double inline_ns;       /* of processor time per object */
    double fork_us;         /* of processor time per MB of resident memory */
    double first_inline_ns; /* what is taken for it until it is measured */
};

/* `collects`: gc.collect() is part of a snapshot in place. */
void cost_begin(struct cost *cost, bool collects);

/* The number of objects from which on cost_prefers_fork() can be true: no need to count further. */
uint64_t cost_count_limit(const struct cost *cost);

/* Whether a snapshot in place would take longer than the limit and longer than a copy of
 * `resident_bytes`. */
bool cost_prefers_fork(const struct cost *cost, uint64_t resident_bytes);

/* What the pause of a snapshot in place, or of a copy, has cost in processor time. What was
 * measured of the other is forgotten by and by, so that one bad figure, from a busy machine
 * perhaps, does not decide for ever. */
void cost_add_inline(struct cost *cost, uint64_t objects, double used_ms);
void cost_add_fork(struct cost *cost, uint64_t resident_bytes, double used_ms);

/* Milliseconds from one snapshot to the next: the interval, or as long as it takes for `pause_ms`
 * to be no more than `percent` of it. */
uint64_t cost_interval_ms(uint64_t interval_ms, double pause_ms, long percent);

#endif
