/* SPDX-License-Identifier: MIT
 *
 * What the reader keeps of a document, and what it refuses: hostile texts, each as large as a file
 * may be, must cost less than a second and little memory. */
#include "config/yaml_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fixture.h"
#include "memprof.h"
#include "test.h"

static const char *const path[] = {"general", "monitoring"};

static int read_text(struct tree *tree, const char *text, struct fault *fault)
{
    memset(tree, 0, sizeof *tree);
    memset(fault, 0, sizeof *fault);
    return yaml_read(tree, text, strlen(text), path, ARRAY_LENGTH(path), fault);
}

static void test_keeps_only_what_may_matter(void **state)
{
    static const struct {
        const char *text;
        int kept;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"a: b", 1},
        {"[a, b, [c]]", 1},
        {"{a: {b: [c, d]}, e: f}", 1},
        {"general: 1", 3},
        {"general: [a, b]", 3},
        {"general: {x: {monitoring: 1}}", 3},
        {"general: {monitoring: {a: [b]}}", 9 - 1},
        {"a: &x [b, c]", 4},
        {"a: [b, &x c, d]", 2},
        {"&x a: b", 2},
        {"<<: {a: b}", 5},
        {"'<<': {a: b}", 1},
        {"*a : b", 1},
        {"x: &x general\n*x : 5", 4},
        {"monitoring: {a: b}", 1},
        {"? [general]\n: 1", 1},
        {"? {general: 1}\n: 1", 1},
        {"!!int general: 1", 1},
        {"!!str general: 1", 3},
    };
    struct tree tree;
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(read_text(&tree, cases[i].text, &fault), 0);
        if (tree.count != cases[i].kept)
            fail_msg("%s keeps %d", cases[i].text, tree.count);
        tree_destroy(&tree);
    }
}

static void test_node_positions(void **state)
{
    struct tree tree;
    struct fault fault;
    int value;

    (void)state;
    assert_int_equal(read_text(&tree, "# \xC3\xA9\n\xC3\xA9: 1\ngeneral: {a: b}\nz: &z 1", &fault),
                     0);
    assert_int_equal(tree_find(&tree, tree.root, "general", &value, &fault), 0);
    assert_int_equal(tree.nodes[value].line, 3);
    assert_int_equal(tree.nodes[value].column, 10);
    assert_int_equal(tree.nodes[value].end, value + 1);
    assert_int_equal(tree.nodes[tree.root].end, tree.count);
    assert_int_equal(tree_find(&tree, tree.root, "z", &value, &fault), 0);
    assert_int_equal(value, TREE_NONE);
    tree_destroy(&tree);
}

#define ANYTHING ""
#define TOO_MUCH "found too much in the section and below anchors, allowed: 100000 values and 8 MiB"
#define TOO_DEEP "found values nested too deep, allowed: 512 levels"
#define TOO_LONG "found a text that takes too long to read"

/* head, then as many units as fit, then tail; %d in a unit counts. */
struct hostile {
    const char *head, *unit, *tail, *line;
};

