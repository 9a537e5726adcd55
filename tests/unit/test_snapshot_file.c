/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "snapshot_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE "{\"memprof\":1}\n"

static char directory[64];
static char path[128], old_path[160];
static struct snapshot_file file;

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/memprof-file-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/snapshots.jsonl", directory);
    snprintf(old_path, sizeof(old_path), "%s.1", path);
    file = (struct snapshot_file){path, 4711, 1 << 20};
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void append(const char *line)
{
    const char *why = NULL;
    if (snapshot_file_append(&file, line, strlen(line), &why) != 0)
        fail_msg("%s", why);
}

static void expect_failure(const char *reason)
{
    const char *why = NULL;
    assert_int_equal(snapshot_file_append(&file, LINE, strlen(LINE), &why), -1);
    assert_string_equal(why, reason);
}

static char *contents(const char *name)
{
    static char bytes[4096];
    int descriptor = open(name, O_RDONLY);
    assert_true(descriptor >= 0);
    ssize_t size = read(descriptor, bytes, sizeof(bytes) - 1);
    close(descriptor);
    bytes[size > 0 ? size : 0] = '\0';
    return bytes;
}

static void put(const char *name, const char *bytes)
{
    int descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, strlen(bytes)), strlen(bytes));
    close(descriptor);
}

static int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static void test_lines_follow_one_another(void **state)
{
    (void)state;
    struct stat facts;
    int descriptors = count_descriptors();
    mode_t mask = umask(0);
    append(LINE);
    umask(mask);
    append(LINE);
    assert_string_equal(contents(path), LINE LINE);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode, S_IFREG | 0600);
    assert_int_equal(count_descriptors(), descriptors);
}

static void test_the_process_id_in_the_path(void **state)
{
    (void)state;
    char pattern[128], wanted[128];
    snprintf(pattern, sizeof(pattern), "%s/%%p-100%%-%%p", directory);
    snprintf(wanted, sizeof(wanted), "%s/4711-100%%-4711", directory);
    file.path = pattern;
    append(LINE);
    assert_string_equal(contents(wanted), LINE);
}

static void test_deleted_and_moved_files_are_made_again(void **state)
{
    (void)state;
    append(LINE);
    unlink(path);
    append(LINE);
    assert_int_equal(rename(path, old_path), 0);
    append(LINE);
    assert_string_equal(contents(path), LINE);
    assert_string_equal(contents(old_path), LINE);
}

static void test_the_directory_comes_back(void **state)
{
    (void)state;
    append(LINE);
    unlink(path);
    rmdir(directory);
    expect_failure("No such file or directory");
    assert_int_equal(mkdir(directory, 0700), 0);
    append(LINE);
    assert_string_equal(contents(path), LINE);
}

static void test_rotation(void **state)
{
    (void)state;
    file.limit_bytes = 3 * strlen(LINE);
    for (int i = 0; i < 3; i++)
        append(LINE);
    assert_string_equal(contents(path), LINE LINE LINE);
    append(LINE);
    assert_string_equal(contents(path), LINE);
    assert_string_equal(contents(old_path), LINE LINE LINE);
    for (int i = 0; i < 3; i++)
        append(LINE);
    assert_string_equal(contents(old_path), LINE LINE LINE);
    /* A line that is larger than a file may be has a file of its own. */
    file.limit_bytes = 3;
    append(LINE);
    append(LINE);
    assert_string_equal(contents(path), LINE);
    assert_string_equal(contents(old_path), LINE);
}

static void test_what_cannot_be_replaced(void **state)
{
    (void)state;
    file.limit_bytes = 3;
    append(LINE);
    assert_int_equal(mkdir(old_path, 0700), 0);
    expect_failure("Is a directory");
    assert_string_equal(contents(path), LINE);
    rmdir(old_path);
    append(LINE);
    assert_string_equal(contents(old_path), LINE);
}

