/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "bell.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct bell bell;

static void test_a_ring_before_the_wait_is_not_lost(void **state)
{
    (void)state;
    unsigned seen = atomic_load(&bell.rings);
    bell_ring(&bell);
    bell_wait(&bell, seen, UINT64_MAX); /* would never return */
}

static void test_a_past_deadline_does_not_wait(void **state)
{
    (void)state;
    bell_wait(&bell, atomic_load(&bell.rings), 0);
    bell_wait(&bell, atomic_load(&bell.rings), monotonic_ms());
}

static void test_waits_for_the_deadline(void **state)
{
    (void)state;
    uint64_t until_ms = monotonic_ms() + 30;
    while (monotonic_ms() < until_ms)
        bell_wait(&bell, atomic_load(&bell.rings), until_ms);
    assert_true(monotonic_ms() >= until_ms);
    assert_true(monotonic_us() / 1000 >= until_ms);
}

static void *ring(void *unused)
{
    usleep(10000);
    bell_ring(&bell);
    return unused;
}

static void test_another_thread_rings(void **state)
{
    (void)state;
    pthread_t thread;
    unsigned seen = atomic_load(&bell.rings);
    assert_int_equal(pthread_create(&thread, NULL, ring, NULL), 0);
    while (atomic_load(&bell.rings) == seen)
        bell_wait(&bell, seen, UINT64_MAX);
    pthread_join(thread, NULL);
}

static void on_signal(int number)
{
    (void)number;
    bell_ring(&bell);
}

static void test_a_signal_handler_rings(void **state)
{
    (void)state;
    unsigned seen = atomic_load(&bell.rings);
    signal(SIGALRM, on_signal);
    ualarm(10000, 0);
    while (atomic_load(&bell.rings) == seen)
        bell_wait(&bell, seen, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ring_before_the_wait_is_not_lost),
        cmocka_unit_test(test_a_past_deadline_does_not_wait),
        cmocka_unit_test(test_waits_for_the_deadline),
        cmocka_unit_test(test_another_thread_rings),
        cmocka_unit_test(test_a_signal_handler_rings),
    };
    return cmocka_run_group_tests_name("bell", tests, NULL, NULL);
}
