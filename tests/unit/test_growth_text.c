/* SPDX-License-Identifier: MIT
 *
 * The exact text: log queries match on it. */
#include "test.h"

#include "growth/growth_text.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000;

/* ---- The section ---- */

struct row {
    const char *name;
    uint64_t counts[3], bytes[3]; /* in three snapshots; not there where both are 0 */
};

/* The section after `count` snapshots, the last of which is `span_ms` after the first. */
static void expect_section(const struct row *rows, size_t row_count, size_t count, uint64_t span_ms,
                           size_t limit, const char *expected)
{
    struct history *history = history_create();
    struct text text = {0};
    struct snapshot snapshot = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < count; i++) {
        snapshot_clear(&snapshot);
        for (size_t k = 0; k < row_count; k++) {
            if (rows[k].counts[i] > 0 || rows[k].bytes[i] > 0)
                snapshot_add(&snapshot, strdup(rows[k].name), rows[k].counts[i], rows[k].bytes[i]);
        }
        assert_int_equal(snapshot_rank(&snapshot), 0);
        history_add(history, &snapshot, 5000 + (count > 1 ? i * span_ms / (count - 1) : 0));
    }
    growth_text_add(&text, history, &snapshot, limit);
    assert_string_equal(text.bytes, expected);
    text_clear(&text);
    snapshot_clear(&snapshot);
    history_destroy(history);
}

#define EXPECT_SECTION(count, span_ms, limit, expected, ...)                                 \
    expect_section((const struct row[]){__VA_ARGS__},                                        \
                   ARRAY_LENGTH(((const struct row[]){__VA_ARGS__})), count, span_ms, limit, \
                   expected)

static void test_section(void **state)
{
    (void)state;
    EXPECT_SECTION(3, 2 * HOUR_MS, 10,
                   "\n\nGrowth since first snapshot (3 snapshots over 2h 0m):"
                   "\n  by memory usage:"
                   "\n    app.Foo: +19.5 KB, +14.6 KB since previous, +9.8 KB per hour"
                   "\n    app.New: +700 B, +0 B since previous, +350 B per hour"
                   "\n    list: +512 B, -512 B since previous, +256 B per hour"
                   "\n  by object count:"
                   "\n    app.Foo: +2,000 objects, +1,500 since previous, +1,000 per hour"
                   "\n    app.New: +7 objects, +0 since previous, +4 per hour"
                   "\n    dict: +1 objects, -1 since previous, +1 per hour",
                   {"app.Foo", {10, 510, 2010}, {0, 5000, 20000}},
                   {"app.New", {0, 7, 7}, {0, 700, 700}}, {"list", {5, 5, 5}, {512, 1536, 1024}},
                   {"dict", {1, 3, 2}, {64, 64, 64}}, {"app.Less", {9, 8, 7}, {90, 80, 70}},
                   {"app.Gone", {5, 50, 0}, {50, 500, 0}}, {"still", {5, 5, 5}, {50, 50, 50}});
}

static void test_section_without_growth(void **state)
{
    (void)state;
    EXPECT_SECTION(1, 0, 10, "", {"app.Foo", {1}, {10}});
    EXPECT_SECTION(2, MINUTE_MS, 10,
                   "\n\nGrowth since first snapshot (2 snapshots over 1m):"
                   "\n  by memory usage: nothing"
                   "\n  by object count: nothing",
                   {"app.Foo", {5, 4}, {50, 40}}, {"app.Bar", {5, 5}, {50, 50}});
    EXPECT_SECTION(2, 0, 10,
                   "\n\nGrowth since first snapshot (2 snapshots over 0s):"
                   "\n  by memory usage: nothing"
                   "\n  by object count:"
                   "\n    app.Foo: +1 objects, +1 since previous, +0 per hour",
                   {"app.Foo", {4, 5}, {50, 40}});
}

#define ROW(name, more)      \
    {                        \
        name, {1, 1 + more}, \
        {                    \
            10, 10           \
        }                    \
    }

static void test_rows_are_limited_and_ordered(void **state)
{
    (void)state;
    static const char head[] = "\n\nGrowth since first snapshot (2 snapshots over 1h 0m):"
                               "\n  by memory usage: nothing"
                               "\n  by object count:";
    const struct row rows[] = {ROW("d", 5), ROW("c", 5), ROW("k", 9), ROW("a", 5),
                               ROW("b", 5), ROW("e", 5), ROW("f", 5), ROW("g", 5),
                               ROW("h", 5), ROW("i", 5), ROW("j", 5), ROW("z", 1)};
    static const char *const names[] = {"k", "a", "b", "c", "d", "e", "f", "g", "h", "i"};
    static const size_t limits[] = {1, 2, 9, 10, 11, 50};
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        struct text expected = {0};
        text_add(&expected, "%s", head);
        for (size_t k = 0; k < limits[i] && k < ARRAY_LENGTH(names); k++)
            text_add(&expected, "\n    %s: +%d objects, +%d since previous, +%d per hour", names[k],
                     k == 0 ? 9 : 5, k == 0 ? 9 : 5, k == 0 ? 9 : 5);
        expect_section(rows, ARRAY_LENGTH(rows), 2, HOUR_MS, limits[i], expected.bytes);
        text_clear(&expected);
    }
}

