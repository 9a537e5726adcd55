/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "text.h"

#include <string.h>

static void test_grows(void **state)
{
    (void)state;
    struct text text = {0};
    for (int i = 0; i < 1000; i++)
        text_add(&text, "%d,", i % 10);
    assert_int_equal(text.size, 2000);
    assert_int_equal(strlen(text.bytes), 2000);
    assert_memory_equal(text.bytes + 1990, "5,6,7,8,9,", 10);
    text_clear(&text);
    assert_null(text.bytes);
}

static void test_long_parts(void **state)
{
    (void)state;
    char long_part[3000];
    struct text text = {0};
    memset(long_part, 'x', sizeof(long_part) - 1);
    long_part[sizeof(long_part) - 1] = '\0';
    text_add(&text, "a%sb", long_part);
    assert_int_equal(text.size, sizeof(long_part) + 1);
    assert_int_equal(text.bytes[text.size - 1], 'b');
    text_add_bytes(&text, "\0z", 2);
    assert_int_equal(text.size, sizeof(long_part) + 3);
    assert_int_equal(text.bytes[text.size], '\0');
    text_clear(&text);
}

static void test_failure_sticks(void **state)
{
    (void)state;
    struct text text = {.failed = true};
    text_add(&text, "lost");
    text_add_bytes(&text, "lost", 4);
    assert_null(text.bytes);
    assert_int_equal(text.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_long_parts),
        cmocka_unit_test(test_failure_sticks),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
