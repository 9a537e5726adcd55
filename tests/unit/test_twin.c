/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "bell.h"
#include "twin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int parent_expected;

static int answer_with_facts(struct text *answer)
{
    text_add(answer, "ppid %d", getppid() == parent_expected);
    text_add(answer, " session %d", getsid(0) == getpid());
    int kept = 0;
    for (int i = 0; i < 1024; i++)
        kept += fcntl(i, F_GETFD) >= 0;
    text_add(answer, " descriptors %d", kept);
    return 0;
}

static int answer_at_length(struct text *answer)
{
    static char part[1000];
    memset(part, 'x', sizeof(part));
    for (int i = 0; i < 5000; i++)
        text_add_bytes(answer, part, sizeof(part));
    return 0;
}

static int sleep_for_ever(struct text *answer)
{
    while (!answer->failed)
        pause();
    return 0;
}

static int give_up(struct text *answer)
{
    text_add(answer, "half an answer");
    return -1;
}

static int crash(struct text *answer)
{
    (void)answer;
    raise(SIGSEGV);
    return 0;
}

/* As for a lock that nobody will ever give back. */
static int venture_for_ever(struct text *answer)
{
    text_add(answer, "the rest");
    twin_venture(answer);
    return sleep_for_ever(answer);
}

static int venture_and_return(struct text *answer)
{
    text_add(answer, "the rest");
    twin_venture(answer);
    twin_return();
    struct timespec until_the_next_look = {.tv_nsec = 300000000};
    nanosleep(&until_the_next_look, NULL);
    text_add(answer, " and more");
    return 0;
}

static enum twin_state attend_to_end(struct twin *twin)
{
    enum twin_state state;
    while ((state = twin_attend(twin, 1000)) == TWIN_WORKS)
        ;
    return state;
}

static void start(struct twin *twin, uint64_t timeout_ms, int (*work)(struct text *))
{
    parent_expected = (int)getpid();
    assert_int_equal(twin_start(twin, timeout_ms, work), 0);
}

static void test_answers_alone(void **state)
{
    (void)state;
    struct twin twin = {0};
    size_t size;
    start(&twin, 20000, answer_with_facts);
    assert_int_equal(attend_to_end(&twin), TWIN_ANSWERED);
    const char *answer = twin_answer(&twin, &size);
    assert_memory_equal(answer, "ppid 1 session 1 descriptors 1", size);
    twin_end(&twin);
    twin_end(&twin);
}

static void test_long_answers(void **state)
{
    (void)state;
    struct twin twin = {0};
    size_t size;
    start(&twin, 20000, answer_at_length);
    assert_int_equal(attend_to_end(&twin), TWIN_ANSWERED);
    assert_int_equal(twin_answer(&twin, &size)[4999999], 'x');
    assert_int_equal(size, 5000000);
    twin_end(&twin);
}

static volatile sig_atomic_t children_seen;

static void count_child(int number)
{
    (void)number;
    children_seen++;
}

static void assert_answer(uint64_t timeout_ms, int (*work)(struct text *), const char *expected)
{
    struct twin twin = {0};
    size_t size;
    start(&twin, timeout_ms, work);
    assert_int_equal(attend_to_end(&twin), TWIN_ANSWERED);
    const char *answer = twin_answer(&twin, &size);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(answer, expected, size);
    twin_end(&twin);
}

static void test_ventures(void **state)
{
    (void)state;
    assert_answer(20000, venture_and_return, "the rest and more");
    assert_answer(20000, venture_for_ever, "the rest");
    /* Early enough to be in time. */
    assert_answer(2000, venture_for_ever, "the rest");
}

static void test_is_not_seen(void **state)
{
    (void)state;
    struct twin twin = {0};
    signal(SIGCHLD, count_child);
    start(&twin, 20000, answer_at_length);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(attend_to_end(&twin), TWIN_ANSWERED);
    twin_end(&twin);
    start(&twin, 20000, sleep_for_ever);
    twin_end(&twin);
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(children_seen, 0);
    signal(SIGCHLD, SIG_DFL);
}

static void test_ends_without_an_answer(void **state)
{
    (void)state;
    static int (*const ways[])(struct text *) = {give_up, crash};
    for (size_t i = 0; i < 2; i++) {
        struct twin twin = {0};
        start(&twin, 20000, ways[i]);
        assert_int_equal(attend_to_end(&twin), TWIN_BROKEN);
        assert_int_equal(twin.process, 0);
    }
}

static void test_ends_in_time(void **state)
{
    (void)state;
    struct twin twin = {0};
    start(&twin, 300, sleep_for_ever);
    pid_t process = twin.process;
    enum twin_state ended = attend_to_end(&twin);
    assert_true(ended == TWIN_LATE || ended == TWIN_BROKEN);
    assert_int_equal(kill(process, 0), -1);
}

static void test_is_ended_even_where_it_is_stopped(void **state)
{
    (void)state;
    struct twin twin = {0};
    start(&twin, 300, sleep_for_ever);
    pid_t process = twin.process;
    kill(process, SIGSTOP);
    assert_int_equal(attend_to_end(&twin), TWIN_LATE);
    assert_int_equal(kill(process, 0), -1);
}

static bool is_gone(pid_t process)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return true;
    char *got = fgets(line, sizeof(line), file);
    fclose(file);
    return got == NULL || strstr(line, ") Z ") != NULL;
}

/* A process that makes a twin and dies at once; the twin must follow. */
static void test_dies_with_its_parent(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct twin twin = {0};
        start(&twin, 60000, sleep_for_ever);
        ssize_t written = write(ends[1], &twin.process, sizeof(twin.process));
        _exit(written != sizeof(twin.process));
    }
    pid_t process;
    assert_int_equal(read(ends[0], &process, sizeof(process)), sizeof(process));
    waitpid(parent, NULL, 0);
    for (int i = 0; i < 500 && !is_gone(process); i++) {
        struct timespec moment = {.tv_nsec = 20000000};
        nanosleep(&moment, NULL);
    }
    assert_true(is_gone(process));
    close(ends[0]);
    close(ends[1]);
}

static void test_terminal_signals_do_not_reach_it(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP, SIGUSR1, SIGPIPE};
    struct twin twin = {0};
    start(&twin, 20000, sleep_for_ever);
    assert_int_equal(twin_attend(&twin, 200), TWIN_WORKS); /* it has settled by then */
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        kill(twin.process, signals[i]);
    assert_int_equal(twin_attend(&twin, 200), TWIN_WORKS);
    twin_end(&twin);
}

static void test_no_descriptors_left(void **state)
{
    (void)state;
    struct twin twin = {0};
    struct rlimit limit, none;
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    int error = twin_start(&twin, 1000, give_up);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(error, EMFILE);
    twin_end(&twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_alone),
        cmocka_unit_test(test_long_answers),
        cmocka_unit_test(test_ventures),
        cmocka_unit_test(test_is_not_seen),
        cmocka_unit_test(test_ends_without_an_answer),
        cmocka_unit_test(test_ends_in_time),
        cmocka_unit_test(test_is_ended_even_where_it_is_stopped),
        cmocka_unit_test(test_dies_with_its_parent),
        cmocka_unit_test(test_terminal_signals_do_not_reach_it),
        cmocka_unit_test(test_no_descriptors_left),
    };
    return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}