static const struct hostile hostiles[] = {
    {"", "[", "", TOO_DEEP},
    {"", "{", "", TOO_DEEP},
    {"", "[\n", "", TOO_DEEP},
    {"", "? ", "", TOO_DEEP},
    {"", "- ", "", TOO_DEEP},
    {"", "- &a x\n", "", TOO_MUCH},
    {"", "- &a%d x\n", "", TOO_MUCH},
    {"&r [", "a,", "]", TOO_MUCH},
    {"general: {monitoring: {memory_profiling: {x: [", "a,", "]}}}", TOO_MUCH},
    {"general: {monitoring: {memory_profiling: {", "k%d: 1,", "}}}", TOO_MUCH},
    {"", "general: {}\n", "", TOO_MUCH},
    {"", "- *a\n", "", ANYTHING},
    {"- &a x\n", "- *a\n", "", ANYTHING},
    {"", "*a", "", ANYTHING},
    {"x: &x {", "<<: *x,", "}\n<<: *x", TOO_MUCH},
    {"a: [", "a,", "]", ANYTHING},
    {"a: [", "a: b,", "]", ANYTHING},
    {"a: [", "{},", "]", ANYTHING},
    {"a: [", "'',", "]", ANYTHING},
    {"", "k%d: v\n", "", ANYTHING},
    {"", "a: ", "", ANYTHING},
    {"", ": ", "", ANYTHING},
    {"", "%%TAG !a%d! tag:x\n", "", TOO_LONG},
    {"", "#\n", "", ANYTHING},
    {"", "\n", "", ANYTHING},
    {"", " ", "", ANYTHING},
    {"", "\t", "", ANYTHING},
    {"", "\r", "", ANYTHING},
    {"", "a", "", ANYTHING},
    {"", "a\n", "", ANYTHING},
    {"\"", "\n", "\"", ANYTHING},
    {"\"", "\\P", "\"", ANYTHING},
    {"&a \"", "\\P", "\"", ANYTHING},
    {"a: |\n", " a\n", "", ANYTHING},
    {"a: >\n", "\n", "", ANYTHING},
    {"", "---\n", "", ANYTHING},
    {"", "--- a\n", "", ANYTHING},
    {"", "...\n", "", ANYTHING},
    {"", "!", "", ANYTHING},
    {"", "&", "", ANYTHING},
    {"&", "a", " b", ANYTHING},
    {"", "%%", "", ANYTHING},
    {"", "\xEF\xBB\xBF", "", ANYTHING},
    {"", "\xE2\x80\xA8", "", ANYTHING},
    {"general: {monitoring: {memory_profiling: {interval_seconds: ", "9", "}}}", ANYTHING},
    {"general: {monitoring: {memory_profiling: {interval_seconds: 1", ":59", "}}}", ANYTHING},
    {"general: {monitoring: {memory_profiling: {collect: !ENV '", "${a:", "'}}}", ANYTHING},
};

static size_t fill(char *text, const struct hostile *hostile)
{
    size_t used = strlen(hostile->head), room = MEMPROF_CONFIG_LIMIT_BYTES - strlen(hostile->tail);
    char unit[64];

    strcpy(text, hostile->head);
    for (int i = 0;; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        size_t length = (size_t)snprintf(unit, sizeof unit, hostile->unit, i);
#pragma GCC diagnostic pop

        if (used + length > room)
            break;
        memcpy(text + used, unit, length);
        used += length;
    }
    strcpy(text + used, hostile->tail);
    return used + strlen(hostile->tail);
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sanitizers and valgrind slow the work down but not the clock; MEMPROF_TEST_SLOW says they are on.
 */
static double allowed_seconds(void)
{
    return getenv("MEMPROF_TEST_SLOW") == NULL ? 1.0 : 60.0;
}

static void load_hostile(struct fixture *fixture, const char *text, size_t size, const char *line)
{
    double before;

    fixture_write(fixture, text, size);
    before = cpu_seconds();
    fixture_load(fixture);
    if (cpu_seconds() - before > allowed_seconds())
        fail_msg("%.40s... took %f s", text, cpu_seconds() - before);
    assert_true(fixture->error_count <= 1);
    assert_int_equal(fixture->result, fixture->error_count == 0 ? 0 : -1);
    if (fixture->result != 0)
        assert_int_equal(fixture->config.enabled, 0);
    if (getenv("MEMPROF_TEST_SLOW") == NULL &&
        strstr(fixture->lines[fixture->error_count + fixture->warning_count - 1], line) == NULL)
        fail_msg("%.40s... gives %s", text, fixture->lines[0]);
}

static void test_hostile_texts(void **state)
{
    char *text = malloc(MEMPROF_CONFIG_LIMIT_BYTES + 256);
    struct fixture *fixture = *state;
    struct rusage usage;

    for (size_t i = 0; i < ARRAY_LENGTH(hostiles); i++) {
        size_t size = fill(text, &hostiles[i]);

        load_hostile(fixture, text, size, hostiles[i].line);
    }
    free(text);
    getrusage(RUSAGE_SELF, &usage);
    if (getenv("MEMPROF_TEST_SLOW") == NULL && usage.ru_maxrss > 64 * 1024)
        fail_msg("peak memory was %ld KiB", usage.ru_maxrss);
}

/* libyaml looks at every open bracket for each token. */
static void test_deep_and_wide(void **state)
{
    char *text = malloc(MEMPROF_CONFIG_LIMIT_BYTES + 256);

    memset(text, '[', 505);
    for (size_t i = 505; i < MEMPROF_CONFIG_LIMIT_BYTES - 1; i += 2)
        memcpy(text + i, "a,", 2);
    load_hostile(*state, text, MEMPROF_CONFIG_LIMIT_BYTES - 1, TOO_LONG);
    free(text);
}

/* One long prefix, repeated by each short tag. */
static void test_tag_prefix_bomb(void **state)
{
    char *text = malloc(MEMPROF_CONFIG_LIMIT_BYTES);
    size_t half = 2000000, used;

    for (int kept = 0; kept < 2; kept++) {
        strcpy(text, "%TAG !x! tag:");
        memset(text + strlen(text), 'p', half);
        used = 13 + half;
        used += (size_t)sprintf(text + used, "\n---%s\n", kept ? " &r" : "");
        while (used < 2 * half) {
            memcpy(text + used, "- !x!a b\n", 9);
            used += 9;
        }
        load_hostile(*state, text, used, kept ? TOO_MUCH : TOO_LONG);
    }
    free(text);
}

static void test_size_limit(void **state)
{
    size_t limit = MEMPROF_CONFIG_LIMIT_BYTES;
    char *text = malloc(limit + 1);
    struct fixture *fixture = *state;

    memset(text, '\n', limit + 1);
    memcpy(text, "general: 5", 10);
    fixture_write(fixture, text, limit + 1);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: found more than 4194304 bytes, allowed: at most 4194304 "
                                  "(4 MiB)");
    fixture_write(fixture, text, limit);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F:1:10: general: found an integer, allowed: a mapping");
    free(text);
}

