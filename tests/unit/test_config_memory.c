/* SPDX-License-Identifier: MIT
 *
 * Fails every allocation in turn, libyaml's included: link with -Wl,--wrap= for malloc, calloc,
 * realloc and strdup, and with libyaml.a. */
#include "config/config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"

static long until_failure = -1; /* counts down; never fails while negative */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *text);

static bool must_fail(void)
{
    if (until_failure < 0 || until_failure-- > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return must_fail() ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);

    return copy == NULL ? NULL : memcpy(copy, text, size);
}

static const char *const texts[] = {
    "%YAML 1.1\n%TAG !x! tag:x,2000:\n---\n"
    "x: &x {interval_seconds: 77, y: &y [a, \"b\", 'c', !x!t d, !!int 5, !<a:b> c]}\n"
    "z: &z |\n literal\n text\nw: &w >\n folded\n text\nm: {? [a] : b, c}\n"
    "general: &g\n  monitoring: &m\n    memory_profiling: &p\n      enabled: yes\n"
    "      <<: [*x, {collect: no}]\n      output: !ENV ${OUTPUT:std}err\n"
    "      snapshot_signal: !ENV tag:yaml.org,2002:str ${SIGNAL:none}\n"
    "      top_n_classes: !!int \"70\"\n      unknown: 1\n",
    "general: {monitoring: {memory_profiling: {interval_seconds: 5}}}",
    "general: [",
    "general: 'a",
    "%TAG !x! y\n%TAG !x! y\n---\n",
    "a: !x!y z",
    "",
    "a: \"\\x41\\u263a\\q\"",
    "a: !<",
    "- - - - - [[[[[[[[[[[[[[[[[[[[{{{{{{{{{a: b}}}}}}}}}",
};

static void load_failing_each(struct fixture *fixture)
{
    failed = true;
    for (long i = 0; failed; i++) {
        failed = false;
        until_failure = i;
        fixture_load(fixture);
        until_failure = -1;
        assert_true(fixture->error_count <= 1);
        assert_int_equal(fixture->result, fixture->error_count == 0 ? 0 : -1);
        if (failed && fixture->error_count == 1)
            assert_int_equal(fixture->config.enabled, 0);
    }
}

static void test_every_allocation_may_fail(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        fixture_write(fixture, texts[i], strlen(texts[i]));
        load_failing_each(fixture);
    }
    fixture_write(fixture,
                  "\xFF\xFE"
                  "a\0:\0 \0&\0b\0 \0[\0]\0",
                  18);
    load_failing_each(fixture);
}

static void test_many_nodes(void **state)
{
    struct fixture *fixture = *state;
    char text[16384] = "general: {monitoring: {memory_profiling: {enabled: yes}}}\n";

    for (int i = 0; i < 200; i++)
        sprintf(text + strlen(text), "k%d: &a%d [x, y, {z: 1}]\n", i, i);
    fixture_write(fixture, text, strlen(text));
    load_failing_each(fixture);
    assert_int_equal(fixture->config.enabled, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation_may_fail, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_nodes, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