/* A link in the old one's place is replaced, not followed. */
static void test_symbolic_links(void **state)
{
    (void)state;
    char target[128];
    snprintf(target, sizeof(target), "%s/target", directory);
    put(target, "");
    assert_int_equal(symlink(target, path), 0);
    expect_failure("it is a symbolic link");
    unlink(target);
    expect_failure("it is a symbolic link");
    assert_int_not_equal(access(target, F_OK), 0);
    unlink(path);
    put(target, "kept");
    assert_int_equal(symlink(target, old_path), 0);
    file.limit_bytes = 3;
    append(LINE);
    append(LINE);
    assert_string_equal(contents(target), "kept");
    assert_string_equal(contents(old_path), LINE);
}

static void test_what_is_no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_failure("it is no regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_failure("it is no regular file");
    rmdir(path);
    file.path = "/dev/null";
    expect_failure("it is no regular file");
}

static void test_files_of_others_things(void **state)
{
    static const char *const kinds[] = {"x", "[1]\n", "{\"memprof\"", "{\"memproof\":1}\n",
                                        "\n" LINE};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        put(path, kinds[i]);
        if (strncmp(kinds[i], LINE, strlen(kinds[i])) == 0)
            continue;
        expect_failure("it holds something else than snapshots");
        assert_string_equal(contents(path), kinds[i]);
    }
    put(path, "{\"memprof\":99,\"x\":[");
    append(LINE);
    assert_string_equal(contents(path), "{\"memprof\":99,\"x\":[\n" LINE);
}

static void test_torn_lines_are_ended(void **state)
{
    (void)state;
    put(path, LINE "{\"memprof\":1,\"ti");
    append(LINE);
    append(LINE);
    assert_string_equal(contents(path), LINE "{\"memprof\":1,\"ti\n" LINE LINE);
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_part_of_a_line_is_taken_back(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN); /* blocked in the profiler's thread */
    append(LINE);
    limit_file_size(strlen(LINE) + 5);
    expect_failure("there is room for a part of a line only");
    assert_string_equal(contents(path), LINE);
    limit_file_size(strlen(LINE));
    expect_failure("File too large");
    limit_file_size(RLIM_INFINITY);
    append(LINE);
    assert_string_equal(contents(path), LINE LINE);
}

static void test_a_held_file_is_appended_to(void **state)
{
    (void)state;
    append(LINE);
    int other = open(path, O_RDWR);
    assert_int_equal(flock(other, LOCK_EX), 0);
    file.limit_bytes = 3; /* it may not be renamed then */
    append(LINE);
    assert_string_equal(contents(path), LINE LINE);
    close(other);
    append(LINE);
    assert_string_equal(contents(old_path), LINE LINE);
}

static void *append_one(void *unused)
{
    (void)unused;
    append(LINE);
    return NULL;
}

/* Starts a thread that appends a line, and returns once it waits for whoever has locked the file.
 */
static pthread_t append_meanwhile(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_one, NULL), 0);
    while (fcntl(64, F_GETFD) < 0)
        usleep(1000);
    usleep(10000);
    return thread;
}

static void test_others_rename_it_first(void **state)
{
    (void)state;
    append(LINE);
    append(LINE);
    int other = open(path, O_RDWR);
    assert_int_equal(flock(other, LOCK_EX), 0);
    file.limit_bytes = 2 * strlen(LINE);
    pthread_t thread = append_meanwhile();
    assert_int_equal(rename(path, old_path), 0);
    put(path, LINE);
    close(other);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(contents(path), LINE LINE);
    assert_string_equal(contents(old_path), LINE LINE);
}