static void test_bombs(void **state)
{
    char *text = malloc(1 << 20);
    struct fixture *fixture = *state;
    size_t used = (size_t)sprintf(text, "a0: &a0 {x: 1}\n");

    for (int i = 1; i < 60; i++) {
        used += (size_t)sprintf(text + used, "a%d: &a%d {<<: [", i, i);
        for (int j = 0; j < 9; j++)
            used += (size_t)sprintf(text + used, "%s*a%d", j == 0 ? "" : ",", i - 1);
        used += (size_t)sprintf(text + used, "]}\n");
    }
    sprintf(text + used, "general: {monitoring: {memory_profiling: {enabled: yes, <<: *a59}}}");
    load_hostile(fixture, text, strlen(text), "F:1:10: unknown key from outside the section");
    assert_int_equal(fixture->config.enabled, 1);
    sprintf(text + used, "general: {monitoring: {memory_profiling: {enabled: [*a59, *a58]}}}");
    load_hostile(fixture, text, strlen(text), "enabled: found a list, allowed: true or false");
    free(text);
}

/* A list of many mappings, merged by many mappings, merged by us: quadratic for a naive reader. */
static void test_wide_merges(void **state)
{
    char *text = malloc(1 << 20);
    struct fixture *fixture = *state;
    size_t used = (size_t)sprintf(text, "l: &l [");

    for (int i = 0; i < 15000; i++)
        used += (size_t)sprintf(text + used, "{x: 1},");
    used += (size_t)sprintf(text + used, "]\nm: &m [");
    for (int i = 0; i < 15000; i++)
        used += (size_t)sprintf(text + used, "{<<: *l},");
    sprintf(text + used, "]\ngeneral: {monitoring: {memory_profiling: {<<: *m}}}");
    load_hostile(fixture, text, strlen(text), "F: 14980 more unknown or repeated keys");
    free(text);
}

static void test_recursion(void **state)
{
    static const char *const cases[][2] = {
        {"&a [*a]", "F:1:1: document: found a list, allowed: a mapping"},
        {"&a {general: *a}", "has no section"},
        {"&a {general: *a, monitoring: *a, memory_profiling: *a, enabled: *a}",
         "enabled: found a mapping, allowed: true or false"},
        {"&a {<<: *a, general: &b {<<: [*a, *b]}}", "has no section"},
        {"general: &g {monitoring: &m [*m, *g]}",
         "F:1:26: monitoring: found a list, allowed: a mapping"},
        {"general: &g {monitoring: {memory_profiling: &p {<<: [*p, *g], enabled: *p}}}",
         "enabled: found a mapping, allowed: true or false"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        load_hostile(*state, cases[i][0], strlen(cases[i][0]), cases[i][1]);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_only_what_may_matter),
        cmocka_unit_test(test_node_positions),
        FIXTURE_TEST(test_hostile_texts),
        FIXTURE_TEST(test_deep_and_wide),
        FIXTURE_TEST(test_tag_prefix_bomb),
        FIXTURE_TEST(test_size_limit),
        FIXTURE_TEST(test_bombs),
        FIXTURE_TEST(test_wide_merges),
        FIXTURE_TEST(test_recursion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