static void test_spans(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        const char *expected;
    } cases[] = {
        {45, "45s"},
        {59, "59s"},
        {60, "1m"},
        {58 * 60, "58m"},
        {3599, "59m"},
        {3600, "1h 0m"},
        {118 * 60, "1h 58m"},
        {86399, "23h 59m"},
        {86400, "1d 0h"},
        {76 * 3600, "3d 4h"},
        {400 * 86400, "400d 0h"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct text expected = {0};
        text_add(&expected,
                 "\n\nGrowth since first snapshot (2 snapshots over %s):"
                 "\n  by memory usage: nothing\n  by object count: nothing",
                 cases[i].expected);
        EXPECT_SECTION(2, cases[i].seconds * SECOND_MS, 10, expected.bytes, {"a", {1, 1}, {1, 1}});
        text_clear(&expected);
    }
}

/* To the nearest, whatever is lost in dividing; but what grows is never `+0`. */
static void test_rates_are_whole(void **state)
{
    (void)state;
    for (uint64_t minutes = 1; minutes < 60; minutes++) {
        struct text expected = {0};
        unsigned more = 7 * (unsigned)minutes;
        text_add(&expected,
                 "\n\nGrowth since first snapshot (2 snapshots over %um):"
                 "\n  by memory usage: nothing\n  by object count:"
                 "\n    a: +%u objects, +%u since previous, +420 per hour",
                 (unsigned)minutes, more, more);
        EXPECT_SECTION(2, minutes * MINUTE_MS, 10, expected.bytes, {"a", {1, 1 + more}, {1, 1}});
        text_clear(&expected);
    }
    EXPECT_SECTION(2, 72 * HOUR_MS, 10,
                   "\n\nGrowth since first snapshot (2 snapshots over 3d 0h):"
                   "\n  by memory usage: nothing\n  by object count:"
                   "\n    a: +7 objects, +7 since previous, +1 per hour",
                   {"a", {1, 8}, {1, 1}});
}

/* ---- Of one class ---- */

/* 2021-01-01 12:00:00 */
static const time_t NOW = 1609502400;

/* From nothing to 4,512 objects of 1.2 MB in an hour and 12 snapshots. */
static struct suspect grown(void)
{
    return (struct suspect){
        .event = TREND_SUSPECTED,
        .name = "app.Foo",
        .watch = {.suspected = true,
                  .measures = TREND_COUNT | TREND_BYTES,
                  .base = {.snapshot = 3}},
        .now = {.time_ms = HOUR_MS, .count = 4512, .bytes = 1258292, .snapshot = 15},
    };
}

static void expect_said(const struct suspect *suspect, const char *expected)
{
    struct text text = {0};
    growth_text_add_suspect(&text, suspect, NOW);
    assert_false(text.failed);
    assert_string_equal(text.bytes, expected);
    text_clear(&text);
}

#define GROWN                                                                                \
    "Memory leak suspected: app.Foo has grown by 4,512 objects and 1.2 MB in 12 snapshots, " \
    "since 2021-01-01 11:00:00 (1h 0m ago): +4,512 objects and +1.2 MB per hour."
#define ALIVE " Look at what keeps objects of this class alive."

static void test_accusation(void **state)
{
    (void)state;
    struct suspect foo = grown();
    expect_said(&foo, GROWN ALIVE);
    foo.event = TREND_DOUBLED;
    expect_said(&foo, "Memory leak suspected: app.Foo still grows, by 4,512 objects and 1.2 MB in "
                      "12 snapshots, since 2021-01-01 11:00:00 (1h 0m ago): "
                      "+4,512 objects and +1.2 MB per hour." ALIVE);
}

static void test_measures_that_have_not_grown(void **state)
{
    (void)state;
    struct suspect foo = grown();
    foo.watch.base.bytes = foo.now.bytes;
    foo.now.count = 1;
    foo.now.time_ms = 45 * SECOND_MS;
    expect_said(&foo, "Memory leak suspected: app.Foo has grown by 1 object in 12 snapshots, since "
                      "2021-01-01 11:59:15 (45s ago): +80 objects per hour." ALIVE);
    foo = grown();
    foo.watch.base.count = foo.now.count + 1;
    foo.now.time_ms = 76 * HOUR_MS;
    expect_said(&foo, "Memory leak suspected: app.Foo has grown by 1.2 MB in 12 snapshots, since "
                      "2020-12-29 08:00:00 (3d 4h ago): +16.2 KB per hour." ALIVE);
    foo.watch.base.time_ms = foo.now.time_ms;
    expect_said(&foo, "Memory leak suspected: app.Foo has grown by 1.2 MB in 12 snapshots, since "
                      "2021-01-01 12:00:00 (0s ago)." ALIVE);
}

static void test_parts(void **state)
{
    (void)state;
    struct suspect foo = grown();
    text_add(&foo.parts, "dict, app.%%s");
    expect_said(&foo, GROWN " Along with it grow: dict, app.%s." ALIVE);
    text_clear(&foo.parts);
}

