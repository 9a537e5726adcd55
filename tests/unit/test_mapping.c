/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "mapping.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Two pages, of which the second cannot be read. */
static char *pages(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *start = mmap(NULL, 2 * size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(start, MAP_FAILED);
    assert_int_equal(mprotect(start + size, size, PROT_NONE), 0);
    return start;
}

static void test_what_can_be_read(void **state)
{
    (void)state;
    static const char constant[16] = "constant";
    char automatic[24];
    assert_true(mapping_is_readable(constant, sizeof(constant)));
    assert_true(mapping_is_readable(automatic, sizeof(automatic)));
    assert_true(mapping_is_readable(automatic + 1, 16));
}

static void test_what_cannot(void **state)
{
    (void)state;
    static const uintptr_t addresses[] = {
        0, 1, 64, 0xa56aa000000000, (uintptr_t)1 << 63, UINTPTR_MAX - 3, UINTPTR_MAX};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        assert_false(mapping_is_readable((const void *)addresses[i], 16));
}

static void test_both_ends_count(void **state)
{
    (void)state;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *start = pages();
    assert_true(mapping_is_readable(start, 16));
    assert_true(mapping_is_readable(start + size - 16, 16));
    assert_false(mapping_is_readable(start + size - 15, 16));
    assert_false(mapping_is_readable(start + size - 8, 16));
    assert_false(mapping_is_readable(start + size, 16));
    munmap(start, 2 * size);
    assert_false(mapping_is_readable(start, 16));
}

/* The set at the address is taken for no mask, whatever it holds. */
static void test_changes_no_mask(void **state)
{
    (void)state;
    sigset_t all, before, after;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, NULL, &before);
    assert_true(mapping_is_readable(&all, sizeof(all)));
    sigprocmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number < 65; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_read),
        cmocka_unit_test(test_what_cannot),
        cmocka_unit_test(test_both_ends_count),
        cmocka_unit_test(test_changes_no_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
