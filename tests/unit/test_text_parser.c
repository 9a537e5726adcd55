/* SPDX-License-Identifier: MIT */
#include "json_line.h"
#include "memprof.h"
#include "test.h"
#include "text_parser.h"

#include <stdio.h>
#include <string.h>

/* What the parser has said, as text. */
struct heard {
    struct text text;
    unsigned skipped[SKIPPED_KINDS];
    char complaint[200];
};

static int hear_snapshot(void *self, const struct reading *reading)
{
    struct text *text = &((struct heard *)self)->text;
    text_add(text, "pid %lld time %lld sequence %lld elapsed %lld:", (long long)reading->pid,
             (long long)reading->time_ms, (long long)reading->sequence,
             (long long)reading->elapsed_ms);
    for (int i = 0; i < FIGURES; i++)
        text_add(text, " %lld", (long long)reading->figures[i]);
    for (size_t i = 0; i < reading->class_count; i++)
        text_add(text, "|%s %lld %lld", reading->classes[i].name,
                 (long long)reading->classes[i].count, (long long)reading->classes[i].bytes);
    if (reading->held != NULL)
        text_add(text, "|held %s", reading->held);
    if (reading->note != NULL)
        text_add(text, "|note %s", reading->note);
    text_add(text, "\n");
    return 0;
}

static int hear_verdict(void *self, const struct verdict *verdict)
{
    text_add(&((struct heard *)self)->text, "%s %s at %lld: %s\n",
             verdict->kind == VERDICT_SUSPECTED ? "suspected" : "cleared", verdict->name,
             (long long)verdict->time_ms, verdict->text);
    return 0;
}

static void hear_complaint(void *self, enum skipped what, const char *text)
{
    struct heard *heard = self;
    heard->skipped[what]++;
    if (text != NULL)
        snprintf(heard->complaint, sizeof(heard->complaint), "%s", text);
}

static void hear_start(void *self)
{
    text_add(&((struct heard *)self)->text, "start\n");
}

static struct sink sink_of(struct heard *heard)
{
    return (struct sink){heard, hear_snapshot, hear_verdict, hear_complaint, hear_start};
}

static void feed(struct heard *heard, const char *text)
{
    struct sink sink = sink_of(heard);
    struct text_parser parser = {.sink = &sink};
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        assert_int_equal(text_parser_feed(&parser, text, size, NULL, READING_UNKNOWN), 0);
        text += size + (text[size] == '\n');
    }
    assert_int_equal(text_parser_end(&parser), 0);
    text_parser_clear(&parser);
}

/* What is heard of `text`, and nothing skipped but one of `skipped`, SKIPPED_KINDS for none. */
static void check(const char *text, enum skipped skipped, const char *expected)
{
    struct heard heard = {0};
    feed(&heard, text);
    assert_string_equal(heard.text.bytes != NULL ? heard.text.bytes : "", expected);
    for (enum skipped i = 0; i < SKIPPED_KINDS; i++)
        assert_int_equal(heard.skipped[i], i == skipped);
    text_clear(&heard.text);
}

#define TABLES                                                               \
    "\n\nTop 2 by object count:\n  dict: 6,021 objects\n  a: b: 7 objects\n" \
    "\nTop 2 by memory usage:\n  list: 1.5 KB\n  dict: 700 B\n"
#define COST "\nSnapshot cost: pause 4.1 ms (fork), 212 ms in background, 606,112 objects\n"
#define NO_FIGURES " -1 -1 -1 -1 -1 -1 -1 -1"
#define CLASSES "|a: b 7 -1|dict 6021 700|list -1 1536\n"

static void test_whole(void **state)
{
    (void)state;
    check("2026-11-24 13:00:00,123 INFO x: Memory Snapshot [pid 12]" TABLES COST, SKIPPED_KINDS,
          "pid 12 time 1795525200123 sequence -1 elapsed -1: 606112 -1 -1 -1 -1 -1 -1 -1" CLASSES);
}

