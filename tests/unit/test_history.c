/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "courses.h"
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

/* ---- What is foreseen ---- */

enum { STAGE_MAX = 64 };

/* Classes that follow courses, in pieces: several classes of one name make up its numbers. */
struct stage {
    struct history *history;
    struct course courses[STAGE_MAX];
    char names[STAGE_MAX][24];
    size_t count;
    unsigned pieces;
    unsigned crowd;                  /* classes beside them, of random sizes */
    size_t foreseen;                 /* in all */
    size_t longest, longest_at_last; /* series */
};

static void add_course(struct stage *stage, const struct course_kind *kind, size_t length,
                       uint64_t seed)
{
    course_make(&stage->courses[stage->count], kind, length, seed);
    snprintf(stage->names[stage->count], sizeof(stage->names[0]), "app.Class%02zu", stage->count);
    stage->count++;
}

/* As a census leaves it: not ranked. */
static struct snapshot stage_snapshot(const struct stage *stage, size_t moment)
{
    struct snapshot snapshot = {0};
    for (unsigned i = 0; i < stage->crowd; i++)
        add_numbered(&snapshot, i, 1000, 50000 + random_number() % 9000);
    for (unsigned piece = 0; piece < stage->pieces; piece++) {
        for (size_t i = 0; i < stage->count; i++) {
            uint64_t count = stage->courses[i].count[moment];
            uint64_t bytes = stage->courses[i].bytes[moment];
            bool is_last = piece + 1 == stage->pieces;
            uint64_t counted = count / stage->pieces, sized = bytes / stage->pieces;
            if (count > 0)
                add(&snapshot, stage->names[i], is_last ? count - piece * counted : counted,
                    is_last ? bytes - piece * sized : sized);
        }
    }
    return snapshot;
}

static size_t find_wish(const struct held_wish *wishes, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(wishes[i].name, name) != 0)
        i++;
    return i;
}

static void note_length(struct stage *stage, size_t samples)
{
    if (samples > stage->longest)
        stage->longest = samples;
    if (samples > stage->longest_at_last)
        stage->longest_at_last = samples;
}

/* Judges the classes, and compares what is found with what was foreseen: as many as there was room
 * for, the dearest first. */
static void compare(struct stage *stage, const struct snapshot *snapshot,
                    const struct held_wish *wishes, size_t wish_count, size_t limit)
{
    double rates[HISTORY_FORESEE_LIMIT] = {0}, left_out = 0;
    size_t found = 0;
    stage->longest_at_last = 0;
    for (size_t i = 0; i < history_moving(stage->history); i++) {
        struct history_class class;
        struct trend trend;
        history_read(stage->history, i, &class);
        note_length(stage, class.sample_count);
        const char *name = class.index == HISTORY_GONE ? NULL : snapshot->classes[class.index].name;
        enum trend_event event = history_judge(stage->history, i, name, &trend);
        if (event != TREND_SUSPECTED && event != TREND_DOUBLED)
            continue;
        const struct trend_watch *watch = history_watch(stage->history, i);
        const struct trend_sample *now = &class.samples[class.sample_count - 1];
        double rate = trend_watch_rate_per_hour(watch, now, TREND_BYTES);
        size_t place = find_wish(wishes, wish_count, name);
        found++;
        if (place == wish_count) {
            left_out = rate > left_out ? rate : left_out;
            continue;
        }
        int64_t newest = trend_watch_growth(watch, now, TREND_COUNT);
        rates[place] = rate > 0 ? rate : 0;
        assert_int_equal(wishes[place].reasons, HELD_SUSPECTED);
        assert_int_equal(wishes[place].by_size, watch->measures == TREND_BYTES);
        assert_int_equal(wishes[place].newest, newest < 8 ? 8 : newest);
    }
    assert_int_equal(wish_count, found < limit ? found : limit);
    for (size_t i = 0; i < wish_count; i++)
        assert_true(rates[i] >= (i + 1 < wish_count ? rates[i + 1] : left_out));
    stage->foreseen += wish_count;
}

/* All that can be asked of a history, as bytes. */
static void describe(const struct history *history, struct text *text)
{
    const size_t numbers[] = {history_moving(history), history_bytes(history),
                              history_snapshots(history), history_span_ms(history)};
    text_add_bytes(text, (const char *)numbers, sizeof(numbers));
    for (size_t i = 0; i < history_moving(history); i++) {
        struct history_class class;
        memset(&class, 0, sizeof(class));
        history_read(history, i, &class);
        text_add_bytes(text, (const char *)&class, sizeof(class));
        if (history_watch(history, i) == NULL)
            continue;
        text_add_bytes(text, (const char *)history_watch(history, i), sizeof(struct trend_watch));
        text_add_bytes(text, (const char *)history_remark(history, i),
                       sizeof(struct history_remark));
    }
    assert_false(text->failed);
}

static void perform(struct stage *stage, size_t length, size_t limit)
{
    stage->history = history_create();
    stage->foreseen = 0;
    for (size_t moment = 0; moment < length; moment++) {
        struct snapshot snapshot = stage_snapshot(stage, moment);
        struct held_wish wishes[HISTORY_FORESEE_LIMIT];
        struct text before = {0}, after = {0};
        describe(stage->history, &before);
        size_t count =
            history_foresee(stage->history, &snapshot, moment * MINUTE_MS, wishes, limit);
        describe(stage->history, &after);
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.bytes, after.bytes, after.size);
        /* Ranking merges classes, and their names go. */
        char names[HISTORY_FORESEE_LIMIT][320];
        for (size_t i = 0; i < count; i++)
            wishes[i].name = strcpy(names[i], wishes[i].name);
        note(stage->history, &snapshot, moment * MINUTE_MS);
        compare(stage, &snapshot, wishes, count, limit);
        text_clear(&before);
        text_clear(&after);
        snapshot_clear(&snapshot);
    }
    history_destroy(stage->history);
}