static void expect_held(struct held_class held, const char *expected)
{
    struct suspect foo = grown();
    struct text text = {0};
    foo.held = &held;
    text_add(&text, GROWN "%s", expected);
    expect_said(&foo, text.bytes);
    text_clear(&text);
}

#define HELD(expected, ...)                                                                  \
    expect_held(                                                                             \
        (struct held_class){.sample = 50,                                                    \
                            .holders = (struct holder[]){__VA_ARGS__},                       \
                            .holder_count = ARRAY_LENGTH(((struct holder[]){__VA_ARGS__}))}, \
        expected)

static void test_holders(void **state)
{
    (void)state;
    HELD(" 47 of 50 are held by app.seen[*] (list, 5,678 items, retains 45.2 MB); "
         "2 of 50 by app.last[*] (collections.deque, 1 item, at most 10)."
         " Look at what is put in there, and when it is taken out again.",
         {.share = 47,
          .expression = "app.seen[*]",
          .container = "list",
          .length = 5678,
          .retained_bytes = 47395635},
         {.share = 2,
          .expression = "app.last[*]",
          .container = "collections.deque",
          .length = 1,
          .bound = 10});
    expect_held((struct held_class){.sample = 50}, ALIVE);
    struct holder holders[] = {{.expression = "app.log", .share = 2},
                               {.expression = "app.other", .share = 1}};
    expect_held(
        (struct held_class){.sample = 3, .by_size = true, .holders = holders, .holder_count = 2},
        " The largest are held by app.log; app.other."
        " Look at what refers to them from there.");
}

static void test_advice(void **state)
{
    (void)state;
    static const char refers[] = " 50 of 50 are held by app.foo."
                                 " Look at what refers to them from there.";
    HELD(" 50 of 50 are held by cycles that the collector has not found yet."
         " Look at whether the collector is switched off or its thresholds are high.",
         {.kind = HOLDER_CYCLE, .share = 50, .expression = ""});
    HELD(" 50 of 50 are held by app.f.<cache>[*] (dict, 5 items)."
         " Look at whether that cache is to have a maxsize.",
         {.share = 50, .expression = "app.f.<cache>[*]", .container = "dict", .length = 5});
    HELD(" 50 of 50 are held by app.head (linked app.Node)."
         " Look at what goes on linking objects to that one.",
         {.share = 50, .expression = "app.head", .is_linked = 1, .container = "app.Node"});
    HELD(" 50 of 50 are held by app.seen[*]."
         " Look at what is put in there, and when it is taken out again.",
         {.share = 50, .expression = "app.seen[*]", .kind = HOLDER_FRAME});
    HELD(" 50 of 50 are held by app.run:job."
         " Look at which functions, tasks or generators do not end.",
         {.share = 50, .expression = "app.run:job", .kind = HOLDER_FRAME});
    HELD(" 50 of 50 are held by app.run:job."
         " Look at which functions, tasks or generators do not end.",
         {.share = 50, .expression = "app.run:job", .kind = HOLDER_COROUTINE});
    HELD(" 50 of 50 are held by <method>."
         " Look at callbacks and handlers that are registered and never removed.",
         {.share = 50, .expression = "<method>", .kind = HOLDER_C});
    HELD(refers, {.share = 50, .expression = "app.foo", .kind = HOLDER_MODULE});
    HELD(refers, {.share = 50, .expression = "app.foo", .kind = HOLDER_CLASS});
    HELD(refers, {.share = 50, .expression = "app.foo", .kind = HOLDER_CONTEXT});
}

static void test_acquittal(void **state)
{
    (void)state;
    struct suspect foo = grown();
    foo.event = TREND_CLEARED;
    expect_said(&foo, "Memory leak no longer suspected: app.Foo has stopped growing: "
                      "4,512 objects and 1.2 MB now, grown by 4,512 objects and 1.2 MB in "
                      "12 snapshots, since 2021-01-01 11:00:00 (1h 0m ago).");
    foo.watch.base.count = 5000;
    expect_said(&foo, "Memory leak no longer suspected: app.Foo has stopped growing: "
                      "4,512 objects and 1.2 MB now, grown by 1.2 MB in "
                      "12 snapshots, since 2021-01-01 11:00:00 (1h 0m ago).");
    foo.watch.base.bytes = foo.now.bytes;
    expect_said(&foo, "Memory leak no longer suspected: app.Foo has stopped growing: "
                      "4,512 objects and 1.2 MB now.");
    foo.now.count = 1;
    foo.now.bytes = 56;
    expect_said(&foo, "Memory leak no longer suspected: app.Foo has stopped growing: "
                      "1 object and 56 B now.");
    foo.now.count = foo.now.bytes = 0;
    expect_said(&foo, "Memory leak no longer suspected: app.Foo is gone.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section),
        cmocka_unit_test(test_section_without_growth),
        cmocka_unit_test(test_rows_are_limited_and_ordered),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_rates_are_whole),
        cmocka_unit_test(test_accusation),
        cmocka_unit_test(test_measures_that_have_not_grown),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_holders),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_acquittal),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests_name("growth_text", tests, NULL, NULL);
}