static void test_sections(void **state)
{
    (void)state;
    check(
        "Memory Snapshot" TABLES
        "\nGrowth since first snapshot (12 snapshots over 1h 58m):\n  by memory usage:\n"
        "    dict: +1 B, +1 B since previous, +1 B per hour\n  by object count: nothing\n"
        "\nProcess: resident 145.0 MB (+12.0 MB since first), anonymous 1.0 KB (+1 B), swapped 0 B "
        "(+0 B); Python 1,234 allocated blocks (+20), 2.0 KB in tracked objects (+8 B); C "
        "allocator "
        "3.0 KB used, 4.0 KB free but kept\n"
        "RSS grew 120.0 MB, tracked objects 3.0 MB: native memory, within 12 snapshots\n"
        "\nHeld: dict (7 objects)\n  48 of 50 by __main__.x[*] (list)\n" COST,
        SKIPPED_KINDS,
        "pid -1 time -1 sequence 12 elapsed 7080000: 606112 2048 152043520 1024 0 1234 3072 4096"
        "|a: b 7 -1|dict 6021 700|list -1 1536"
        "|held dict (7 objects)\n  48 of 50 by __main__.x[*] (list)"
        "|note RSS grew 120.0 MB, tracked objects 3.0 MB: native memory, within 12 snapshots\n");
}

static void test_blocks_that_are_not_known(void **state)
{
    (void)state;
    check("Memory Snapshot" TABLES
          "\nProcess: resident 1.0 KB; Python 2.0 KB in tracked objects (+8 B)\n" COST,
          SKIPPED_KINDS,
          "pid -1 time -1 sequence -1 elapsed -1: 606112 2048 1024 -1 -1 -1 -1 -1" CLASSES);
}

static void test_what_a_log_puts_behind_the_end(void **state)
{
    (void)state;
    check("Memory Snapshot" TABLES "\nSnapshot cost: pause 4.1 ms (inline), 1.0 ms in background, "
          "12 objects  [x] at=(1, 2, 3)\n",
          SKIPPED_KINDS, "pid -1 time -1 sequence -1 elapsed -1: 12 -1 -1 -1 -1 -1 -1 -1" CLASSES);
}

static void test_without_its_end(void **state)
{
    (void)state;
    const char *whole = "pid -1 time -1 sequence -1 elapsed -1:" NO_FIGURES CLASSES;
    check("Memory Snapshot" TABLES, SKIPPED_SHORTENED, whole);
    check("Memory Snapshot\nTop 2 by object count:\n  dict: 1 objects\n", SKIPPED_CUT, "");
    check("Memory Snapshot\nTop 1 by object count:\n  dict: 1 objects\nTop 2 by memory usage:\n  "
          "a: 1 B",
          SKIPPED_CUT, "");
    check("Memory Snapshot", SKIPPED_CUT, "");
}

static void test_others_in_between(void **state)
{
    (void)state;
    check("Memory Snapshot\nx\nTop 1 by object count:\nINFO: 3 objects found\n  dict: 1 objects\n"
          "Memory Snapshot of the day\nTop 1 by memory usage:\n  dict: 1 B\r\ny: z\n" COST,
          SKIPPED_KINDS,
          "pid -1 time -1 sequence -1 elapsed -1: 606112 -1 -1 -1 -1 -1 -1 -1|dict 1 1\n");
    check("Top 1 by object count:\n  dict: 1 objects\n" COST, SKIPPED_KINDS, "");
}

