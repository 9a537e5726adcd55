/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "footprint_report.h"

#include <string.h>

#define MB ((uint64_t)1 << 20)

static struct footprint unknown(uint64_t snapshot)
{
    struct footprint footprint;
    memset(&footprint, 0xff, sizeof(footprint));
    footprint.snapshot = snapshot;
    footprint.tracked_objects = 0;
    footprint.tracked_bytes = 66 * MB;
    return footprint;
}

static struct footprint full(uint64_t snapshot)
{
    struct footprint footprint = unknown(snapshot);
    footprint.resident_bytes = 145 * MB + MB / 5;
    footprint.anonymous_bytes = 120 * MB;
    footprint.swapped_bytes = 0;
    footprint.blocks = 1234567;
    footprint.allocator_used_bytes = 80 * MB;
    footprint.allocator_free_bytes = 8 * MB;
    return footprint;
}

static void assert_text(const struct footprints *footprints, bool counts_untracked,
                        const char *expected)
{
    struct text text = {0};
    footprint_report_add(&text, footprints, counts_untracked);
    assert_string_equal(text.bytes, expected);
    text_clear(&text);
}

static void test_nothing(void **state)
{
    (void)state;
    struct text text = {0};
    struct footprints footprints = {0};
    footprint_report_add(&text, NULL, false);
    footprint_report_add(&text, &footprints, false);
    assert_int_equal(text.size, 0);
}

static void test_all_figures(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    struct footprint first = full(1), second = full(2);
    footprints_add(&footprints, &first);
    assert_text(&footprints, false,
                "\n\nProcess: resident 145.2 MB, anonymous 120.0 MB, swapped 0 B; "
                "Python 1,234,567 allocated blocks, 66.0 MB in tracked objects; "
                "C allocator 80.0 MB used, 8.0 MB free but kept");
    second.resident_bytes += 12 * MB;
    second.anonymous_bytes -= MB;
    second.blocks -= 1001;
    second.tracked_bytes += 3 * MB;
    footprints_add(&footprints, &second);
    assert_text(&footprints, true,
                "\n\nProcess: resident 157.2 MB (+12.0 MB since first), "
                "anonymous 119.0 MB (-1.0 MB), swapped 0 B (+0 B); "
                "Python 1,233,566 allocated blocks (-1,001), 69.0 MB in objects (+3.0 MB); "
                "C allocator 80.0 MB used, 8.0 MB free but kept");
    footprints_clear(&footprints);
}

static void test_what_is_unknown_is_left_out(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    struct footprint first = unknown(1), second = unknown(2), third = full(3);
    footprints_add(&footprints, &first);
    assert_text(&footprints, false, "\n\nProcess: Python 66.0 MB in tracked objects");
    second.resident_bytes = MB;
    footprints_add(&footprints, &second);
    assert_text(&footprints, false,
                "\n\nProcess: resident 1.0 MB; Python 66.0 MB in tracked objects (+0 B)");
    third.swapped_bytes = FOOTPRINT_UNKNOWN;
    footprints_add(&footprints, &third);
    assert_text(&footprints, false,
                "\n\nProcess: resident 145.2 MB, anonymous 120.0 MB; "
                "Python 1,234,567 allocated blocks, 66.0 MB in tracked objects (+0 B); "
                "C allocator 80.0 MB used, 8.0 MB free but kept");
    footprints_clear(&footprints);
}

/* Twelve steps from full(): what each adds. */
static void grow(struct footprints *footprints, const struct footprint *step)
{
    for (uint64_t i = 0; i <= 12; i++) {
        struct footprint footprint = full(i + 1);
        footprint.resident_bytes += step->anonymous_bytes * i;
        footprint.anonymous_bytes += step->anonymous_bytes * i;
        footprint.tracked_bytes += step->tracked_bytes * i;
        footprint.blocks += step->blocks * i;
        footprint.allocator_used_bytes += step->allocator_used_bytes * i;
        footprint.allocator_free_bytes += step->allocator_free_bytes * i;
        if (step->blocks == FOOTPRINT_UNKNOWN)
            footprint.blocks = FOOTPRINT_UNKNOWN;
        footprints_add(footprints, &footprint);
    }
}

static void assert_verdict(const struct footprint *step, bool counts_untracked,
                           const char *expected)
{
    struct footprints footprints = {0};
    struct text text = {0};
    grow(&footprints, step);
    footprint_report_add(&text, &footprints, counts_untracked);
    const char *line = strchr(strstr(text.bytes, "Process: "), '\n');
    assert_non_null(line);
    assert_string_equal(line + 1, expected);
    text_clear(&text);
    footprints_clear(&footprints);
}

