/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "cost.h"

#define MB ((uint64_t)1 << 20)

static struct cost begin(bool collects, uint64_t objects)
{
    struct cost cost;
    cost_begin(&cost, collects);
    cost.objects = objects;
    return cost;
}

static void test_small_heaps_stay_in_place(void **state)
{
    (void)state;
    struct cost cost = begin(true, 10000);
    assert_false(cost_prefers_fork(&cost, 30 * MB));
    cost.objects = cost_count_limit(&cost);
    assert_true(cost_prefers_fork(&cost, 30 * MB));
    cost.objects -= 2;
    assert_false(cost_prefers_fork(&cost, 30 * MB));
}

static void test_without_collecting_a_walk_is_short(void **state)
{
    (void)state;
    struct cost walk = begin(false, 500000), collect = begin(true, 500000);
    assert_false(cost_prefers_fork(&walk, 100 * MB));
    assert_true(cost_prefers_fork(&collect, 100 * MB));
}

static void test_few_objects_in_much_memory(void **state)
{
    (void)state;
    /* 29 ms in place; a copy of 16 GB takes 400. */
    struct cost cost = begin(true, 200000);
    assert_true(cost_prefers_fork(&cost, 500 * MB));
    assert_false(cost_prefers_fork(&cost, 16384 * MB));
}

static void test_learns_from_what_happens(void **state)
{
    (void)state;
    struct cost cost = begin(true, 0);
    for (int i = 0; i < 5; i++)
        cost_add_inline(&cost, 1000000, 10);
    assert_false(cost_prefers_fork(&cost, 100 * MB));
    for (int i = 0; i < 5; i++)
        cost_add_inline(&cost, 1000000, 200);
    assert_true(cost_prefers_fork(&cost, 100 * MB));
    for (int i = 0; i < 5; i++)
        cost_add_fork(&cost, 100 * MB, 500);
    assert_false(cost_prefers_fork(&cost, 100 * MB));
}

static void test_one_bad_figure_does_not_decide_for_ever(void **state)
{
    (void)state;
    struct cost cost = begin(true, 0);
    int snapshots = 0;
    cost_add_inline(&cost, 10000, 100);
    assert_true(cost_prefers_fork(&cost, 30 * MB));
    for (; cost_prefers_fork(&cost, 30 * MB) && snapshots < 100; snapshots++)
        cost_add_fork(&cost, 30 * MB, 1);
    assert_in_range(snapshots, 1, 20);

    cost = begin(true, 1000000);
    cost_add_fork(&cost, 100 * MB, 900);
    assert_false(cost_prefers_fork(&cost, 100 * MB));
    snapshots = 0;
    for (; !cost_prefers_fork(&cost, 100 * MB) && snapshots < 100; snapshots++)
        cost_add_inline(&cost, 1000000, 150);
    assert_in_range(snapshots, 1, 20);
}

static void test_nothing_follows_from_nothing(void **state)
{
    (void)state;
    struct cost cost = begin(true, 5);
    cost_add_inline(&cost, 0, 5);
    cost_add_fork(&cost, 0, 5);
    assert_int_equal(cost.objects, 0);
    assert_false(cost_prefers_fork(&cost, 0));
    assert_in_range(cost_count_limit(&cost), 1000, 1000000);
}

static void test_interval(void **state)
{
    (void)state;
    assert_int_equal(cost_interval_ms(60000, 100, 5), 60000);
    assert_int_equal(cost_interval_ms(60000, 3000, 5), 60000);
    assert_in_range(cost_interval_ms(60000, 6000, 5), 120000, 120001);
    assert_in_range(cost_interval_ms(10000, 200, 1), 20000, 20001);
    assert_int_equal(cost_interval_ms(10000, 9000, 100), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_heaps_stay_in_place),
        cmocka_unit_test(test_without_collecting_a_walk_is_short),
        cmocka_unit_test(test_few_objects_in_much_memory),
        cmocka_unit_test(test_learns_from_what_happens),
        cmocka_unit_test(test_one_bad_figure_does_not_decide_for_ever),
        cmocka_unit_test(test_nothing_follows_from_nothing),
        cmocka_unit_test(test_interval),
    };
    return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
