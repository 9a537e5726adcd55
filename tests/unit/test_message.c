/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs `write` with descriptor 2 sent into a pipe and returns what arrived there. */
static char *captured(void (*write_it)(void))
{
    static char got[8192];
    int ends[2];
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    message_begin();
    write_it();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = read(ends[0], got, sizeof(got) - 1);
    close(ends[0]);
    got[size > 0 ? size : 0] = '\0';
    return got;
}

static void write_plain(void)
{
    message_write("%s is %d", "it", 5);
}

static void write_forged(void)
{
    message_write("a\nmemprof: b\x1b[2J\x7f");
}

static void write_long(void)
{
    char text[4000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    message_write("%s", text);
}

static void write_to_a_closed_descriptor(void)
{
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    message_begin();
    dup2(saved, STDERR_FILENO); /* by now descriptor 2 may be anything */
    close(saved);
    message_write("lost");
    assert_int_equal(message_write_record("lost", 4), -1);
}

static void test_one_line(void **state)
{
    (void)state;
    assert_string_equal(captured(write_plain), "memprof: it is 5\n");
    assert_string_equal(captured(write_forged), "memprof: a?memprof: b?[2J?\n");
}

static void test_long_ones_are_cut(void **state)
{
    (void)state;
    const char *line = captured(write_long);
    assert_int_equal(strlen(line), MESSAGE_LIMIT_BYTES - 1);
    assert_int_equal(strchr(line, '\n') - line, MESSAGE_LIMIT_BYTES - 2);
}

static void test_closed_at_the_start(void **state)
{
    (void)state;
    assert_string_equal(captured(write_to_a_closed_descriptor), "");
}

static void test_a_full_pipe_does_not_block_for_ever(void **state)
{
    (void)state;
    int ends[2];
    int saved = dup(STDERR_FILENO);
    size_t size = 1 << 20;
    char *text = calloc(size, 1);
    assert_non_null(text);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    message_begin();
    int status = message_write_record(text, size);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    free(text);
    assert_int_equal(status, -1);
}

/* Whether a record is written once `path`, opened with `flags`, has taken descriptor 2's place. */
static int is_written_to(const char *path, int flags)
{
    int saved = dup(STDERR_FILENO);
    message_begin();
    int replacement = open(path, O_WRONLY | flags);
    assert_true(replacement >= 0);
    dup2(replacement, STDERR_FILENO);
    close(replacement);
    int status = message_write_record("text", 4);
    dup2(saved, STDERR_FILENO);
    close(saved);
    return status == 0;
}

static void test_what_takes_the_place_of_standard_error(void **state)
{
    (void)state;
    char path[] = "/tmp/memprof-message-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_false(is_written_to(path, 0));
    assert_int_equal(lseek(file, 0, SEEK_END), 0);
    assert_true(is_written_to(path, O_APPEND));
    assert_int_equal(lseek(file, 0, SEEK_END), 4);
    assert_true(is_written_to("/dev/null", 0));
    close(file);
    unlink(path);

    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    message_begin();
    dup2(ends[1], STDERR_FILENO);
    int status = message_write_record("text", 4);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(status, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_long_ones_are_cut),
        cmocka_unit_test(test_closed_at_the_start),
        cmocka_unit_test(test_a_full_pipe_does_not_block_for_ever),
        cmocka_unit_test(test_what_takes_the_place_of_standard_error),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