static void test_a_fork_while_it_is_written(void **state)
{
    (void)state;
    append(LINE);
    int before = count_descriptors() + 1;
    int other = open(path, O_RDWR), status;
    assert_int_equal(flock(other, LOCK_EX), 0);
    pthread_t thread = append_meanwhile();
    pid_t unaware = fork();
    if (unaware == 0) {
        close(other);
        for (;;)
            pause();
    }
    pid_t child = fork();
    if (child == 0) {
        int copied = count_descriptors() - before;
        snapshot_file_forget();
        snapshot_file_forget();
        _exit(copied == 1 && count_descriptors() == before ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    close(other);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(status, 0);
    assert_string_equal(contents(path), LINE LINE);
    /* A child that was not told has the descriptor still, and must not have the lock by it. */
    file.limit_bytes = 3;
    append(LINE);
    kill(unaware, SIGKILL);
    waitpid(unaware, NULL, 0);
    assert_string_equal(contents(old_path), LINE LINE);
}

static void test_where_everybody_may_write(void **state)
{
    (void)state;
    char other[128];
    snprintf(other, sizeof(other), "%s/other", directory);
    append(LINE);
    assert_int_equal(link(path, other), 0);
    append(LINE);
    assert_int_equal(chmod(directory, 01777), 0);
    expect_failure("everybody may write to its directory, and it is not of this user alone");
    unlink(other);
    append(LINE);
    if (getuid() == 0) {
        assert_int_equal(chown(path, 54321, 0), 0);
        /* The kernel may refuse it too, as fs.protected_regular says. */
        const char *why;
        assert_int_equal(snapshot_file_append(&file, LINE, strlen(LINE), &why), -1);
        assert_int_equal(chmod(directory, 0755), 0);
        append(LINE);
    }
}

static void test_many_writers_and_rotations(void **state)
{
    enum { WRITERS = 6, LINES = 400 };
    (void)state;
    file.limit_bytes = 40000;
    for (int i = 0; i < WRITERS; i++) {
        if (fork() > 0)
            continue;
        char line[1024];
        for (int j = 0; j < LINES; j++) {
            int size = snprintf(line, sizeof(line), "{\"memprof\":1,\"who\":%d%0*d}\n", i,
                                100 + j % 700, 0);
            const char *why;
            if (snapshot_file_append(&file, line, (size_t)size, &why) != 0)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    char command[512];
    snprintf(command, sizeof(command),
             "cd %s && ! grep -hvE '^[{]\"memprof\":1,\"who\":[0-5]0+[}]$' snapshots.jsonl* && "
             "[ $(cat snapshots.jsonl | wc -c) -le 40000 ] && "
             "[ $(cat snapshots.jsonl.1 | wc -c) -le 40000 ] && "
             "[ $(cat snapshots.jsonl.1 | wc -c) -gt 39000 ]",
             directory);
    assert_int_equal(system(command), 0);
}

static void test_a_full_disk(void **state)
{
    (void)state;
    char command[256], line[3000];
    snprintf(command, sizeof(command), "mount -t tmpfs -o size=8k none %s 2>/dev/null", directory);
    if (getuid() != 0 || system(command) != 0)
        skip();
    memset(line, 'x', sizeof(line));
    memcpy(line, LINE, strlen(LINE) - 1);
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    append(line);
    append(line);
    const char *why;
    int status = snapshot_file_append(&file, line, strlen(line), &why);
    struct stat facts = {0};
    stat(path, &facts);
    append(LINE);
    snprintf(command, sizeof(command), "umount %s", directory);
    assert_int_equal(system(command), 0);
    assert_int_equal(status, -1);
    assert_int_equal(facts.st_size, 2 * strlen(line));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_follow_one_another),
        TEST(test_the_process_id_in_the_path),
        TEST(test_deleted_and_moved_files_are_made_again),
        TEST(test_the_directory_comes_back),
        TEST(test_rotation),
        TEST(test_what_cannot_be_replaced),
        TEST(test_symbolic_links),
        TEST(test_what_is_no_regular_file),
        TEST(test_files_of_others_things),
        TEST(test_torn_lines_are_ended),
        TEST(test_a_part_of_a_line_is_taken_back),
        TEST(test_a_held_file_is_appended_to),
        TEST(test_others_rename_it_first),
        TEST(test_a_fork_while_it_is_written),
        TEST(test_where_everybody_may_write),
        TEST(test_many_writers_and_rotations),
        TEST(test_a_full_disk),
    };
    return cmocka_run_group_tests_name("snapshot_file", tests, NULL, NULL);
}
