/* SPDX-License-Identifier: MIT */
#include "metrics/gauges.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "test.h"

static const char *const nobody[] = {NULL};

static char *copy_of(const char *name)
{
    char *copy = memory_allocate(strlen(name) + 1);
    return strcpy(copy, name);
}

static struct snapshot sample(void)
{
    struct snapshot snapshot = {0};
    assert_int_equal(snapshot_add(&snapshot, copy_of("many.Small"), 1000, 10), 0);
    assert_int_equal(snapshot_add(&snapshot, copy_of("few.Large"), 1, 5000), 0);
    assert_int_equal(snapshot_add(&snapshot, copy_of("both"), 500, 600), 0);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    snapshot.footprint = (struct footprint){
        .resident_bytes = 11,
        .anonymous_bytes = 12,
        .swapped_bytes = 0,
        .blocks = FOOTPRINT_UNKNOWN,
        .allocator_used_bytes = UINT64_MAX - 1,
        .allocator_free_bytes = FOOTPRINT_UNKNOWN,
    };
    return snapshot;
}

static void assert_values(const struct gauges *gauges, enum gauge gauge,
                          const struct gauge_value *expected, size_t expected_count)
{
    size_t count;
    const struct gauge_value *values = gauges_values(gauges, gauge, &count);
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(values[i].value == expected[i].value);
        if (expected[i].class == NULL)
            assert_null(values[i].class);
        else
            assert_string_equal(values[i].class, expected[i].class);
    }
}

static void test_each_says_what_the_snapshot_does(void **state)
{
    (void)state;
    struct snapshot snapshot = sample();
    const char *const suspects[] = {"many.Small", "gone", NULL};
    gauges_set(&snapshot, 2, suspects);
    snapshot_clear(&snapshot); /* they own what they tell */
    struct gauges *gauges = gauges_hold();
    assert_non_null(gauges);
    assert_values(gauges, GAUGE_CLASS_OBJECTS,
                  (struct gauge_value[]){{"many.Small", 1000}, {"both", 500}}, 2);
    assert_values(gauges, GAUGE_CLASS_SIZE,
                  (struct gauge_value[]){{"few.Large", 5000}, {"both", 600}}, 2);
    assert_values(gauges, GAUGE_CLASS_SUSPECTED,
                  (struct gauge_value[]){{"many.Small", 1}, {"gone", 1}}, 2);
    assert_values(gauges, GAUGE_PYTHON_OBJECTS, (struct gauge_value[]){{NULL, 1501}}, 1);
    assert_values(gauges, GAUGE_PYTHON_SIZE, (struct gauge_value[]){{NULL, 5610}}, 1);
    assert_values(gauges, GAUGE_PYTHON_BLOCKS, NULL, 0);
    assert_values(gauges, GAUGE_PROCESS_RESIDENT, (struct gauge_value[]){{NULL, 11}}, 1);
    assert_values(gauges, GAUGE_PROCESS_ANONYMOUS, (struct gauge_value[]){{NULL, 12}}, 1);
    assert_values(gauges, GAUGE_PROCESS_SWAPPED, (struct gauge_value[]){{NULL, 0}}, 1);
    assert_values(gauges, GAUGE_ALLOCATOR_USED, (struct gauge_value[]){{NULL, UINT64_MAX - 1}}, 1);
    assert_values(gauges, GAUGE_ALLOCATOR_FREE, NULL, 0);
    gauges_release(gauges);
    gauges_clear();
}

static void test_none_before_the_first_and_after_the_last(void **state)
{
    (void)state;
    assert_null(gauges_hold());
    gauges_release(NULL);
    struct snapshot empty = {0};
    assert_int_equal(snapshot_rank(&empty), 0);
    gauges_set(&empty, 50, nobody);
    snapshot_clear(&empty);
    struct gauges *gauges = gauges_hold();
    assert_values(gauges, GAUGE_CLASS_OBJECTS, NULL, 0);
    assert_values(gauges, GAUGE_PYTHON_OBJECTS, (struct gauge_value[]){{NULL, 0}}, 1);
    gauges_clear();
    assert_null(gauges_hold());
    /* Whoever holds them may go on reading. */
    assert_values(gauges, GAUGE_PYTHON_OBJECTS, (struct gauge_value[]){{NULL, 0}}, 1);
    gauges_release(gauges);
}

