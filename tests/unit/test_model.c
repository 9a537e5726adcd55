/* SPDX-License-Identifier: MIT */
#include "growth.h"
#include "model.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct origin here = {"a.log", READING_UNKNOWN};

/* A snapshot of classes c0, c1...: class i has number * (i + 1) objects. */
static void add(struct model *model, int64_t pid, int64_t sequence, unsigned classes)
{
    struct receiver receiver = model_receiver(model);
    struct reading reading;
    reading_start(&reading);
    reading.pid = pid;
    reading.sequence = sequence;
    reading.time_ms = sequence * 60000;
    reading.figures[FIGURE_RESIDENT] = sequence * 100;
    for (unsigned i = 0; i < classes; i++) {
        char name[20];
        int size = snprintf(name, sizeof(name), "c%u", i);
        assert_int_equal(reading_add(&reading, name, (size_t)size, sequence * (i + 1), 1000 + i),
                         0);
    }
    reading_settle(&reading);
    assert_int_equal(receiver.snapshot(receiver.self, &here, &reading), 0);
    reading_clear(&reading);
}

static void test_first_and_newest_stay(void **state)
{
    (void)state;
    struct model model = {0};
    for (int64_t i = 1; i <= 10000; i++) {
        add(&model, 1, i, 3);
        const struct process *process = model.processes[0];
        assert_true(process->frame_count <= 600);
        assert_int_equal(process->frames[0].time_ms, 60000);
        assert_int_equal(process->frames[process->frame_count - 1].time_ms, i * 60000);
    }
    const struct process *process = model.processes[0];
    assert_int_equal(process->snapshots, 10000);
    assert_true(process->frame_count >= 300);
    uint64_t points = 0;
    for (size_t i = 0; i < process->class_count; i++) {
        const struct class *class = process->classes[i];
        points += class->point_count;
        assert_int_equal(class->point_count, process->frame_count);
        for (size_t j = 0; j < class->point_count; j++) {
            assert_int_equal(class->points[j].frame, process->frames[j].index);
            assert_int_equal(class->points[j].count,
                             (class->points[j].frame + 1) * (int64_t)(class->name[1] - '0' + 1));
        }
    }
    assert_int_equal(points, model.points);
    /* Evenly: no gap is larger than twice another. */
    for (size_t i = 1; i + 1 < process->frame_count; i++)
        assert_int_equal(process->frames[i].index - process->frames[i - 1].index, process->stride);
    model_clear(&model);
}

static void test_classes_are_bounded(void **state)
{
    (void)state;
    struct model model = {0};
    for (int64_t i = 1; i <= 3; i++)
        add(&model, 1, i, 60000);
    const struct process *process = model.processes[0];
    assert_true(model.classes <= 50000);
    assert_int_equal(model.classes, process->class_count);
    assert_true(model.classes_let_go >= 30000);
    for (size_t i = 1; i < process->class_count; i++)
        assert_true(strcmp(process->classes[i - 1]->name, process->classes[i]->name) < 0);
    model_clear(&model);
}

static void test_points_are_bounded(void **state)
{
    (void)state;
    struct model model = {0};
    for (int64_t i = 1; i <= 250; i++)
        add(&model, i % 2 + 1, (i + 1) / 2, 20000);
    assert_true(model.points <= 3000000);
    assert_true(model.processes[0]->stride > 1);
    model_clear(&model);
}

static void test_runs(void **state)
{
    (void)state;
    struct model model = {0};
    struct receiver receiver = model_receiver(&model);
    add(&model, 1, 1, 1);
    add(&model, 1, 2, 1);
    add(&model, 1, 2, 1); /* does not count for growth, and is no restart */
    add(&model, 2, 1, 1);
    assert_int_equal(model.process_count, 2);
    add(&model, 1, 1, 1);
    assert_int_equal(model.process_count, 3);
    assert_int_equal(model.processes[2]->run, 2);
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    assert_int_equal(model.process_count, 4);
    receiver.start(receiver.self, &here); /* as there are numbers, it may be another's */
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    assert_int_equal(model.process_count, 4);
    struct origin second = {"a.log", 2};
    receiver.start(receiver.self, &second);
    add(&model, 2, READING_UNKNOWN, 1);
    assert_int_equal(model.process_count, 5);
    model_clear(&model);
}

static void test_runs_without_numbers(void **state)
{
    (void)state;
    struct model model = {0};
    struct receiver receiver = model_receiver(&model);
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    receiver.start(receiver.self, &here);
    add(&model, READING_UNKNOWN, 2, 1); /* it goes on, so it was a worker's start */
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    assert_int_equal(model.process_count, 1);
    receiver.start(receiver.self, &here);
    add(&model, READING_UNKNOWN, READING_UNKNOWN, 1);
    assert_int_equal(model.process_count, 2);
    model_clear(&model);
}

