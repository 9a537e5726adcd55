/* SPDX-License-Identifier: MIT
 *
 * Each list is walked forward only: what points back in it is the collector's own while it works.
 */
#include "retention/py_sample.h"

#include "retention/py_wanted.h"

struct scan {
    struct py_sample *samples;
    const struct py_ancestry *ancestry;
    struct py_wanted wanted;
};

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
    const struct py_graph *graph = scan->ancestry->graph;
    plan(sample, py_graph_class(graph, object), object, graph->type_offset);
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

static void add(struct scan *scan, int list, PyObject *object)
{
    struct py_sample *sample = &scan->samples[scan->wanted.last_place];
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
    if (is_alive && scan->wanted.wishes[scan->wanted.last_place].by_size)
        add_by_size(scan, sample, object);
    if (is_alive || sample->objects == 0)
        sample->last[list][sample->seen[list]++ % PY_SAMPLE_SIZE] = object;
}

static int scan_list(struct scan *scan, int list, struct py_gc_head *head)
{
    for (struct py_gc_head *at = py_gc_next(head); at != head; at = py_gc_next(at)) {
        PyObject *object = py_gc_object(at);
        if (py_wanted_find(&scan->wanted, py_graph_class(scan->ancestry->graph, object)) != 0)
            return -1;
        if (scan->wanted.last_place != PY_WANTED_NONE)
            add(scan, list, object);
    }
    return 0;
}

int py_sample_take(struct py_sample *samples, const struct held_wish *wishes, size_t count,
                   const struct py_ancestry *ancestry, const struct py_generations *generations)
{
    struct scan scan = {samples, ancestry, {.wishes = wishes, .count = count}};
    int status = 0;
    for (int i = 0; i < PY_GENERATION_COUNT && status == 0; i++)
        status = scan_list(&scan, i, generations->heads[i]);
    py_wanted_clear(&scan.wanted);
    return status;
}

static uint32_t largest_of(const struct py_sample *sample, struct py_sampled *objects)
{
    uint32_t count = 0;
    while (count < PY_SAMPLE_LARGEST && sample->largest[count] != NULL &&
           sample->sizes[count] >= sample->sizes[0] / 2) {
        objects[count] = (struct py_sampled){.object = sample->largest[count]};
        count++;
    }
    return count;
}

uint32_t py_sample_limit(const struct held_wish *wish)
{
    bool is_limited = wish->newest != 0 && wish->newest < PY_SAMPLE_SIZE;
    return is_limited ? wish->newest : PY_SAMPLE_SIZE;
}

uint32_t py_sample_objects(const struct py_sample *sample, const struct held_wish *wish,
                           struct py_sampled *objects)
{
    uint32_t count = 0, limit = py_sample_limit(wish);
    if (wish->by_size && sample->largest[0] != NULL)
        return largest_of(sample, objects);
    for (int list = 0; list < PY_GENERATION_COUNT; list++) {
        uint64_t kept = sample->seen[list] < PY_SAMPLE_SIZE ? sample->seen[list] : PY_SAMPLE_SIZE;
        for (uint64_t i = 0; i < kept && count < limit; i++) {
            PyObject *last = sample->last[list][(sample->seen[list] - 1 - i) % PY_SAMPLE_SIZE];
            objects[count++] = (struct py_sampled){.object = last};
        }
    }
    return count;
}
