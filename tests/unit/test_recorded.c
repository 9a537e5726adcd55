/* SPDX-License-Identifier: MIT
 *
 * The verdict on series of real programs: those of tests/run/leak_programs.py, each class that
 * changed, after gc.collect() once per step (but for cyclic_garbage). Usage: test_recorded FILE...
 *
 * A line is: leak, part or innocent; the program; the class; then "count,bytes" of each snapshot,
 * "*n" behind it if it stayed so for n. A part grows together with a leak.
 */
#include "test.h"

#include "courses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **paths;

static struct course course;

static void read_values(char *text)
{
    course = (struct course){0};
    for (; *text != '\0' && *text != '\n'; text += strspn(text, " ")) {
        uint64_t count = strtoull(text, &text, 10);
        uint64_t bytes = *text == ',' ? strtoull(text + 1, &text, 10) : 0;
        size_t repeats = *text == '*' ? strtoul(text + 1, &text, 10) : 1;
        for (; repeats > 0 && course.length < COURSE_MAX; repeats--, course.length++) {
            course.count[course.length] = count;
            course.bytes[course.length] = bytes;
        }
    }
}

/* The eighth snapshot that shows a new height: before it nobody can be sure. */
static size_t eighth_height(void)
{
    uint64_t count = course.count[0], bytes = course.bytes[0];
    size_t heights = 0, i = 1;
    for (; i < course.length && heights < 8; i++) {
        heights += course.count[i] > count || course.bytes[i] > bytes;
        count = course.count[i] > count ? course.count[i] : count;
        bytes = course.bytes[i] > bytes ? course.bytes[i] : bytes;
    }
    assert_int_equal(heights, 8);
    return i - 1;
}

struct tally {
    size_t leaks, innocents, late, accused;
};

static void check_line(char *line, struct tally *tally)
{
    char label[16], program[64], class[128];
    int used = 0;
    assert_int_equal(sscanf(line, "%15s %63s %127s %n", label, program, class, &used), 3);
    read_values(line + used);
    assert_true(course.length >= 60);
    struct course_result result = course_watch(&course);
    if (strcmp(label, "leak") == 0) {
        tally->leaks++;
        size_t due = eighth_height();
        if (strcmp(program, "slow_leak_beside_a_live_crowd") == 0)
            due =
                course.length - 1; /* 3 each under +-20: all heights but the last are the crowd's */
        if (result.first_warning > due) {
            print_error("%s: %s named at %zd, due %zu\n", program, class,
                        (ssize_t)result.first_warning, due);
            tally->late++;
        }
    } else if (strcmp(label, "innocent") == 0) {
        tally->innocents++;
        if (result.warnings > 0) {
            print_error("%s: %s accused at %zu\n", program, class, result.first_warning);
            tally->accused++;
        }
    }
}

static void test_recorded_programs(void **state)
{
    (void)state;
    for (char **path = paths; *path != NULL; path++) {
        struct tally tally = {0};
        FILE *file = fopen(*path, "r");
        assert_non_null(file);
        char *line = NULL;
        size_t size = 0;
        while (getline(&line, &size, file) > 0)
            check_line(line, &tally);
        free(line);
        fclose(file);
        print_message("%s: %zu leaks, %zu late; %zu innocent series, %zu accused\n", *path,
                      tally.leaks, tally.late, tally.innocents, tally.accused);
        assert_true(tally.leaks >= 15 && tally.innocents >= 15);
        assert_int_equal(tally.late + tally.accused, 0);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_programs),
    };
    paths = argv + 1;
    return cmocka_run_group_tests_name("recorded", tests, NULL, NULL);
}
