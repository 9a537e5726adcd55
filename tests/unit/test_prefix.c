/* SPDX-License-Identifier: MIT */
#include "prefix.h"
#include "reading.h"
#include "test.h"

#include <string.h>

#define NOW_MS 1795525200000 /* 2026-11-24 13:00:00 */

static struct prefix check(const char *line, const char *rest, const char *source)
{
    struct prefix prefix = prefix_read(line, strlen(line), NOW_MS);
    assert_string_equal(line + prefix.size, rest);
    assert_int_equal(prefix.source_size, strlen(source));
    assert_memory_equal(prefix.source, source, prefix.source_size);
    return prefix;
}

static void test_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "  dict: 3 objects",
        "2026-11-24 13:00:00,123 INFO memory_profiler: Memory Snapshot",
        "Memory leak suspected: a | b",
        "Nov 24 13:00:00 is when it began",
        "[pod/",
        "|",
        "stderr F x",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        struct prefix prefix = check(lines[i], lines[i], "");
        assert_false(prefix.has_moment || prefix.is_partial);
        assert_int_equal(prefix.pid, READING_UNKNOWN);
    }
}

static void test_docker(void **state)
{
    (void)state;
    struct prefix prefix =
        check("2026-11-24T13:00:00.123456789Z   dict: 3 objects", "  dict: 3 objects", "");
    assert_true(prefix.has_moment);
    assert_int_equal(prefix.moment.time_ms, 1795525200123);
    assert_true(check("2026-11-24T13:00:00Z", "", "").has_moment);
    check("bot-1  |   dict: 3 objects", "  dict: 3 objects", "bot-1");
    check("bot-1  | ", "", "bot-1");
    check("bot.1.zq3@node-2    |   x", "  x", "bot.1.zq3@node-2");
    check("bot-1  | 2026-11-24T13:00:00Z x", "x", "bot-1");
}

static void test_kubernetes(void **state)
{
    (void)state;
    check("[pod/bot-7d/main]   x", "  x", "bot-7d/main");
    assert_true(check("[pod/a/b] 2026-11-24T13:00:00Z x", "x", "a/b").has_moment);
    struct prefix prefix = check("2026-11-24T13:00:00.5Z stderr F   x", "  x", "");
    assert_true(prefix.has_stream && !prefix.is_partial);
    assert_true(check("2026-11-24T13:00:00.5Z stdout P x", "x", "").is_partial);
    assert_true(check("2026-11-24T13:00:00.5Z stderr F", "", "").has_stream);
}

static void test_journal(void **state)
{
    (void)state;
    struct prefix prefix =
        check("Nov  4 13:00:00 host python3[123]:   x", "  x", "host python3[123]");
    assert_int_equal(prefix.pid, 123);
    assert_false(prefix.moment.is_utc);
    prefix = check("2026-11-24T13:00:00+0100 my-host bot.py[7]: x", "x", "my-host bot.py[7]");
    assert_int_equal(prefix.moment.time_ms, 1795521600000);
    check("Nov  4 13:00:00 host python3[123]:", "", "host python3[123]");
    check("Nov  4 13:00:00 host bot@2.service[7]: x", "x", "host bot@2.service[7]");
}

/* Whatever a line is cut down to, nothing behind its end is looked at. */
static void test_every_beginning(void **state)
{
    (void)state;
    static const char line[] = "bot | [pod/a/b] 2026-11-24T13:00:00.123+01:00 stderr P x";
    for (size_t size = 0; size < sizeof(line); size++) {
        char *copy = test_malloc(size + 1);
        memcpy(copy, line, size);
        assert_true(prefix_read(copy, size, NOW_MS).size <= size);
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_docker),
        cmocka_unit_test(test_kubernetes),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_every_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
