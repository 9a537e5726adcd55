/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "address_index.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 20;
}

static void test_empty(void **state)
{
    (void)state;
    struct address_index index = {0};
    struct address_cursor cursor = {0};
    assert_int_equal(address_index_close(&index), 0);
    assert_int_equal(index.count, 0);
    assert_int_equal(address_index_find(&index, 0x7f0000001000), ADDRESS_INDEX_NONE);
    assert_int_equal(address_index_next(&index, &cursor), 0);
    address_index_clear(&index);
}

static void test_refuses_what_it_cannot_hold(void **state)
{
    (void)state;
    struct address_index index = {0};
    assert_int_equal(address_index_add(&index, 0x7f0000001008), -1);
    assert_int_equal(address_index_add(&index, 0), -1);
    assert_int_equal(address_index_add(&index, 0x7f0000001010), 0);
    assert_int_equal(address_index_insert(&index, 0x7f0000001018), -1);
    assert_int_equal(address_index_close(&index), 0);
    assert_int_equal(address_index_find(&index, 0x7f0000001010), 0);
    assert_int_equal(address_index_find(&index, 0x7f0000001018), ADDRESS_INDEX_NONE);
    assert_int_equal(address_index_find(&index, 0x7f0000001020), ADDRESS_INDEX_NONE);
    assert_int_equal(address_index_find(&index, 0x7f0000002010), ADDRESS_INDEX_NONE);
    address_index_clear(&index);
}

/* It is told which addresses come for the first time. */
static void check_inserting(const uintptr_t *addresses, size_t count, size_t distinct)
{
    struct address_index index = {0};
    size_t new_count = 0;
    for (size_t i = 0; i < count; i++) {
        int is_new = address_index_insert(&index, addresses[i]);
        assert_in_range(is_new, 0, 1);
        new_count += (size_t)is_new;
        assert_int_equal(address_index_insert(&index, addresses[i]), 0);
    }
    assert_int_equal(new_count, distinct);
    address_index_clear(&index);
}

/* Every address has an index of its own, the walk meets them in that order, and what was not added
 * is not found. */
static void check(const uintptr_t *addresses, size_t count, size_t distinct)
{
    struct address_index index = {0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(address_index_add(&index, addresses[i]), 0);
    assert_int_equal(address_index_close(&index), 0);
    assert_int_equal(index.count, distinct);
    check_inserting(addresses, count, distinct);
    for (size_t i = 0; i < count; i++)
        assert_in_range(address_index_find(&index, addresses[i]), 0, distinct - 1);
    struct address_cursor cursor = {0};
    uint32_t seen = 0;
    for (uintptr_t address; (address = address_index_next(&index, &cursor)) != 0; seen++) {
        assert_int_equal(address_index_find(&index, address), seen);
        assert_int_equal(address_index_at(&index, seen), address);
    }
    assert_int_equal(seen, distinct);
    address_index_clear(&index);
}

static void test_close_together(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static uintptr_t addresses[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        addresses[i] = 0x7f0000000000 + i * 16;
    check(addresses, COUNT, COUNT);
}

static void test_far_apart_and_twice(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    static uintptr_t addresses[COUNT * 2];
    uint64_t dice = 1;
    for (size_t i = 0; i < COUNT; i++) {
        /* The upper bits make each different from all others. */
        addresses[i] = ((uintptr_t)i << 24 | (next_random(&dice) & 0xfffff0)) + 0x10000;
        addresses[COUNT + i] = addresses[i];
    }
    check(addresses, COUNT * 2, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_refuses_what_it_cannot_hold),
        cmocka_unit_test(test_close_together),
        cmocka_unit_test(test_far_apart_and_twice),
    };
    return cmocka_run_group_tests_name("address_index", tests, NULL, NULL);
}
