/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "footprint_verdict.h"

#include <string.h>

#define MB ((uint64_t)1 << 20)

static uint64_t number;

static struct footprint unknown(void)
{
    struct footprint footprint;
    memset(&footprint, 0xff, sizeof(footprint));
    footprint.snapshot = ++number;
    footprint.tracked_objects = 1000;
    return footprint;
}

static void add(struct footprints *footprints, uint64_t memory, uint64_t tracked)
{
    struct footprint footprint = unknown();
    footprint.resident_bytes = memory + 20 * MB;
    footprint.anonymous_bytes = memory;
    footprint.swapped_bytes = 0;
    footprint.tracked_bytes = tracked;
    footprints_add(footprints, &footprint);
}

static enum footprint_verdict_kind kind_of(const struct footprints *footprints)
{
    return footprint_verdict(footprints).kind;
}

static int forget(void **state)
{
    (void)state;
    number = 0;
    return 0;
}

static void test_history_is_bounded_and_keeps_the_ends(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (uint64_t i = 0; i < 5000; i++)
        add(&footprints, (100 + i * 7919 % 101) * MB, i);
    assert_in_range(footprints.kept_count, 32, TREND_SAMPLES_MAX);
    assert_int_equal(footprints.kept_count, footprints.memory.count);
    assert_int_equal(footprints.first.snapshot, 1);
    assert_int_equal(footprints.kept[0].snapshot, 1);
    assert_int_equal(footprints.last.snapshot, 5000);
    for (size_t i = 0; i < footprints.kept_count; i++) {
        const struct footprint *kept = &footprints.kept[i];
        assert_int_equal(kept->snapshot, footprints.memory.samples[i].snapshot);
        assert_int_equal(kept->tracked_bytes, kept->snapshot - 1);
        assert_int_equal(footprint_memory(kept), footprints.memory.samples[i].bytes);
    }
    footprints_clear(&footprints);
    assert_null(footprints.kept);
}

static void test_memory_is_what_is_private(void **state)
{
    (void)state;
    struct footprint footprint = unknown();
    assert_true(footprint_memory(&footprint) == FOOTPRINT_UNKNOWN);
    footprint.resident_bytes = 30 * MB;
    assert_true(footprint_memory(&footprint) == FOOTPRINT_UNKNOWN);
    footprint.anonymous_bytes = 20 * MB;
    assert_int_equal(footprint_memory(&footprint), 20 * MB);
    footprint.swapped_bytes = 5 * MB;
    assert_int_equal(footprint_memory(&footprint), 25 * MB);
}

static void test_blocks_are_more_than_objects(void **state)
{
    (void)state;
    struct footprint footprint = unknown();
    footprint.blocks = 441;
    footprint_complete(&footprint, 3 * MB, 441, 7);
    assert_int_equal(footprint.tracked_bytes, 3 * MB);
    assert_int_equal(footprint.tracked_objects, 441);
    assert_int_equal(footprint.snapshot, 7);
    assert_int_equal(footprint.blocks, 441);
    footprint_complete(&footprint, 3 * MB, 8177, 8);
    assert_true(footprint.blocks == FOOTPRINT_UNKNOWN);
}

static void test_growth_beside_python(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    unsigned said = 0;
    for (uint64_t i = 0; i < 40; i++) {
        add(&footprints, (50 + (i < 10 ? 0 : i - 10) * 3) * MB, 10 * MB + i * 1000);
        if (kind_of(&footprints) == FOOTPRINT_GREW && said == 0)
            said = (unsigned)i;
    }
    /* The growth begins with the snapshot 12, whose index is 11. */
    assert_in_range(said, 11 + 6, 11 + 8);
    struct footprint_verdict verdict = footprint_verdict(&footprints);
    assert_int_equal(verdict.since->snapshot, 11);
    assert_int_equal(verdict.now->snapshot, 40);
    /* When it has ended for long, nothing is said any more. */
    for (int i = 0; i < 16; i++)
        add(&footprints, 137 * MB, 10 * MB);
    assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    footprints_clear(&footprints);
}

static void test_growth_through_reused_peaks(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (uint64_t i = 0; i < 120; i++)
        add(&footprints, (100 + i * 4 + i * 7919 % 17) * MB, 30 * MB);
    assert_int_equal(kind_of(&footprints), FOOTPRINT_GREW);
    footprints_clear(&footprints);
}

/* Courses on which the process and Python do not disagree, by what happens in snapshot `i`. */
static uint64_t imports(uint64_t i)
{
    return 20 + (i < 4 ? i * 15 : 60);
}

