/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "process_stats.h"

static void test_reads_a_status_file(void **state)
{
    (void)state;
    struct process_stats stats;
    process_stats_parse(&stats, "Name:\tVmRSS:  7 kB\n"
                                "VmPeak:\t   99999 kB\n"
                                "VmRSS:\t   51200 kB\n"
                                "RssAnon:\t   40960 kB\n"
                                "VmSwap:\t       0 kB\n");
    assert_int_equal(stats.resident_bytes, 51200 * 1024);
    assert_int_equal(stats.anonymous_bytes, 40960 * 1024);
    assert_int_equal(stats.swapped_bytes, 0);
}

static void test_what_is_not_told_is_unknown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "VmRSS:", "VmRSS:\t kB\n", "VmRSS:\t12 MB\n", "VmRSS:\t12", "xVmRSS:\t12 kB\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct process_stats stats;
        process_stats_parse(&stats, texts[i]);
        assert_true(stats.resident_bytes == PROCESS_STATS_UNKNOWN);
        assert_true(stats.anonymous_bytes == PROCESS_STATS_UNKNOWN);
    }
}

static void test_this_process(void **state)
{
    (void)state;
    struct process_stats stats;
    process_stats_read(&stats);
    assert_in_range(stats.resident_bytes, 100 * 1024, (uint64_t)1 << 40);
    assert_true(stats.anonymous_bytes < stats.resident_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_status_file),
        cmocka_unit_test(test_what_is_not_told_is_unknown),
        cmocka_unit_test(test_this_process),
    };
    return cmocka_run_group_tests_name("process_stats", tests, NULL, NULL);
}
