/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "courses.h"

#include <string.h>
#include <sys/types.h>

static const double HOUR_MS = 3600000;

/* One sample a minute, objects of 100 bytes. */
static size_t sample(struct trend_sample *samples, const int *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct trend_sample){i * 60000, (uint64_t)counts[i],
                                           (uint64_t)counts[i] * 100, (uint32_t)i + 1};
    return count;
}

#define JUDGE(samples, ...) \
    trend_judge(samples,    \
                sample(samples, (int[]){__VA_ARGS__}, ARRAY_LENGTH(((int[]){__VA_ARGS__}))), NULL)

static void test_verdicts(void **state)
{
    (void)state;
    struct trend_sample s[TREND_SAMPLES_MAX] = {{0}};
    assert_int_equal(trend_judge(s, 0, NULL).verdict, TREND_UNDECIDED);
    assert_int_equal(JUDGE(s, 5).verdict, TREND_UNDECIDED);
    assert_int_equal(JUDGE(s, 5, 5).verdict, TREND_UNDECIDED);
    assert_int_equal(JUDGE(s, 5, 5, 5).verdict, TREND_STEADY);
    assert_int_equal(JUDGE(s, 100, 97, 103, 99, 101, 98, 103, 100, 97).verdict, TREND_STEADY);
    assert_int_equal(JUDGE(s, 0, 10, 20, 30).verdict, TREND_UNDECIDED);
    assert_int_equal(JUDGE(s, 0, 10, 20, 30, 40, 50, 60, 70).verdict, TREND_UNDECIDED);
    assert_int_equal(JUDGE(s, 0, 10, 20, 30, 40, 50, 60, 70, 80).verdict, TREND_LEAK);
    assert_int_equal(JUDGE(s, 0, 9, 17, 20, 20, 20, 20, 20, 20, 20, 20).verdict, TREND_PLATEAU);
    assert_int_equal(JUDGE(s, 5, 5, 5, 900, 5, 5, 5, 5, 5).verdict, TREND_SPIKE);
    assert_int_equal(JUDGE(s, 5, 5, 5, 5, 900).verdict, TREND_SPIKE);
    assert_int_equal(JUDGE(s, 5, 50, 90, 5, 50, 90, 5, 50, 90, 5, 50, 90, 5, 50, 90, 5).verdict,
                     TREND_SAWTOOTH);
}

static void test_facts_of_a_leak(void **state)
{
    (void)state;
    struct trend_sample s[TREND_SAMPLES_MAX] = {{0}};
    struct trend trend = JUDGE(s, 7, 7, 7, 7, 9, 11, 13, 15, 17, 19, 21, 23);
    size_t last = 11, count = 12;
    assert_int_equal(trend.verdict, TREND_LEAK);
    assert_int_equal(trend.measures, TREND_COUNT | TREND_BYTES);
    assert_int_equal(trend.since, 3);
    assert_int_equal(trend_growth(s, count, TREND_COUNT, trend.since), 16);
    assert_int_equal(trend_growth(s, count, TREND_BYTES, trend.since), 1600);
    double rate = trend_rate_per_hour(s, count, TREND_COUNT, trend.since);
    assert_true(rate > 119.99 && rate < 120.01);
    s[last].count = 1;
    assert_int_equal(trend_growth(s, count, TREND_COUNT, 0), -6);
    assert_true(trend_rate_per_hour(s, count, TREND_COUNT, 0) * HOUR_MS < 0);
    s[last].time_ms = s[0].time_ms;
    assert_true(trend_rate_per_hour(s, count, TREND_COUNT, 0) == 0);
    assert_int_equal(trend_growth(s, count, TREND_COUNT, count), 0);
}

static void test_one_measure_is_enough(void **state)
{
    (void)state;
    struct trend_sample s[TREND_SAMPLES_MAX] = {{0}};
    JUDGE(s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    for (size_t i = 0; i < 10; i++)
        s[i].count = 1;
    struct trend trend = trend_judge(s, 10, NULL);
    assert_int_equal(trend.verdict, TREND_LEAK);
    assert_int_equal(trend.measures, TREND_BYTES);
    struct trend_level forgiven = {0, 600};
    assert_int_not_equal(trend_judge(s, 10, &forgiven).verdict, TREND_LEAK);
}

static void test_looks_at_the_newest_samples(void **state)
{
    (void)state;
    struct trend_sample s[TREND_SAMPLES_MAX + 30];
    int counts[TREND_SAMPLES_MAX + 30];
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++)
        counts[i] = i < 80 ? 10 : 10 + (int)(i - 79);
    struct trend trend = trend_judge(s, sample(s, counts, ARRAY_LENGTH(s)), NULL);
    assert_int_equal(trend.verdict, TREND_LEAK);
    assert_int_equal(trend.since, 79);
    assert_true(trend_grows(s, ARRAY_LENGTH(s), TREND_COUNT, trend.since));
}

/* Steps a watch along counts, and writes down what it says: w(arning), r(epeated), c(leared). */
static void watch(struct trend_watch *watch, const int *counts, size_t count, char *said)
{
    struct trend_sample samples[TREND_SAMPLES_MAX];
    struct trend trend;
    for (size_t i = 0; i < count; i++) {
        enum trend_event event =
            trend_watch_step(watch, samples, sample(samples, counts, i + 1), &trend);
        said[i] = "-wrc"[event];
    }
    said[count] = '\0';
}

