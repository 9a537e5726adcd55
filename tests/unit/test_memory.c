/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "memory.h"

#include <stdint.h>
#include <string.h>

enum { BLOCKS = 400 };

/* Sizes on both sides of where blocks become mappings. */
static size_t size_of(int i)
{
    return i % 7 == 0 ? (size_t)i * 3000 : (size_t)i * 13;
}

static void fill(unsigned char *block, size_t size, int i)
{
    memset(block, i & 0xff, size);
}

static void assert_filled(const unsigned char *block, size_t size, int i)
{
    for (size_t at = 0; at < size; at++) {
        if (block[at] != (i & 0xff))
            fail_msg("block %d differs at %zu", i, at);
    }
}

static void exercise(void)
{
    static unsigned char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memory_allocate(size_of(i));
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        fill(blocks[i], size_of(i), i);
    }
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memory_resize(blocks[i], size_of(i) * 3 + 1);
        assert_non_null(blocks[i]);
        assert_filled(blocks[i], size_of(i), i);
        fill(blocks[i], size_of(i) * 3 + 1, i);
    }
    for (int i = 0; i < BLOCKS; i++)
        assert_filled(blocks[i], size_of(i) * 3 + 1, i);
    for (int i = 0; i < BLOCKS; i++)
        memory_free(blocks[i]);
}

static void assert_zeroed(size_t count, size_t size)
{
    unsigned char *block = memory_allocate_zeroed(count, size);
    assert_non_null(block);
    assert_filled(block, count * size, 0);
    fill(block, count * size, 1);
    memory_free(block);
}

static void test_both_ways(void **state)
{
    (void)state;
    exercise();
    /* Never freed, as in a twin, so not to be lost either. */
    static void *before, *string;
    before = memory_allocate(100);
    string = memory_allocate(10);
    memory_isolate();
    exercise();
    /* What is given back is used again: it must be cleared anew. */
    for (int i = 0; i < 3; i++) {
        assert_zeroed(100, 10);
        assert_zeroed(1 << 20, 1);
    }
    assert_null(memory_allocate_zeroed(SIZE_MAX / 2, 4));
    assert_null(memory_allocate(SIZE_MAX - 5));
    /* malloc's own blocks are left alone. */
    assert_null(memory_resize(before, 1000));
    memory_free(before);
    memory_free(string);
    memory_free(NULL);
    assert_non_null(memory_resize(NULL, 5));
    assert_non_null(memory_allocate(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
