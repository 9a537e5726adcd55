/* SPDX-License-Identifier: MIT */
#include "amount.h"
#include "moment.h"
#include "test.h"

#include <string.h>

#define NOW_MS 1795525200000 /* 2026-11-24 13:00:00 */

enum { NOTHING = -7 };

static int64_t count_of(const char *text, const char *rest)
{
    int64_t count = NOTHING;
    const char *at = text;
    bool is_read = amount_read_count(&at, text + strlen(text), &count);
    assert_string_equal(at, rest);
    assert_int_equal(is_read, count != NOTHING);
    return count;
}

static void test_counts(void **state)
{
    (void)state;
    assert_int_equal(count_of("0", ""), 0);
    assert_int_equal(count_of("1,234,567 objects", " objects"), 1234567);
    assert_int_equal(count_of("99999999999999999", ""), 99999999999999999);
    assert_int_equal(count_of("999999999999999999", "999999999999999999"), NOTHING);
    assert_int_equal(count_of(",1", ",1"), NOTHING);
    assert_int_equal(count_of("", ""), NOTHING);
}

static int64_t size_of(const char *text, const char *rest)
{
    int64_t bytes = NOTHING;
    const char *at = text;
    bool is_read = amount_read_size(&at, text + strlen(text), &bytes);
    assert_string_equal(at, rest);
    assert_int_equal(is_read, bytes != NOTHING);
    return bytes;
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(size_of("512 B", ""), 512);
    assert_int_equal(size_of("1.5 KB,", ","), 1536);
    assert_int_equal(size_of("45.2 MB", ""), 47395635);
    assert_int_equal(size_of("1,023.9 GB", ""), 1099404253593);
    assert_int_equal(size_of("12", "12"), NOTHING);
    assert_int_equal(size_of("12 TB", "12 TB"), NOTHING);
    assert_int_equal(size_of("99999999999999999 GB", "99999999999999999 GB"), NOTHING);
}

static void test_nothing_is_read_behind_the_end(void **state)
{
    (void)state;
    const char text[] = "12 MB";
    for (size_t size = 0; size < 5; size++) {
        int64_t bytes;
        const char *at = text;
        assert_false(amount_read_size(&at, text + size, &bytes));
        assert_ptr_equal(at, text);
    }
}

static int64_t span_of(const char *text, const char *rest)
{
    int64_t span_ms = NOTHING;
    const char *at = text;
    bool is_read = amount_read_span(&at, text + strlen(text), &span_ms);
    assert_string_equal(at, rest);
    assert_int_equal(is_read, span_ms != NOTHING);
    return span_ms;
}

static void test_spans(void **state)
{
    (void)state;
    assert_int_equal(span_of("45s)", ")"), 45000);
    assert_int_equal(span_of("1h 58m):", "):"), 118 * 60000);
    assert_int_equal(span_of("3d 4h", ""), 76 * 3600000);
    assert_int_equal(span_of("5 m", "5 m"), NOTHING);
    assert_int_equal(span_of("9999999d", "9999999d"), NOTHING);
}

/* Whatever a log says, it fits. */
static void test_a_span_without_end(void **state)
{
    (void)state;
    enum { PARTS = 200000, PART_SIZE = 9 };
    char *text = test_malloc(PARTS * PART_SIZE);
    for (size_t i = 0; i < PARTS; i++)
        memcpy(text + i * PART_SIZE, "1000000d ", PART_SIZE);
    const char *at = text;
    int64_t span_ms = NOTHING;
    assert_false(amount_read_span(&at, text + PARTS * PART_SIZE, &span_ms));
    test_free(text);
}

static int64_t moment_of(const char *text, size_t size, bool is_utc)
{
    struct moment moment = {NOTHING, is_utc};
    assert_int_equal(moment_read(text, strlen(text), &moment), size);
    assert_int_equal(moment.is_utc, is_utc);
    return moment.time_ms;
}

static void test_moments(void **state)
{
    (void)state;
    assert_int_equal(moment_of("1970-01-01T00:00:01Z", 20, true), 1000);
    assert_int_equal(moment_of("2026-11-24T13:00:00.123456789Z x", 30, true), 1795525200123);
    assert_int_equal(moment_of("2026-11-24 13:00:00,5 x", 21, false), 1795525200500);
    assert_int_equal(moment_of("2026-11-24T13:00:00+01:00", 25, true), 1795521600000);
    assert_int_equal(moment_of("2026-11-24T13:00:00-0130", 24, true), 1795530600000);
    assert_int_equal(moment_of("2026-11-24T13:00:00+01", 19, false), 1795525200000);
    assert_int_equal(moment_of("2026-13-24T13:00:00", 0, false), NOTHING);
    assert_int_equal(moment_of("2026-11-24T24:00:00", 0, false), NOTHING);
    assert_int_equal(moment_of("2026-02-29T13:00:00", 0, false), NOTHING);
    assert_int_equal(moment_of("2028-02-29T13:00:00", 19, false), 1835442000000);
    assert_int_equal(moment_of("2026-11-24T13:00", 0, false), NOTHING);
}

static void test_moments_in_lines(void **state)
{
    (void)state;
    struct moment moment;
    char text[MOMENT_TEXT_SIZE];
    const char line[] = "[INFO] 2026-11-24 13:00:00,123 x";
    assert_true(moment_find(line, sizeof(line) - 1, &moment));
    moment_write(text, moment);
    assert_string_equal(text, "2026-11-24 13:00:00");
    assert_false(moment_find(line, 20, &moment));
    assert_int_equal(moment_read_syslog("Nov  4 13:00:00 h", 17, NOW_MS, &moment), 15);
    moment.is_utc = true;
    moment_write(text, moment);
    assert_string_equal(text, "2026-11-04 13:00:00 UTC");
    assert_int_equal(moment_read_syslog("Nox  4 13:00:00 h", 17, NOW_MS, &moment), 0);
}

static int64_t syslog_moment(const char *text, const char *now)
{
    struct moment moment = {NOTHING, false}, now_moment;
    assert_true(moment_read(now, strlen(now), &now_moment) > 0);
    assert_int_equal(moment_read_syslog(text, strlen(text), now_moment.time_ms, &moment), 15);
    return moment.time_ms;
}

static void test_moments_without_a_year(void **state)
{
    (void)state;
    static const struct {
        const char *text, *now, *meant;
    } cases[] = {
        {"Dec 31 23:59:59", "2027-01-01T03:00:00Z", "2026-12-31T23:59:59Z"},
        {"Jan  1 00:00:00", "2027-01-01T03:00:00Z", "2027-01-01T00:00:00Z"},
        {"Jan  1 09:00:00", "2026-12-31T23:00:00Z", "2027-01-01T09:00:00Z"},
        {"Nov 25 09:00:00", "2026-11-24T13:00:00Z", "2026-11-25T09:00:00Z"},
        {"Nov 26 09:00:00", "2026-11-24T13:00:00Z", "2025-11-26T09:00:00Z"},
        {"Feb 29 09:00:00", "2029-01-02T13:00:00Z", "2028-02-29T09:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(syslog_moment(cases[i].text, cases[i].now),
                         moment_of(cases[i].meant, strlen(cases[i].meant), true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_nothing_is_read_behind_the_end),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_a_span_without_end),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_moments_in_lines),
        cmocka_unit_test(test_moments_without_a_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