static void test_says_it_once_and_takes_it_back(void **state)
{
    (void)state;
    int counts[44];
    char said[45];
    struct trend_watch leak = {0};
    for (int i = 0; i < 44; i++)
        counts[i] = 10 * (i < 34 ? i : 34);
    watch(&leak, counts, 44, said);
    assert_string_equal(said, "--------w-------r---------------r--------c--");
    assert_false(leak.suspected);
    assert_true(leak.forgiven.count >= 340);
}

static void test_growth_that_is_given_back_is_cleared(void **state)
{
    (void)state;
    static const int counts[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 1, 1};
    char said[ARRAY_LENGTH(counts) + 1];
    struct trend_watch leak = {0};
    watch(&leak, counts, ARRAY_LENGTH(counts), said);
    assert_string_equal(said, "--------w--c--");
}

static void test_knows_what_it_gained_from_its_base(void **state)
{
    (void)state;
    static const int counts[] = {3, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    char said[ARRAY_LENGTH(counts) + 1];
    struct trend_watch leak = {0};
    watch(&leak, counts, ARRAY_LENGTH(counts), said);
    assert_string_equal(said, "---------w");
    assert_int_equal(leak.base.snapshot, 2);
    struct trend_sample now = {(uint64_t)HOUR_MS + 60000, 103, 10300, 70};
    assert_int_equal(trend_watch_growth(&leak, &now, TREND_COUNT), 100);
    assert_true(trend_watch_rate_per_hour(&leak, &now, TREND_COUNT) == 100);
}

enum { SEEDS = 20 };

static struct course course;

static void fail_at(const struct course_kind *kind, uint64_t seed, const char *what, size_t when)
{
    fail_msg("%s, seed %d: %s %zd", kind->name, (int)seed, what, (ssize_t)when);
}

static void check_leak(const struct course_kind *kind, uint64_t seed)
{
    course_make(&course, kind, 700, seed);
    struct course_result result = course_watch(&course);
    assert_true(course.due > course.starts && course.due < course.length);
    if (result.warnings == 0 || result.first_warning > course.due)
        fail_at(kind, seed, "first named at", result.first_warning);
    if (result.first_warning <= course.starts)
        fail_at(kind, seed, "named before it began, at", result.first_warning);
}

static void test_every_leak_is_named_in_time(void **state)
{
    (void)state;
    size_t kinds = 0;
    for (size_t i = 0; i < course_kind_count; i++) {
        if (course_kinds[i].label != COURSE_LEAK)
            continue;
        kinds++;
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            check_leak(&course_kinds[i], seed);
    }
    assert_true(kinds >= 15);
}

static void test_no_innocent_is_accused(void **state)
{
    (void)state;
    size_t kinds = 0;
    for (size_t i = 0; i < course_kind_count; i++) {
        if (course_kinds[i].label != COURSE_INNOCENT)
            continue;
        kinds++;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            course_make(&course, &course_kinds[i], seed == 1 ? COURSE_MAX : 200, seed);
            struct course_result result = course_watch(&course);
            if (result.warnings > 0)
                fail_at(&course_kinds[i], seed, "accused at", result.first_warning);
        }
    }
    assert_true(kinds >= 15);
}

static void test_what_stops_growing_is_cleared(void **state)
{
    (void)state;
    for (size_t i = 0; i < course_kind_count; i++) {
        const struct course_kind *kind = &course_kinds[i];
        for (uint64_t seed = 1; seed <= SEEDS && kind->label == COURSE_FILL; seed++) {
            course_make(&course, kind, 400, seed);
            struct course_result result = course_watch(&course);
            assert_true(course.stops + 8 < course.length);
            if (result.suspected || result.warnings != 1 || result.clearings != 1)
                fail_at(kind, seed, "warnings", result.warnings);
            if (result.last_clearing > course.stops + 8)
                fail_at(kind, seed, "cleared only at", result.last_clearing);
        }
    }
}

/* Levels that return to their mean slowly cannot be told from growth at first: nearly none is
 * accused if they return within a few snapshots, and whoever is, is cleared. */
static void test_wanderers_are_accused_rarely(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t most; /* of 100 */
    } cases[] = {{"AR(1) 0.5", 1},
                 {"AR(1) 0.8", 2},
                 {"AR(1) 0.95", 12},
                 {"sessions", 16},
                 {"largest demand", 3}};
    for (size_t i = 0; i < course_kind_count; i++) {
        size_t accused = 0, most = 100;
        for (size_t k = 0; k < ARRAY_LENGTH(cases); k++)
            most = strcmp(cases[k].name, course_kinds[i].name) == 0 ? cases[k].most : most;
        for (uint64_t seed = 1; seed <= 100 && course_kinds[i].label == COURSE_WANDERER; seed++) {
            course_make(&course, &course_kinds[i], 200, seed);
            struct course_result result = course_watch(&course);
            accused += result.warnings > 0;
        }
        if (accused > most)
            fail_at(&course_kinds[i], 0, "accused", accused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_facts_of_a_leak),
        cmocka_unit_test(test_one_measure_is_enough),
        cmocka_unit_test(test_looks_at_the_newest_samples),
        cmocka_unit_test(test_says_it_once_and_takes_it_back),
        cmocka_unit_test(test_growth_that_is_given_back_is_cleared),
        cmocka_unit_test(test_knows_what_it_gained_from_its_base),
        cmocka_unit_test(test_every_leak_is_named_in_time),
        cmocka_unit_test(test_no_innocent_is_accused),
        cmocka_unit_test(test_what_stops_growing_is_cleared),
        cmocka_unit_test(test_wanderers_are_accused_rarely),
    };
    return cmocka_run_group_tests_name("trend", tests, NULL, NULL);
}
