/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "memory.h"
#include "snapshot_line.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct snapshot *snapshot, const char *name, uint64_t count, uint64_t bytes)
{
    char *copy = memory_allocate(strlen(name) + 1);
    assert_non_null(copy);
    strcpy(copy, name);
    assert_int_equal(snapshot_add(snapshot, copy, count, bytes), 0);
}

static void expect(struct snapshot *snapshot, const struct snapshot_line *line, const char *wanted)
{
    struct text text = {0};
    snapshot_line_add(&text, snapshot, line);
    assert_false(text.failed);
    assert_string_equal(text.bytes, wanted);
    text_clear(&text);
}

static void test_every_member(void **state)
{
    (void)state;
    struct snapshot snapshot = {.sequence = 7,
                                .duration_ms = 212,
                                .pause_ms = 4.1,
                                .longest_pause_ms = 0.0625,
                                .is_forked = 1,
                                .has_untracked = true,
                                .footprint = {.resident_bytes = 152253030,
                                              .anonymous_bytes = FOOTPRINT_UNKNOWN,
                                              .swapped_bytes = 0,
                                              .blocks = 1234567,
                                              .allocator_used_bytes = FOOTPRINT_UNKNOWN,
                                              .allocator_free_bytes = FOOTPRINT_UNKNOWN}};
    const struct snapshot_verdict verdicts[] = {
        {TREND_SUSPECTED, "a.B", "Memory leak suspected: a.B has grown"},
        {TREND_DOUBLED, "dict", "again"},
        {TREND_CLEARED, "c", "no longer"},
    };
    const struct snapshot_line line = {.time = {1795525200, 123999999},
                                       .elapsed_ms = 3600000,
                                       .pid = 123,
                                       .rows = 50,
                                       .verdicts = verdicts,
                                       .verdict_count = ARRAY_LENGTH(verdicts)};
    add(&snapshot, "dict", UINT64_MAX / 2, 1);
    add(&snapshot, "a.B", 3, 18446744073709551000u);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    /* A decimal comma of the host's must not come in; where there is none to be had, so be it. */
    setlocale(LC_ALL, "de_DE.UTF-8");
    expect(&snapshot, &line,
           "{\"memprof\":1,\"time\":\"2026-11-24T13:00:00.123Z\",\"pid\":123,\"sequence\":7,"
           "\"elapsed_ms\":3600000,\"objects\":9223372036854775810,\"bytes\":18446744073709551001,"
           "\"class_count\":2,\"pause_ms\":4.100,\"longest_pause_ms\":0.063,"
           "\"duration_ms\":212.000,\"forked\":true,\"untracked\":true,"
           "\"process\":{\"resident_bytes\":152253030,\"swapped_bytes\":0,"
           "\"python_blocks\":1234567},"
           "\"classes\":[[\"a.B\",3,18446744073709551000],[\"dict\",9223372036854775807,1]],"
           "\"verdicts\":["
           "{\"event\":\"suspected\",\"class\":\"a.B\","
           "\"text\":\"Memory leak suspected: a.B has grown\"},"
           "{\"event\":\"doubled\",\"class\":\"dict\",\"text\":\"again\"},"
           "{\"event\":\"cleared\",\"class\":\"c\",\"text\":\"no longer\"}]}\n");
    snapshot_clear(&snapshot);
}

/* The classes of a line with so many rows, as text. */
static void expect_classes(struct snapshot *snapshot, size_t rows, const char *wanted)
{
    const struct snapshot_line line = {.rows = rows};
    struct text text = {0};
    snapshot_line_add(&text, snapshot, &line);
    char *first = strstr(text.bytes, "\"classes\":"),
         *end = strstr(text.bytes, ",\"verdicts\":[]}\n");
    assert_non_null(first);
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(first + strlen("\"classes\":"), wanted);
    text_clear(&text);
}

static void test_classes_of_both_tables(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    expect_classes(&snapshot, 3, "[]");
    add(&snapshot, "many", 9, 1);
    add(&snapshot, "alike", 5, 20);
    add(&snapshot, "also", 5, 20);
    add(&snapshot, "large", 1, 90);
    add(&snapshot, "none", 2, 2);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    expect_classes(&snapshot, 1, "[[\"large\",1,90],[\"many\",9,1]]");
    /* Of equal counts and sizes the one that comes first by name is in. */
    expect_classes(&snapshot, 2, "[[\"large\",1,90],[\"alike\",5,20],[\"many\",9,1]]");
    expect_classes(&snapshot, 3,
                   "[[\"large\",1,90],[\"alike\",5,20],[\"also\",5,20],[\"many\",9,1]]");
    expect_classes(&snapshot, 5,
                   "[[\"large\",1,90],[\"alike\",5,20],[\"also\",5,20],[\"none\",2,2],"
                   "[\"many\",9,1]]");
    snapshot_clear(&snapshot);
}

static void test_strings(void **state)
{
    static const char *const cases[][2] = {
        {"a.B<locals>'", "a.B<locals>'"},
        {"\"\\", "\\\"\\\\"},
        {"a\nb\tc\x01\x7f", "a\\u000ab\\u0009c\\u0001\\u007f"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d"},
        /* What Python's splitlines() takes for the end of a line. */
        {"\xc2\x85\xe2\x80\xa8\xe2\x80\xa9", "\\u0085\\u2028\\u2029"},
        {"\xf3\xa0\x80\x81", "\\udb40\\udc01"},
        {"\xff\xc3", "\\ufffd\\ufffd"},
        {"\xed\xa0\x80.", "\\ufffd\\ufffd\\ufffd."},
        {"\xc0\xaf\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct snapshot snapshot = {0};
        char wanted[128];
        add(&snapshot, cases[i][0], 1, 2);
        assert_int_equal(snapshot_rank(&snapshot), 0);
        snprintf(wanted, sizeof(wanted), "[[\"%s\",1,2]]", cases[i][1]);
        expect_classes(&snapshot, 3, wanted);
        snapshot_clear(&snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_classes_of_both_tables),
        cmocka_unit_test(test_strings),
    };
    return cmocka_run_group_tests_name("snapshot_line", tests, NULL, NULL);
}
