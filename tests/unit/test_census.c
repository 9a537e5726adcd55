/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "census.h"

static void test_empty(void **state)
{
    (void)state;
    struct census census = {0};
    census_clear(&census);
    assert_int_equal(census.class_count, 0);
}

static void test_counts_each_class_apart(void **state)
{
    (void)state;
    enum { CLASSES = 5000, ROUNDS = 3 };
    static char classes[CLASSES][16];
    struct census census = {0};
    int new_classes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLASSES; i++) {
            int is_new;
            struct census_entry *entry = census_find(&census, classes[i], &is_new);
            assert_non_null(entry);
            assert_ptr_equal(entry->class, classes[i]);
            assert_int_equal(is_new, round == 0);
            assert_int_equal(entry->count, round);
            new_classes += is_new;
            entry->count++;
            entry->bytes += (uint64_t)i;
        }
    }
    assert_int_equal(new_classes, CLASSES);
    assert_int_equal(census.class_count, CLASSES);
    uint64_t bytes = 0;
    for (size_t i = 0; i < census.slot_count; i++)
        bytes += census.slots[i].bytes;
    assert_int_equal(bytes, (uint64_t)ROUNDS * CLASSES * (CLASSES - 1) / 2);
    census_clear(&census);
}

static void test_entries_stay_until_a_class_is_new(void **state)
{
    (void)state;
    static char classes[2000][16];
    struct census census = {0};
    int is_new;
    for (int i = 0; i < 2000; i++) {
        struct census_entry *added = census_find(&census, classes[i], &is_new);
        assert_true(is_new);
        assert_ptr_equal(census_find(&census, classes[0], &is_new)->class, classes[0]);
        assert_false(is_new);
        assert_ptr_equal(census_find(&census, classes[i], &is_new), added);
        assert_ptr_equal(added->class, classes[i]);
    }
    census_clear(&census);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_counts_each_class_apart),
        cmocka_unit_test(test_entries_stay_until_a_class_is_new),
    };
    return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