static void test_verdicts_are_on_the_last_speaker(void **state)
{
    (void)state;
    struct model model = {0};
    struct receiver receiver = model_receiver(&model);
    struct verdict verdict = {VERDICT_SUSPECTED, "c0", "first", 0};
    receiver.verdict(receiver.self, &here, &verdict);
    assert_int_equal(model.process_count, 0);
    add(&model, 1, 1, 1);
    add(&model, 2, 1, 1);
    add(&model, 1, 2, 1);
    receiver.verdict(receiver.self, &here, &verdict);
    verdict = (struct verdict){VERDICT_CLEARED, "c0", "second", 0};
    receiver.verdict(receiver.self, &here, &verdict);
    struct origin exact = {"a.log", 2};
    receiver.verdict(receiver.self, &exact, &verdict);
    assert_int_equal(model.processes[0]->suspicion_count, 1);
    assert_string_equal(model.processes[0]->suspicions[0].text, "second");
    assert_int_equal(model.processes[1]->suspicion_count, 1);
    model_clear(&model);
}

static void test_verdicts_on_others_are_left_out(void **state)
{
    (void)state;
    struct model model = {.only_pid = 1};
    struct receiver receiver = model_receiver(&model);
    struct verdict verdict = {VERDICT_SUSPECTED, "c0", "text", 0};
    struct origin other = {"a.log", 2}, elsewhere = {"b.log", READING_UNKNOWN};
    add(&model, 1, 1, 1);
    add(&model, 2, 1, 1);
    receiver.verdict(receiver.self, &here, &verdict);
    receiver.verdict(receiver.self, &elsewhere, &verdict);
    add(&model, 1, 2, 1);
    receiver.verdict(receiver.self, &other, &verdict);
    assert_int_equal(model.process_count, 1);
    assert_int_equal(model.processes[0]->suspicion_count, 0);
    receiver.verdict(receiver.self, &here, &verdict);
    assert_int_equal(model.processes[0]->suspicion_count, 1);
    for (int64_t pid = 2; pid < 2000; pid++)
        add(&model, pid, 1, 1);
    assert_int_equal(model.left_out_count, 1000);
    receiver.verdict(receiver.self, &here, &(struct verdict){VERDICT_SUSPECTED, "c1", "text", 0});
    assert_int_equal(model.processes[0]->suspicion_count, 1);
    model_clear(&model);
}

static void test_growth(void **state)
{
    (void)state;
    struct model model = {0};
    struct growth rows[2];
    for (int64_t i = 1; i <= 61; i++)
        add(&model, 1, i, 5);
    const struct process *process = model.processes[0];
    assert_int_equal(growth_rank(process, false, rows, 2), 2);
    assert_string_equal(rows[0].class->name, "c4");
    assert_int_equal(rows[0].last - rows[0].first, 300);
    assert_true(rows[0].per_hour > 299.9 && rows[0].per_hour < 300.1);
    assert_int_equal(growth_rank(process, true, rows, 2), 0);
    assert_true(growth_of_figure(process, FIGURE_RESIDENT, &rows[0]));
    assert_int_equal(rows[0].last - rows[0].first, 6000);
    assert_false(growth_of_figure(process, FIGURE_SWAPPED, &rows[0]));
    add(&model, 1, 62, 4); /* c4 is in the tables no more */
    growth_rank(process, false, rows, 2);
    assert_string_equal(rows[0].class->name, "c3");
    char bars[SPARKLINE_SIZE];
    sparkline_of_class(bars, process, rows[0].class, false);
    assert_string_equal(bars, "▁▂▂▃▄▄▅▅▆▇▇█");
    model_clear(&model);
}

/* Without times, and the beginning of the log is gone: what counts is what was seen. */
static void test_a_clock_that_has_run_before(void **state)
{
    (void)state;
    struct model model = {0};
    struct receiver receiver = model_receiver(&model);
    for (int64_t i = 100; i <= 102; i++) {
        struct reading reading;
        reading_start(&reading);
        reading.sequence = i;
        reading.elapsed_ms = i * 60000;
        assert_int_equal(reading_add(&reading, "c", 1, i * 10, READING_UNKNOWN), 0);
        assert_int_equal(receiver.snapshot(receiver.self, &here, &reading), 0);
        reading_clear(&reading);
    }
    const struct process *process = model.processes[0];
    struct growth row;
    assert_int_equal(process->clock, CLOCK_ELAPSED);
    assert_int_equal(process->frames[2].time_ms - process->frames[0].time_ms, 120000);
    assert_int_equal(growth_rank(process, false, &row, 1), 1);
    assert_true(row.per_hour > 599.9 && row.per_hour < 600.1);
    model_clear(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_newest_stay),
        cmocka_unit_test(test_classes_are_bounded),
        cmocka_unit_test(test_points_are_bounded),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_runs_without_numbers),
        cmocka_unit_test(test_verdicts_are_on_the_last_speaker),
        cmocka_unit_test(test_verdicts_on_others_are_left_out),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_a_clock_that_has_run_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
