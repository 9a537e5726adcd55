/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "snapshot_signal.h"

#include <signal.h>

static volatile sig_atomic_t asked;

static void on_asked(void)
{
    asked++;
}

static void of_the_program(int number)
{
    (void)number;
}

static void test_calls_and_removes(void **state)
{
    (void)state;
    assert_int_equal(snapshot_signal_install(SIGUSR1, on_asked), 0);
    assert_true(snapshot_signal_is_installed());
    raise(SIGUSR1);
    assert_int_equal(asked, 1);
    snapshot_signal_remove();
    assert_false(snapshot_signal_is_installed());
    assert_true(signal(SIGUSR1, SIG_DFL) == SIG_DFL);
}

static void test_refuses_what_the_program_handles(void **state)
{
    (void)state;
    signal(SIGUSR2, of_the_program);
    assert_int_equal(snapshot_signal_install(SIGUSR2, on_asked), -1);
    assert_true(signal(SIGUSR2, SIG_IGN) == of_the_program);
    assert_int_equal(snapshot_signal_install(SIGUSR2, on_asked), -1);
    assert_false(snapshot_signal_is_installed());
}

static void test_notices_a_program_that_takes_over(void **state)
{
    (void)state;
    assert_int_equal(snapshot_signal_install(SIGUSR1, on_asked), 0);
    signal(SIGUSR1, of_the_program);
    assert_false(snapshot_signal_is_installed());
    snapshot_signal_remove();
    assert_true(signal(SIGUSR1, SIG_DFL) == of_the_program);
}

static void test_names(void **state)
{
    (void)state;
    char name[16];
    snapshot_signal_name(SIGUSR1, name);
    assert_string_equal(name, "SIGUSR1");
    snapshot_signal_name(SIGUSR2, name);
    assert_string_equal(name, "SIGUSR2");
    snapshot_signal_name(SIGRTMIN, name);
    assert_string_equal(name, "SIGRTMIN");
    snapshot_signal_name(SIGRTMIN + 12, name);
    assert_string_equal(name, "SIGRTMIN+12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_and_removes),
        cmocka_unit_test(test_refuses_what_the_program_handles),
        cmocka_unit_test(test_notices_a_program_that_takes_over),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("snapshot signal", tests, NULL, NULL);
}