static struct stage *create_stage(unsigned pieces)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->pieces = pieces;
    return stage;
}

/* Courses of every kind, long enough for series to be full and samples to be given up. */
static void test_foresees_what_it_then_finds(void **state)
{
    (void)state;
    for (unsigned pieces = 1; pieces <= 3; pieces++) {
        struct stage *stage = create_stage(pieces);
        for (size_t i = 0; i < course_kind_count && i < STAGE_MAX; i++)
            add_course(stage, &course_kinds[i], 300, pieces);
        perform(stage, 300, HISTORY_FORESEE_LIMIT);
        assert_in_range(stage->foreseen, 40, 1000);
        free(stage);
    }
}

static void test_foresees_the_dearest(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= HISTORY_FORESEE_LIMIT; limit += limit < 4 ? 1 : 12) {
        struct stage *stage = create_stage(2);
        for (uint64_t i = 0; i < 40; i++)
            add_course(stage, &course_kinds[i % 4], 40, i + 1);
        perform(stage, 40, limit);
        assert_in_range(stage->foreseen, limit, limit * 40);
        free(stage);
    }
}

/* In a crowd in which each gets half of the samples. */
static void test_foresees_with_thinned_series(void **state)
{
    (void)state;
    struct stage *stage = create_stage(1);
    stage->crowd = 1200;
    for (size_t i = 0; i < course_kind_count && i < STAGE_MAX; i++)
        add_course(stage, &course_kinds[i], 150, 1);
    perform(stage, 150, HISTORY_FORESEE_LIMIT);
    assert_in_range(stage->longest, TREND_SAMPLES_MAX / 2 + 1, TREND_SAMPLES_MAX - 1);
    assert_int_equal(stage->longest_at_last, TREND_SAMPLES_MAX / 2);
    assert_in_range(stage->foreseen, 40, 1000);
    free(stage);
}

/* ---- Notes on a suspect ---- */

static size_t position_of_only(const struct history *history)
{
    assert_int_equal(history_moving(history), 1);
    return 0;
}

/* Up to which count the class that gains one object each minute was forgiven before snapshot 10,
 * and when it is suspected again. */
static unsigned suspected_again(void (*forget)(struct history *history, size_t position))
{
    struct history *history = history_create();
    unsigned again = 0;
    for (unsigned i = 1; i <= 60 && again == 0; i++) {
        struct snapshot snapshot = {0};
        struct trend trend;
        add(&snapshot, leaky_name, i, 100 * i);
        note(history, &snapshot, i * (uint64_t)MINUTE_MS);
        if (i > 1 && history_judge(history, position_of_only(history), leaky_name, &trend) ==
                         TREND_SUSPECTED) {
            if (i == 9)
                forget(history, 0);
            else
                again = i;
        }
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
    return again;
}

static void retract(struct history *history, size_t position)
{
    history_retract(history, position);
    assert_false(history_watch(history, position)->suspected);
    assert_int_equal(history_watch(history, position)->measures, 0);
}

static void forgive_20(struct history *history, size_t position)
{
    history_forgive(history, position, (struct trend_level){20, 2000});
    /* Less than what was forgiven before changes nothing. */
    history_forgive(history, position, (struct trend_level){10, 1000});
    assert_false(history_watch(history, position)->suspected);
}

static void forgive_bytes_only(struct history *history, size_t position)
{
    history_forgive(history, position, (struct trend_level){0, 2000});
}

static void test_suspicions_are_taken_back(void **state)
{
    (void)state;
    assert_int_equal(suspected_again(retract), 10);
    assert_int_equal(suspected_again(forgive_bytes_only), 10);
    assert_int_equal(suspected_again(forgive_20), 28);
}

static void remark(struct history *history, size_t position)
{
    struct history_remark *remark = history_remark(history, position);
    assert_int_equal(remark->point, 0);
    assert_int_equal(remark->container, 0);
    assert_int_equal(remark->postponed, 0);
    assert_false(remark->is_told);
    remark->is_told = true;
    remark->point = 17;
    history_retract(history, position);
    assert_true(history_remark(history, position)->is_told);
    assert_int_equal(history_remark(history, position)->point, 17);
}

static void test_remarks_stay(void **state)
{
    (void)state;
    assert_int_equal(suspected_again(remark), 10);
    struct history *history = history_create();
    for (unsigned i = 1; i <= 2; i++) {
        struct snapshot snapshot = {0};
        add(&snapshot, "app.Foo", i, i);
        note(history, &snapshot, i * (uint64_t)MINUTE_MS);
        snapshot_clear(&snapshot);
    }
    /* Nobody suspects it. */
    size_t position = position_of_only(history);
    assert_null(history_remark(history, position));
    assert_null(history_watch(history, position));
    assert_null(history_suspect_name(history, position));
    history_retract(history, position);
    history_forgive(history, position, (struct trend_level){1, 1});
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
        cmocka_unit_test(test_foresees_what_it_then_finds),
        cmocka_unit_test(test_foresees_the_dearest),
        cmocka_unit_test(test_foresees_with_thinned_series),
        cmocka_unit_test(test_suspicions_are_taken_back),
        cmocka_unit_test(test_remarks_stay),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