static void test_fragmentation(void **state)
{
    (void)state;
    struct footprint step = {.anonymous_bytes = 10 * MB,
                             .tracked_bytes = MB / 4,
                             .allocator_used_bytes = MB,
                             .allocator_free_bytes = 8 * MB};
    assert_verdict(&step, true,
                   "RSS grew 120.0 MB, Python objects 3.0 MB: native memory or fragmentation "
                   "(96.0 MB is free but kept by the C allocator), within 12 snapshots");
    assert_verdict(&step, false,
                   "RSS grew 120.0 MB, tracked objects 3.0 MB: native memory, fragmentation or a "
                   "few large strings, bytes or arrays (count_untracked tells) "
                   "(96.0 MB is free but kept by the C allocator), within 12 snapshots");
}

/* Where asking takes its time, not every snapshot asks the C allocator. */
static void test_what_was_known_last_is_evidence(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    struct text text = {0};
    for (uint64_t i = 0; i < 18; i++) {
        struct footprint footprint = full(i + 1);
        uint64_t steps = i < 3 ? 0 : i - 3;
        footprint.anonymous_bytes += 10 * MB * steps;
        footprint.allocator_free_bytes += 8 * MB * steps;
        if (i % 4 != 0)
            footprint.allocator_used_bytes = footprint.allocator_free_bytes = FOOTPRINT_UNKNOWN;
        footprints_add(&footprints, &footprint);
        if (i >= 15) {
            text_clear(&text);
            footprint_report_add(&text, &footprints, true);
            assert_non_null(strstr(text.bytes, "free but kept by the C allocator), within"));
        }
    }
    assert_string_equal(strrchr(text.bytes, '\n') + 1,
                        "RSS grew 140.0 MB, Python objects 0 B: native memory or fragmentation "
                        "(104.0 MB is free but kept by the C allocator), within 14 snapshots");
    text_clear(&text);
    footprints_clear(&footprints);
}

static void test_native_memory(void **state)
{
    (void)state;
    struct footprint step = {.anonymous_bytes = 10 * MB, .allocator_used_bytes = 10 * MB};
    assert_verdict(&step, true,
                   "RSS grew 120.0 MB, Python objects 0 B: native memory or fragmentation "
                   "(the C allocator has 120.0 MB more in use), within 12 snapshots");
    step.tracked_bytes = -(uint64_t)MB;
    step.allocator_used_bytes = 0;
    assert_verdict(&step, true,
                   "RSS grew 120.0 MB, Python objects fell 12.0 MB: native memory or "
                   "fragmentation, within 12 snapshots");
}

static void test_blocks_of_python(void **state)
{
    (void)state;
    struct footprint step = {.anonymous_bytes = 10 * MB, .blocks = 10000};
    static const char expected[] =
        "RSS grew 120.0 MB, tracked objects 0 B: strings, bytes and arrays (count_untracked "
        "tells), native memory or fragmentation, within 12 snapshots";
    assert_verdict(&step, false, expected);
    /* Not known, so nothing speaks against them. */
    step.blocks = FOOTPRINT_UNKNOWN;
    assert_verdict(&step, false, expected);
}

static void test_kept(void **state)
{
    (void)state;
    struct footprints footprints = {0};
    struct text text = {0};
    for (uint64_t i = 0; i < 10; i++) {
        struct footprint footprint = full(i + 1);
        footprint.anonymous_bytes -= i < 5 ? 0 : 2 * MB;
        footprint.tracked_bytes -= i < 5 ? 0 : 50 * MB;
        footprint.allocator_free_bytes += i < 5 ? 0 : 45 * MB;
        footprints_add(&footprints, &footprint);
    }
    footprint_report_add(&text, &footprints, false);
    assert_string_equal(strrchr(text.bytes, '\n') + 1,
                        "Tracked objects fell 50.0 MB, RSS 2.0 MB: their memory is kept for "
                        "reuse, or other memory has grown "
                        "(45.0 MB is free but kept by the C allocator), within 5 snapshots");
    text_clear(&text);
    footprints_clear(&footprints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_all_figures),
        cmocka_unit_test(test_what_is_unknown_is_left_out),
        cmocka_unit_test(test_fragmentation),
        cmocka_unit_test(test_what_was_known_last_is_evidence),
        cmocka_unit_test(test_native_memory),
        cmocka_unit_test(test_blocks_of_python),
        cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests_name("footprint_report", tests, NULL, NULL);
}
