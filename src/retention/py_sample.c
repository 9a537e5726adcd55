/* SPDX-License-Identifier: MIT
 *
 * Each list is walked forward only: what points back in it is the collector's own while it works.
 */
#include "retention/py_sample.h"

#include "census.h"
#include "memory.h"
#include "py_name.h"

struct scan {
    struct py_sample *samples;
    size_t count;
    const struct py_ancestry *ancestry;
    struct census classes; /* an entry's note is 1 and the index of its class's sample, or 0 */
    PyObject *last_class;
    uint32_t last_note;
};

static uint32_t note_of_name(const struct scan *scan, const char *name)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (strcmp(scan->samples[i].name, name) == 0)
            return (uint32_t)i + 1;
    }
    return 0;
}

/* 1 and the index of the sample of a class's objects, 0 for none. */
static int note_of(struct scan *scan, PyObject *class, uint32_t *note)
{
    int is_new;
    struct census_entry *entry = census_find(&scan->classes, class, &is_new);
    if (entry == NULL)
        return -1;
    if (is_new) {
        char *name = py_class_name(class);
        if (name == NULL)
            return -1;
        entry->note = note_of_name(scan, name);
        memory_free(name);
    }
    *note = entry->note;
    return 0;
}

/* Once per class: a plan makes objects. */
static void plan(struct py_sample *sample, PyObject *class, PyObject *object, size_t type_offset)
{
    if (sample->planned == class)
        return;
    sample->planned = class;
    sample->plan = py_size_plan(class, object, type_offset);
    if (sample->plan.method == PY_SIZE_GENERAL)
        sample->plan = py_size_plan_without_python(class, object, type_offset);
}

static void add_by_size(const struct scan *scan, struct py_sample *sample, PyObject *object)
{
    plan(sample, scan->last_class, object, scan->ancestry->graph->type_offset);
    uint64_t size = py_size_planned(&sample->plan, object);
    for (size_t i = 0; i < PY_SAMPLE_LARGEST; i++) {
        if (size <= sample->sizes[i])
            continue;
        uint64_t less = sample->sizes[i];
        PyObject *smaller = sample->largest[i];
        sample->sizes[i] = size;
        sample->largest[i] = object;
        size = less;
        object = smaller;
    }
}

static void add(struct scan *scan, struct py_sample *sample, int list, PyObject *object)
{
    uint32_t number = py_graph_number(scan->ancestry->graph, object);
    /* Made for the search itself. */
    if (number == PY_GRAPH_NONE)
        return;
    bool is_alive = scan->ancestry->parents[number] != PY_ANCESTRY_NONE;
    if (is_alive && sample->objects == 0)
        memset(sample->seen, 0, sizeof(sample->seen));
    if (is_alive)
        sample->objects++;
    else
        sample->garbage++;
    if (sample->by_size && is_alive)
        add_by_size(scan, sample, object);
    if (is_alive || sample->objects == 0)
        sample->last[list][sample->seen[list]++ % PY_SAMPLE_SIZE] = object;
}

static int scan_list(struct scan *scan, int list, struct py_gc_head *head)
{
    for (struct py_gc_head *at = py_gc_next(head); at != head; at = py_gc_next(at)) {
        PyObject *object = py_gc_object(at);
        PyObject *class = py_graph_class(scan->ancestry->graph, object);
        if (class != scan->last_class) {
            if (note_of(scan, class, &scan->last_note) != 0)
                return -1;
            scan->last_class = class;
        }
        if (scan->last_note != 0)
            add(scan, &scan->samples[scan->last_note - 1], list, object);
    }
    return 0;
}

int py_sample_take(struct py_sample *samples, size_t count, const struct py_ancestry *ancestry,
                   const struct py_generations *generations)
{
    struct scan scan = {.samples = samples, .count = count, .ancestry = ancestry};
    int status = 0;
    for (int i = 0; i < PY_GENERATION_COUNT && status == 0; i++)
        status = scan_list(&scan, i, generations->heads[i]);
    census_clear(&scan.classes);
    return status;
}

static uint32_t largest_of(const struct py_sample *sample, PyObject **objects)
{
    uint32_t count = 0;
    while (count < PY_SAMPLE_LARGEST && sample->largest[count] != NULL &&
           sample->sizes[count] >= sample->sizes[0] / 2) {
        objects[count] = sample->largest[count];
        count++;
    }
    return count;
}

uint32_t py_sample_objects(const struct py_sample *sample, PyObject **objects)
{
    uint32_t count = 0;
    if (sample->by_size && sample->largest[0] != NULL)
        return largest_of(sample, objects);
    uint32_t limit = sample->limit == 0 ? PY_SAMPLE_SIZE : sample->limit;
    for (int list = 0; list < PY_GENERATION_COUNT; list++) {
        uint64_t kept = sample->seen[list] < PY_SAMPLE_SIZE ? sample->seen[list] : PY_SAMPLE_SIZE;
        for (uint64_t i = 0; i < kept && count < limit; i++)
            objects[count++] = sample->last[list][(sample->seen[list] - 1 - i) % PY_SAMPLE_SIZE];
    }
    return count;
}
