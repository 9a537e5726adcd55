/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "growth/series.h"

static void add(struct series *series, uint32_t snapshot, uint64_t count, size_t limit)
{
    struct trend_sample sample = {snapshot * (uint64_t)60000, count, count * 10, snapshot};
    assert_int_equal(series_add(series, series_pack(&sample), limit), 0);
}

static void test_a_run_takes_two_samples(void **state)
{
    (void)state;
    struct series series = {0};
    struct trend_sample samples[TREND_SAMPLES_MAX];
    for (uint32_t i = 1; i <= 1000; i++)
        add(&series, i, i <= 600 ? 7 : 8, TREND_SAMPLES_MAX);
    assert_int_equal(series_read(&series, samples), 4);
    assert_int_equal(samples[0].snapshot, 1);
    assert_int_equal(samples[1].snapshot, 600);
    assert_int_equal(samples[1].count, 7);
    assert_int_equal(samples[2].snapshot, 601);
    assert_int_equal(samples[2].bytes, 80);
    assert_int_equal(samples[3].snapshot, 1000);
    assert_int_equal(samples[3].time_ms, 60000000);
    series_clear(&series);
}

static void test_large_numbers_are_cut_off(void **state)
{
    (void)state;
    struct series series = {0};
    struct trend_sample samples[TREND_SAMPLES_MAX];
    struct trend_sample huge = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX};
    assert_int_equal(series_add(&series, series_pack(&huge), 8), 0);
    assert_int_equal(series_read(&series, samples), 1);
    assert_int_equal(samples[0].count, UINT32_MAX);
    assert_int_equal(samples[0].bytes, 0xffffffffff);
    assert_int_equal(samples[0].snapshot, 0xffffff);
    series_clear(&series);
}

/* Weeks of noise: near samples are dense, far ones sparse, and their range is still to be seen. */
static void test_thins_by_age(void **state)
{
    (void)state;
    struct series series = {0};
    struct trend_sample samples[TREND_SAMPLES_MAX];
    uint64_t random = 1, highest = 0, lowest = 9999;
    for (uint32_t i = 1; i <= 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        add(&series, i, 1000 + (random >> 33) % 600, TREND_SAMPLES_MAX);
    }
    assert_int_equal(series_read(&series, samples), TREND_SAMPLES_MAX);
    assert_true(series.capacity <= TREND_SAMPLES_MAX);
    assert_int_equal(samples[0].snapshot, 1);
    for (size_t i = 1; i < TREND_SAMPLES_MAX; i++) {
        uint32_t gap = samples[i].snapshot - samples[i - 1].snapshot;
        uint32_t age = 200000 - samples[i].snapshot;
        assert_true(gap >= 1 && gap <= 40000);
        if (i >= TREND_SAMPLES_MAX * 3 / 4)
            assert_int_equal(gap, 1);
        if (age < 1000)
            assert_true(gap <= 1000);
        highest = samples[i].count > highest ? samples[i].count : highest;
        lowest = samples[i].count < lowest ? samples[i].count : lowest;
    }
    assert_true(highest >= 1580 && lowest <= 1020);
    series_clear(&series);
}

static void test_thins_on_demand(void **state)
{
    (void)state;
    struct series series = {0};
    struct trend_sample samples[TREND_SAMPLES_MAX];
    for (uint32_t i = 1; i <= 300; i++)
        add(&series, i, i, TREND_SAMPLES_MAX);
    series_thin(&series, 16);
    assert_int_equal(series.capacity, 16);
    add(&series, 301, 301, 16);
    assert_int_equal(series_read(&series, samples), 16);
    assert_int_equal(samples[0].snapshot, 1);
    assert_int_equal(samples[14].snapshot, 300);
    series_thin(&series, 4);
    for (uint32_t i = 302; i <= 400; i++)
        add(&series, i, i, 4);
    assert_int_equal(series_read(&series, samples), 4);
    assert_int_equal(samples[3].snapshot, 400);
    series_clear(&series);
    series_clear(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_takes_two_samples),
        cmocka_unit_test(test_large_numbers_are_cut_off),
        cmocka_unit_test(test_thins_by_age),
        cmocka_unit_test(test_thins_on_demand),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
