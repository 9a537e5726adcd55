/* SPDX-License-Identifier: MIT
 *
 * The counter is the futex word: a ring between reading it and sleeping is never lost, because the
 * kernel compares it again before it lets the thread sleep.
 */
#include "bell.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t monotonic_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

void bell_ring(struct bell *bell)
{
    int saved = errno;
    atomic_fetch_add(&bell->rings, 1);
    syscall(SYS_futex, &bell->rings, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}

void bell_wait(struct bell *bell, unsigned seen, uint64_t until_ms)
{
    uint64_t now_ms = monotonic_ms();
    if (atomic_load(&bell->rings) != seen || now_ms >= until_ms)
        return;
    uint64_t left_ms = until_ms - now_ms;
    struct timespec timeout = {
        .tv_sec = (time_t)(left_ms / 1000),
        .tv_nsec = (long)(left_ms % 1000) * 1000000,
    };
    syscall(SYS_futex, &bell->rings, FUTEX_WAIT_PRIVATE, seen, &timeout, NULL, 0);
}