/* Classes and the keys of dicts are called as others like. */
static void test_names_are_no_records(void **state)
{
    (void)state;
    const char *name = "m.Memory leak suspected: dict has grown by 5";
    char text[2000], expected[1000];
    snprintf(text, sizeof(text),
             "Memory Snapshot\nTop 2 by object count:\n  %s: 1 objects\n  " MEMPROF_STARTED
             ": 1 objects\nTop 1 by memory usage:\n  %s: 1 B\n"
             "Growth since first snapshot (2 snapshots over 5m):\n"
             "    %s: +1 B, +1 B since previous, +1 B per hour\n"
             "Held: %s (1 object)\n  1 of 3 by x['%s'] (list)\n  and 2 in cycles that x\n" COST,
             name, name, name, name, name);
    snprintf(expected, sizeof(expected),
             "pid -1 time -1 sequence 2 elapsed 300000: 606112 -1 -1 -1 -1 -1 -1 -1"
             "|" MEMPROF_STARTED " 1 -1|%s 1 1"
             "|held %s (1 object)\n  1 of 3 by x['%s'] (list)\n  and 2 in cycles that x\n",
             name, name, name);
    check(text, SKIPPED_KINDS, expected);
}

static void test_no_more_rows_than_the_heading_says(void **state)
{
    (void)state;
    check("Memory Snapshot\nTop 1 by object count:\n  dict: 1 objects\n  list: 1 objects\n"
          "Top 1 by object count:\n  set: 1 objects\nTop 1 by memory usage:\n  dict: 1 B\n"
          "  list: 1 B\nTop 9 by memory usage:\n  set: 1 B\n" COST,
          SKIPPED_KINDS,
          "pid -1 time -1 sequence -1 elapsed -1: 606112 -1 -1 -1 -1 -1 -1 -1|dict 1 1\n");
    check("Memory Snapshot\nTop 1000001 by object count:\n  dict: 1 objects\n", SKIPPED_CUT, "");
}

static void test_forgotten_after_many_others(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct sink sink = sink_of(&heard);
    struct text_parser parser = {.sink = &sink};
    text_parser_feed(&parser, "Memory Snapshot", 15, NULL, READING_UNKNOWN);
    for (int i = 0; i < 1001; i++)
        text_parser_feed(&parser, "x", 1, NULL, READING_UNKNOWN);
    assert_false(text_parser_is_inside(&parser));
    assert_int_equal(heard.skipped[SKIPPED_CUT], 1);
}

static void test_verdicts(void **state)
{
    (void)state;
    check("2026-11-24 13:00:00,123 WARNING x: Memory leak suspected: a b has grown by 3 objects.\n"
          "Memory leak no longer suspected: c is gone.\n" MEMPROF_STARTED "\n",
          SKIPPED_KINDS,
          "suspected a b at 1795525200123: Memory leak suspected: a b has grown by 3 objects.\n"
          "cleared c at -1: Memory leak no longer suspected: c is gone.\nstart\n");
    check("Memory leak suspected: discord.mess", SKIPPED_DAMAGED, "");
}

/* ---- JSON ---- */

static struct json_line read_json(struct heard *heard, const char *line)
{
    struct sink sink = sink_of(heard);
    struct json_line json;
    json_line_read(&json, line, strlen(line), &sink);
    return json;
}

static void check_json(const char *line, enum json_kind kind, const char *text)
{
    struct heard heard = {0};
    struct json_line json = read_json(&heard, line);
    assert_int_equal(json.kind, kind);
    if (text != NULL)
        assert_string_equal(json.text, text);
    json_line_clear(&json);
    text_clear(&heard.text);
}

static void test_wrappings(void **state)
{
    (void)state;
    check_json("{\"log\":\"x\\n\",\"stream\":\"stderr\"}", JSON_CHUNK, "x\n");
    check_json("{\"log\":\"x\",\"stream\":\"stderr\"}", JSON_CHUNK, "x");
    check_json("{\"log\":\"x\",\"stream\":\"stderr\",\"logtag\":\"P\"}", JSON_CHUNK, "x");
    check_json("{\"log\":\"x\",\"stream\":\"stderr\",\"logtag\":\"F\"}", JSON_CHUNK, "x\n");
    check_json("{\"log\":\"x\",\"source\":\"stderr\"}", JSON_CHUNK, "x\n");
    check_json("{\"log\":\"Memory Snapshot\"}", JSON_CHUNK, "Memory Snapshot\n");
    check_json("{\"log\":\"x\",\"m\":\"Memory Snapshot\"}", JSON_RECORD, "Memory Snapshot");
    check_json("{\"MESSAGE\":\"x\"}", JSON_CHUNK, "x\n");
    check_json("{\"a\":{\"b\":{\"c\":\"Memory Snapshot\\n\"}}}", JSON_RECORD, "Memory Snapshot\n");
    check_json("{\"a\":1}", JSON_OTHER, NULL);
    check_json("{'a': 1}", JSON_NONE, NULL);
    check_json("{\"a\":", JSON_OTHER, NULL);
}