static uint64_t one_peak(uint64_t i)
{
    return i == 12 ? 400 : 60 + (i > 12) * 100;
}

static uint64_t reused_peaks(uint64_t i)
{
    return 60 + i * 7919 % 103;
}

static uint64_t cache_that_fills(uint64_t i)
{
    return 160 - (i < 7 ? 100 >> i : 0);
}

static uint64_t small_growth(uint64_t i)
{
    return 4000 + i;
}

static uint64_t waves(uint64_t i)
{
    return 60 + (i % 4) * 40;
}

static void test_no_verdict_on_innocents(void **state)
{
    (void)state;
    static uint64_t (*const courses[])(uint64_t) = {imports,          one_peak,     reused_peaks,
                                                    cache_that_fills, small_growth, waves};
    for (size_t course = 0; course < ARRAY_LENGTH(courses); course++) {
        struct footprints footprints = {0};
        number = 0;
        for (uint64_t i = 0; i < 200; i++) {
            add(&footprints, courses[course](i) * MB, 10 * MB);
            if (kind_of(&footprints) != FOOTPRINT_AGREED)
                fail_msg("course %zu, snapshot %d", course, (int)number);
        }
        footprints_clear(&footprints);
    }
}

static void test_what_python_accounts_for(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (uint64_t i = 0; i < 30; i++) {
        add(&footprints, (50 + i * 4) * MB, (10 + i * 2) * MB);
        assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    }
    footprints_clear(&footprints);
}

/* Files that are read into mappings or the page cache are resident, but nobody's. */
static void test_files_do_not_count(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (uint64_t i = 0; i < 30; i++) {
        struct footprint footprint = unknown();
        footprint.resident_bytes = (50 + i * 20) * MB;
        footprint.anonymous_bytes = 40 * MB;
        footprint.swapped_bytes = 0;
        footprint.tracked_bytes = 10 * MB;
        footprints_add(&footprints, &footprint);
        assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    }
    footprints_clear(&footprints);
}

/* What is swapped out has not been given back. */
static void test_swap_counts(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (uint64_t i = 0; i < 20; i++) {
        struct footprint footprint = unknown();
        footprint.resident_bytes = 50 * MB;
        footprint.anonymous_bytes = 40 * MB;
        footprint.swapped_bytes = i * 10 * MB;
        footprint.tracked_bytes = 10 * MB;
        footprints_add(&footprints, &footprint);
    }
    assert_int_equal(kind_of(&footprints), FOOTPRINT_GREW);
    footprints_clear(&footprints);
}

static void test_what_python_freed_and_the_process_kept(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    for (int i = 0; i < 5; i++)
        add(&footprints, 150 * MB, 100 * MB);
    for (int i = 0; i < 3; i++) {
        add(&footprints, 148 * MB, 10 * MB);
        assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    }
    add(&footprints, 148 * MB, 10 * MB);
    struct footprint_verdict verdict = footprint_verdict(&footprints);
    assert_int_equal(verdict.kind, FOOTPRINT_KEPT);
    assert_int_equal(verdict.since->tracked_bytes, 100 * MB);
    /* It is used again, or given back. */
    add(&footprints, 148 * MB, 90 * MB);
    assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    for (int i = 0; i < 5; i++)
        add(&footprints, 60 * MB, 10 * MB);
    assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    footprints_clear(&footprints);
}

static void test_nothing_known_nothing_said(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    for (uint64_t i = 0; i < 30; i++) {
        struct footprint footprint = unknown();
        footprint.tracked_bytes = i * MB;
        footprints_add(&footprints, &footprint);
        assert_int_equal(kind_of(&footprints), FOOTPRINT_AGREED);
    }
    footprints_clear(&footprints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_history_is_bounded_and_keeps_the_ends, forget),
        cmocka_unit_test_setup(test_memory_is_what_is_private, forget),
        cmocka_unit_test_setup(test_blocks_are_more_than_objects, forget),
        cmocka_unit_test_setup(test_growth_beside_python, forget),
        cmocka_unit_test_setup(test_growth_through_reused_peaks, forget),
        cmocka_unit_test_setup(test_no_verdict_on_innocents, forget),
        cmocka_unit_test_setup(test_what_python_accounts_for, forget),
        cmocka_unit_test_setup(test_files_do_not_count, forget),
        cmocka_unit_test_setup(test_swap_counts, forget),
        cmocka_unit_test_setup(test_what_python_freed_and_the_process_kept, forget),
        cmocka_unit_test_setup(test_nothing_known_nothing_said, forget),
    };
    return cmocka_run_group_tests_name("footprint", tests, NULL, NULL);
}
