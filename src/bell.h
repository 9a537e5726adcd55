/* SPDX-License-Identifier: MIT
 *
 * A sleep that can be cut short, also from a signal handler. Built on a futex because each other
 * way has a flaw in a guest: condition variables bind to an old version in some C libraries, pipes
 * and eventfds are shared across fork, so that a parent takes its child's wake-up.
 */
#ifndef MEMPROF_BELL_H
#define MEMPROF_BELL_H

#include <stdatomic.h>
#include <stdint.h>

/* Zero is a valid start. Remember `rings` first, look whether there is work, then wait. */
struct bell {
    atomic_uint rings;
};

/* Milliseconds of CLOCK_MONOTONIC: the time base of everything here. */
uint64_t monotonic_ms(void);

/* The same in microseconds, for durations. */
uint64_t monotonic_us(void);

/* Wakes everybody who waits. Async-signal-safe. */
void bell_ring(struct bell *bell);

/* Sleeps until the bell has rung since `seen` was read from it, or until `until_ms`; a signal that
 * the thread handles may end it early too. */
void bell_wait(struct bell *bell, unsigned seen, uint64_t until_ms);

#endif