static void test_many_suspects(void **state)
{
    (void)state;
    const char *suspects[GAUGES_SUSPECTS_LIMIT + 2];
    for (size_t i = 0; i <= GAUGES_SUSPECTS_LIMIT; i++)
        suspects[i] = "a.B";
    suspects[GAUGES_SUSPECTS_LIMIT + 1] = NULL;
    struct snapshot snapshot = sample();
    gauges_set(&snapshot, 1, suspects);
    snapshot_clear(&snapshot);
    struct gauges *gauges = gauges_hold();
    size_t count;
    gauges_values(gauges, GAUGE_CLASS_SUSPECTED, &count);
    assert_int_equal(count, GAUGES_SUSPECTS_LIMIT);
    gauges_release(gauges);
    gauges_clear();
}

/* Exits with 0 where `condition` holds in a forked child. */
static void assert_in_child(int (*condition)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(condition() ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int has_none(void)
{
    return gauges_hold() == NULL;
}

static int gets_its_own(void)
{
    gauges_forget();
    if (gauges_hold() != NULL)
        return 0;
    struct snapshot snapshot = sample();
    gauges_set(&snapshot, 1, nobody);
    return gauges_hold() != NULL;
}

static void test_a_child_does_not_tell_its_parents(void **state)
{
    (void)state;
    struct snapshot snapshot = sample();
    gauges_set(&snapshot, 1, nobody);
    snapshot_clear(&snapshot);
    assert_in_child(has_none);
    assert_in_child(gets_its_own);
    gauges_clear();
}

/* ---- Several threads ---- */

static atomic_bool done;

static void *read_all(void *unused)
{
    (void)unused;
    size_t reads = 0;
    while (!atomic_load(&done) || reads == 0) {
        struct gauges *gauges = gauges_hold();
        size_t count;
        const struct gauge_value *values;
        if (gauges == NULL)
            continue;
        values = gauges_values(gauges, GAUGE_CLASS_OBJECTS, &count);
        if (count != 2 || values[0].value != 1000 || strcmp(values[1].class, "both") != 0)
            abort();
        gauges_release(gauges);
        reads++;
    }
    return NULL;
}

static void test_readers_while_it_changes(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, NULL), 0);
    struct snapshot snapshot = sample();
    for (size_t i = 0; i < 20000; i++)
        gauges_set(&snapshot, 2, nobody);
    atomic_store(&done, true);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    snapshot_clear(&snapshot);
    gauges_clear();
}

/* ---- Their names ---- */

static void test_names(void **state)
{
    (void)state;
    char name[GAUGE_TEXT_SIZE];
    for (enum gauge gauge = 0; gauge < GAUGE_COUNT; gauge++) {
        assert_memory_equal(gauge_name(gauge), "memory_profiler.", 16);
        assert_true(strlen(gauge_description(gauge)) > 10);
        assert_true(strcmp(gauge_unit(gauge), "By") == 0 || gauge_unit(gauge)[0] == '{');
        gauge_write_prometheus_name(gauge, name);
        assert_true(strlen(name) < GAUGE_TEXT_SIZE);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
    }
    gauge_write_prometheus_name(GAUGE_CLASS_OBJECTS, name);
    assert_string_equal(name, "memory_profiler_class_objects");
    gauge_write_prometheus_name(GAUGE_CLASS_SIZE, name);
    assert_string_equal(name, "memory_profiler_class_size_bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_before_the_first_and_after_the_last),
        cmocka_unit_test(test_each_says_what_the_snapshot_does),
        cmocka_unit_test(test_many_suspects),
        cmocka_unit_test(test_a_child_does_not_tell_its_parents),
        cmocka_unit_test(test_readers_while_it_changes),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