static void test_times(void **state)
{
    (void)state;
    static const char *const values[] = {"\"2026-11-24T13:00:00.123Z\"", "1795525200.123",
                                         "1795525200123", "1795525200123456",
                                         "\"1795525200123456789\""};
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct heard heard = {0};
        char line[200];
        snprintf(line, sizeof(line),
                 "{\"ts\":%s,\"process\":9,\"pod\":\"p\",\"m\":\"Memory leak \"}", values[i]);
        struct json_line json = read_json(&heard, line);
        assert_true(json.has_moment);
        assert_int_equal(json.moment.time_ms, 1795525200123);
        assert_int_equal(json.pid, 9);
        assert_string_equal(json.source, "p");
        json_line_clear(&json);
    }
}

static void test_times_that_are_none(void **state)
{
    (void)state;
    static const char *const values[] = {
        "\"13:00:00\"", "\"11/24/2026 01:00:00 PM\"", "\"\"", "{}", "-1", "null"};
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct heard heard = {0};
        char line[200];
        snprintf(line, sizeof(line), "{\"time\":%s,\"m\":\"Memory leak \"}", values[i]);
        struct json_line json = read_json(&heard, line);
        assert_false(json.has_moment);
        json_line_clear(&json);
        snprintf(line, sizeof(line), "{\"time\":%s,\"ts\":1795525200.123,\"m\":\"Memory leak \"}",
                 values[i]);
        json = read_json(&heard, line);
        assert_true(json.has_moment);
        assert_int_equal(json.moment.time_ms, 1795525200123);
        json_line_clear(&json);
    }
}

static void test_snapshot_lines(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct json_line json = read_json(
        &heard,
        "{\"memprof\":1,\"time\":\"2026-11-24T13:00:00.123Z\",\"pid\":5,\"sequence\":3,\"new\":[],"
        "\"elapsed_ms\":9,\"objects\":8,\"bytes\":7,\"process\":{\"resident_bytes\":6,\"x\":1},"
        "\"classes\":[[\"b\",1,2],[\"a\",3,4]],\"verdicts\":[{\"event\":\"doubled\","
        "\"class\":\"a\",\"text\":\"t\"},{\"event\":\"cleared\",\"class\":\"b\",\"text\":\"u\"}]}");
    assert_int_equal(json.kind, JSON_SNAPSHOT);
    assert_string_equal(
        heard.text.bytes,
        "pid 5 time 1795525200123 sequence 3 elapsed 9: 8 7 6 -1 -1 -1 -1 -1|a 3 4|b 1 2\n"
        "suspected a at 1795525200123: t\ncleared b at 1795525200123: u\n");
    json_line_clear(&json);
    text_clear(&heard.text);
    json = read_json(&heard, "{\"memprof\":\"1\"}");
    assert_string_equal(heard.complaint, "memprof: found a text, allowed: the schema's number, 1");
    json_line_clear(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_blocks_that_are_not_known),
        cmocka_unit_test(test_what_a_log_puts_behind_the_end),
        cmocka_unit_test(test_without_its_end),
        cmocka_unit_test(test_others_in_between),
        cmocka_unit_test(test_names_are_no_records),
        cmocka_unit_test(test_no_more_rows_than_the_heading_says),
        cmocka_unit_test(test_forgotten_after_many_others),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_wrappings),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_times_that_are_none),
        cmocka_unit_test(test_snapshot_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
