/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "growth/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

static void add(struct snapshot *snapshot, const char *name, uint64_t count, uint64_t bytes)
{
    char *copy = strdup(name);
    assert_non_null(copy);
    assert_int_equal(snapshot_add(snapshot, copy, count, bytes), 0);
}

static int note(struct history *history, struct snapshot *snapshot, uint64_t time_ms)
{
    assert_int_equal(snapshot_rank(snapshot), 0);
    int result = history_add(history, snapshot, time_ms);
    assert_true(history_bytes(history) <= HISTORY_BYTES_MAX);
    return result;
}

/* The position of a class among those that move, or SIZE_MAX. */
static size_t find(const struct history *history, const struct snapshot *snapshot, const char *name,
                   struct history_class *class)
{
    for (size_t i = 0; i < history_moving(history); i++) {
        history_read(history, i, class);
        if (class->index != HISTORY_GONE && strcmp(snapshot->classes[class->index].name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void test_changes_and_rates(void **state)
{
    (void)state;
    struct history *history = history_create();
    struct history_class class;
    struct snapshot snapshots[4] = {{0}};
    for (uint64_t i = 0; i < 4; i++) {
        add(&snapshots[i], "quiet", 5, 500);
        add(&snapshots[i], "rises", 10 + i * i, 1000 + 100 * i);
        if (i > 1)
            add(&snapshots[i], "late", 7, 70);
        assert_int_equal(note(history, &snapshots[i], 1000000 + i * 30 * MINUTE_MS), 0);
    }
    assert_int_equal(history_snapshots(history), 4);
    assert_int_equal(history_span_ms(history), 90 * MINUTE_MS);
    assert_int_equal(history_moving(history), 2);
    assert_int_equal(find(history, &snapshots[3], "quiet", &class), SIZE_MAX);
    assert_int_not_equal(find(history, &snapshots[3], "rises", &class), SIZE_MAX);
    assert_int_equal(class.count_since_first, 9);
    assert_int_equal(class.bytes_since_first, 300);
    assert_int_equal(class.count_since_previous, 5);
    assert_int_equal(class.bytes_since_previous, 100);
    assert_true(class.count_per_hour == 6 && class.bytes_per_hour == 200);
    assert_int_equal(class.sample_count, 4);
    assert_int_equal(class.samples[3].time_ms, 90 * MINUTE_MS);
    assert_int_not_equal(find(history, &snapshots[3], "late", &class), SIZE_MAX);
    assert_int_equal(class.count_since_first, 7);
    assert_int_equal(class.count_since_previous, 0);
    assert_int_equal(class.samples[0].count, 0);
    for (int i = 0; i < 4; i++)
        snapshot_clear(&snapshots[i]);
    history_destroy(history);
    history_destroy(NULL);
}

static void test_a_class_that_is_gone(void **state)
{
    (void)state;
    struct history *history = history_create();
    struct history_class class;
    struct snapshot with = {0}, without = {0};
    add(&with, "here", 3, 30);
    add(&without, "other", 1, 10);
    note(history, &with, 0);
    note(history, &without, MINUTE_MS);
    assert_int_equal(history_moving(history), 2);
    size_t gone = 0;
    for (size_t i = 0; i < 2; i++) {
        history_read(history, i, &class);
        gone += class.index == HISTORY_GONE && class.count_since_first == -3;
    }
    assert_int_equal(gone, 1);
    snapshot_clear(&with);
    snapshot_clear(&without);
    history_destroy(history);
}

static void test_names_a_leak_and_takes_it_back(void **state)
{
    (void)state;
    struct history *history = history_create();
    struct history_class class;
    for (uint32_t i = 1; i <= 40; i++) {
        struct snapshot snapshot = {0};
        struct trend trend;
        add(&snapshot, "still", 100, 1000);
        if (i < 30)
            add(&snapshot, "leaky", 3 * (i < 20 ? i : 20), 300 * (i < 20 ? i : 20));
        note(history, &snapshot, i * MINUTE_MS);
        enum trend_event event = TREND_NO_EVENT;
        for (size_t k = 0; k < history_moving(history); k++) {
            history_read(history, k, &class);
            const char *name =
                class.index == HISTORY_GONE ? NULL : snapshot.classes[class.index].name;
            event = history_judge(history, k, name, &trend);
            if (event == TREND_NO_EVENT)
                continue;
            assert_string_equal(history_suspect_name(history, k), "leaky");
            assert_non_null(history_watch(history, k));
        }
        assert_int_equal(event, i == 9    ? TREND_SUSPECTED
                                : i == 17 ? TREND_DOUBLED
                                : i == 27 ? TREND_CLEARED
                                          : TREND_NO_EVENT);
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
}

/* A suspect whose class goes away altogether is cleared under its old name. */
static void test_a_suspect_that_is_gone(void **state)
{
    (void)state;
    struct history *history = history_create();
    size_t cleared = 0;
    for (uint32_t i = 1; i <= 14; i++) {
        struct snapshot snapshot = {0};
        struct trend trend;
        add(&snapshot, "still", 100, 1000);
        if (i < 12)
            add(&snapshot, "leaky", i, 10 * i);
        note(history, &snapshot, i * MINUTE_MS);
        for (size_t k = 0; k < history_moving(history); k++) {
            if (history_judge(history, k, i < 12 ? "leaky" : NULL, &trend) == TREND_CLEARED) {
                assert_string_equal(history_suspect_name(history, k), "leaky");
                cleared++;
            }
        }
        snapshot_clear(&snapshot);
    }
    assert_int_equal(cleared, 1);
    history_destroy(history);
}

static uint64_t random_number(void)
{
    static uint64_t random = 1;
    random = random * 6364136223846793005u + 1442695040888963407u;
    return random >> 33;
}

/* Names of hundreds of bytes. */
static void add_numbered(struct snapshot *snapshot, unsigned i, uint64_t count, uint64_t bytes)
{
    char name[320];
    memset(name, 'x', sizeof(name));
    snprintf(name + 280, 40, ".Class%u", i);
    add(snapshot, name, count, bytes);
}

static const char *const leaky_name = "app.Leaky";

/* When the leak is named among so many others, of which some move at random: snapshots after its
 * start, or 0. */
static unsigned find_leak_among(unsigned quiet, unsigned moving, unsigned snapshots, unsigned start)
{
    struct history *history = history_create();
    unsigned named = 0;
    for (unsigned i = 1; i <= snapshots; i++) {
        struct snapshot snapshot = {0};
        for (unsigned k = 0; k < quiet; k++)
            add_numbered(&snapshot, k, 10, 640 + k);
        for (unsigned k = 0; k < moving; k++)
            add_numbered(&snapshot, quiet + k, 1000, 50000 + random_number() % 9000);
        uint64_t leaked = i > start ? (i - start) * 100 : 0;
        add(&snapshot, leaky_name, 50 + leaked, (50 + leaked) * 400);
        note(history, &snapshot, i * (uint64_t)MINUTE_MS);
        struct history_class class;
        for (size_t k = 0; k < history_moving(history); k++) {
            struct trend trend;
            history_read(history, k, &class);
            const char *name =
                class.index == HISTORY_GONE ? "gone" : snapshot.classes[class.index].name;
            if (history_judge(history, k, name, &trend) != TREND_SUSPECTED)
                continue;
            assert_string_equal(name, leaky_name);
            named = i - start;
        }
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
    return named;
}

static void test_finds_a_leak_in_a_crowd(void **state)
{
    (void)state;
    assert_int_equal(find_leak_among(3000, 300, 40, 20), 8);
    assert_int_equal(find_leak_among(40000, 0, 15, 3), 8);
    assert_int_equal(find_leak_among(3000, 3000, 60, 40), 8);
    assert_int_equal(find_leak_among(100, 12000, 60, 40), 8);
}

/* Classes made anew all the time, each with a name of its own. */
static void test_classes_that_come_and_go(void **state)
{
    (void)state;
    struct history *history = history_create();
    for (unsigned i = 1; i <= 60; i++) {
        struct snapshot snapshot = {0};
        for (unsigned k = 0; k < 2000; k++)
            add_numbered(&snapshot, i * 1500 + k, 1, 1000);
        note(history, &snapshot, i * (uint64_t)MINUTE_MS);
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
}

static void test_weeks(void **state)
{
    (void)state;
    enum { SNAPSHOTS = 200000 };
    struct history *history = history_create();
    struct history_class class;
    for (unsigned i = 1; i <= SNAPSHOTS; i++) {
        struct snapshot snapshot = {0};
        add(&snapshot, "slow", 1000 + i / 50, 64000);
        add(&snapshot, "noise", 1000 + random_number() % 100, 64000);
        note(history, &snapshot, i * (uint64_t)MINUTE_MS);
        if (i == SNAPSHOTS) {
            assert_int_not_equal(find(history, &snapshot, "slow", &class), SIZE_MAX);
            assert_int_equal(class.count_since_first, SNAPSHOTS / 50);
            assert_true(class.count_per_hour > 1.19 && class.count_per_hour < 1.21);
            assert_int_not_equal(find(history, &snapshot, "noise", &class), SIZE_MAX);
            assert_int_equal(class.sample_count, TREND_SAMPLES_MAX);
        }
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_and_rates),
        cmocka_unit_test(test_a_class_that_is_gone),
        cmocka_unit_test(test_names_a_leak_and_takes_it_back),
        cmocka_unit_test(test_a_suspect_that_is_gone),
        cmocka_unit_test(test_finds_a_leak_in_a_crowd),
        cmocka_unit_test(test_classes_that_come_and_go),
        cmocka_unit_test(test_weeks),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
