/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "lineage.h"

static void test_marks(void **state)
{
    (void)state;
    assert_int_equal(lineage_read(NULL, 42), LINEAGE_FIRST);
    assert_int_equal(lineage_read("", 42), LINEAGE_FIRST);
    assert_int_equal(lineage_read("42", 42), LINEAGE_SAME);
    assert_int_equal(lineage_read("41", 42), LINEAGE_DESCENDANT);
    assert_int_equal(lineage_read("1", 42), LINEAGE_DESCENDANT);
}

static void test_nonsense_is_no_mark(void **state)
{
    (void)state;
    static const char *const texts[] = {"x", "42x", " 42", "-42", "4 2", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(lineage_read(texts[i], 42), LINEAGE_FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_nonsense_is_no_mark),
    };
    return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}
