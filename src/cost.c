/* SPDX-License-Identifier: MIT
 *
 * The figures for the first snapshot come from measurements: gc.collect() takes 90 to 210 ns per
 * object and the walk 4 to 50; a copy takes 18 to 30 us per MB of resident memory, mostly for page
 * tables.
 */
#include "cost.h"

enum { FIRST_COLLECT_NS = 120, FIRST_WALK_NS = 25, FIRST_FORK_US = 25, MB = 1 << 20 };

/* `value`, moved towards `target` by a share of the way. */
static double approach(double value, double target, double share)
{
    return value + (target - value) * share;
}

static const double LEARN = 0.5;
static const double FORGET = 0.1;

void cost_begin(struct cost *cost, bool collects)
{
    double first_ns = FIRST_WALK_NS + (collects ? FIRST_COLLECT_NS : 0);
    *cost = (struct cost){0, first_ns, FIRST_FORK_US, first_ns};
}

uint64_t cost_count_limit(const struct cost *cost)
{
    return (uint64_t)(COST_INLINE_LIMIT_MS * 1e6 / cost->inline_ns) + 1;
}

bool cost_prefers_fork(const struct cost *cost, uint64_t resident_bytes)
{
    double inline_ms = (double)cost->objects * cost->inline_ns / 1e6;
    double fork_ms = (double)resident_bytes / MB * cost->fork_us / 1e3;
    return inline_ms > COST_INLINE_LIMIT_MS && inline_ms > fork_ms;
}

void cost_add_inline(struct cost *cost, uint64_t objects, double used_ms)
{
    cost->objects = objects;
    cost->fork_us = approach(cost->fork_us, FIRST_FORK_US, FORGET);
    if (objects > 0)
        cost->inline_ns = approach(cost->inline_ns, used_ms * 1e6 / (double)objects, LEARN);
}

void cost_add_fork(struct cost *cost, uint64_t resident_bytes, double used_ms)
{
    cost->inline_ns = approach(cost->inline_ns, cost->first_inline_ns, FORGET);
    if (resident_bytes >= MB)
        cost->fork_us =
            approach(cost->fork_us, used_ms * 1e3 / ((double)resident_bytes / MB), LEARN);
}

uint64_t cost_interval_ms(uint64_t interval_ms, double pause_ms, long percent)
{
    double least_ms = pause_ms * 100 / (double)percent;
    return least_ms > (double)interval_ms ? (uint64_t)least_ms + 1 : interval_ms;
}
