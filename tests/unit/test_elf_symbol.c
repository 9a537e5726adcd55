/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "elf_symbol.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>

/* Exported, because the test is linked with -rdynamic. */
char elf_symbol_test_data[12345] = {1};

static void test_own_object(void **state)
{
    (void)state;
    assert_int_equal(elf_symbol_size(elf_symbol_test_data, "elf_symbol_test_data"), 12345);
}

static void test_object_of_a_library(void **state)
{
    (void)state;
    const void *list = dlsym(RTLD_DEFAULT, "program_invocation_name");
    assert_non_null(list);
    assert_int_equal(elf_symbol_size(list, "program_invocation_name"), sizeof(char *));
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    int local = 0;
    assert_int_equal(elf_symbol_size(elf_symbol_test_data, "other_name"), 0);
    assert_int_equal(elf_symbol_size(elf_symbol_test_data + 8, "elf_symbol_test_data"), 0);
    assert_int_equal(elf_symbol_size(&local, "local"), 0);
    assert_int_equal(elf_symbol_size(NULL, "null"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_object),
        cmocka_unit_test(test_object_of_a_library),
        cmocka_unit_test(test_what_is_not_there),
    };
    return cmocka_run_group_tests_name("elf symbol", tests, NULL, NULL);
}
