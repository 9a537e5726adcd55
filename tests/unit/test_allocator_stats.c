/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "allocator_stats.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 40000, BLOCK_BYTES = 1000 };

static char *blocks[BLOCKS];

/* Where there is such a function: other C libraries are tested by what is left out. */
static bool is_known(void)
{
    struct allocator_stats stats;
    allocator_stats_read(&stats);
    return stats.used_bytes != ALLOCATOR_STATS_UNKNOWN;
}

static void test_used_becomes_free_but_kept(void **state)
{
    (void)state;
    struct allocator_stats before, full, half;
    if (!is_known())
        skip();
    allocator_stats_read(&before);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    allocator_stats_read(&full);
    for (size_t i = 0; i < BLOCKS; i += 2)
        free(blocks[i]);
    allocator_stats_read(&half);
    uint64_t used = BLOCKS * BLOCK_BYTES;
    assert_in_range(full.used_bytes - before.used_bytes, used, used + used / 10);
    assert_in_range(full.used_bytes - half.used_bytes, used / 2 - used / 10, used / 2 + used / 10);
    assert_in_range(half.free_bytes - full.free_bytes, used / 2 - used / 10, used / 2 + used / 10);
    for (size_t i = 1; i < BLOCKS; i += 2)
        free(blocks[i]);
}

static void test_large_blocks_are_used(void **state)
{
    (void)state;
    struct allocator_stats before, after;
    if (!is_known())
        skip();
    allocator_stats_read(&before);
    void *large = malloc(100 << 20);
    assert_non_null(large);
    allocator_stats_read(&after);
    assert_in_range(after.used_bytes - before.used_bytes, 100 << 20, (100 << 20) + 8192);
    free(large);
}

static void test_is_asked_in_place_while_cheap(void **state)
{
    (void)state;
    struct allocator_stats stats;
    if (!is_known())
        skip();
    allocator_stats_read_if_cheap(&stats);
    assert_true(stats.used_bytes != ALLOCATOR_STATS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_becomes_free_but_kept),
        cmocka_unit_test(test_large_blocks_are_used),
        cmocka_unit_test(test_is_asked_in_place_while_cheap),
    };
    return cmocka_run_group_tests_name("allocator_stats", tests, NULL, NULL);
}
