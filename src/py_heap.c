/* SPDX-License-Identifier: MIT
 *
 * While the lists of the collector are walked in place nothing may change them: no Python code
 * runs, the GIL is not released, and automatic collection is off, since what little is allocated on
 * the way could start one. Objects whose size only Python code can tell are referenced and asked
 * afterwards. Every class is referenced from its first sight until its name has been read, because
 * that code may give a class's last instance another class.
 *
 * Where the lists cannot be walked (py_generations.h) gc.get_objects() is, which references
 * everything. Free-threaded builds are visited with the world stopped (py_visit.h).
 */
#include "py_heap.h"

#include "py_blocks.h"
#include "py_generations.h"
#include "py_isolate.h"
#include "py_name.h"
#include "py_namespace.h"
#include "py_reach.h"
#include "retention/py_retention.h"
#include "py_tally.h"
#include "py_untracked.h"
#include "py_visit.h"

#include <string.h>

static struct {
    PyObject *module;
    PyObject *collect;
    PyObject *get_objects;
    PyObject *enable;
    PyObject *disable;
    PyObject *isenabled;
} gc;

static struct py_generations generations;
static enum py_generations_result found;
static bool has_graph, knows_holders, knows_untracked;

static PyObject *call(PyObject *function)
{
    PyObject *answer = py.PyObject_CallFunctionObjArgs(function, NULL);
    py_clear_error();
    return answer;
}

/* At the start, while the heap is small: the proof counts every object twice. */
static void find_heap(void)
{
    found = py_generations_find(&generations, gc.module);
    if (found == PY_GENERATIONS_NONE && !py_visit_is_proven(generations.type_offset))
        found = PY_GENERATIONS_UNKNOWN;
    if (found != PY_GENERATIONS_NONE)
        py_size_prove_lists(generations.type_offset);
    has_graph = found == PY_GENERATIONS_FOUND && py_graph_begin(&generations) == 0;
    if (has_graph)
        py_namespace_begin(generations.type_offset);
    knows_holders = has_graph && py_retention_begin() == 0;
    knows_untracked = knows_holders && py_untracked_begin(generations.type_offset) == 0;
}

int py_heap_begin(void)
{
    gc.module = py.PyImport_ImportModule("gc");
    py_clear_error();
    if (gc.module == NULL)
        return -1;
    gc.collect = py_attribute(gc.module, "collect");
    gc.get_objects = py_attribute(gc.module, "get_objects");
    gc.enable = py_attribute(gc.module, "enable");
    gc.disable = py_attribute(gc.module, "disable");
    gc.isenabled = py_attribute(gc.module, "isenabled");
    if (gc.collect == NULL || gc.get_objects == NULL || gc.enable == NULL || gc.disable == NULL ||
        gc.isenabled == NULL)
        return -1;
    if (py_size_begin() != 0 || py_name_begin() != 0)
        return -1;
    py_blocks_begin();
    find_heap();
    return 0;
}

void py_heap_end(void)
{
    py_drop(&gc.module);
    py_drop(&gc.collect);
    py_drop(&gc.get_objects);
    py_drop(&gc.enable);
    py_drop(&gc.disable);
    py_drop(&gc.isenabled);
    py_blocks_end();
    py_retention_end();
    py_size_end();
    py_name_end();
}

/* ---- In place ---- */

/* From both ends, until they meet: what takes the time is to wait for the memory that holds the
 * next link, and so two waits are one. */
static int walk_list(struct py_tally *tally, struct py_gc_head *head)
{
    struct py_gc_head *front = py_gc_next(head);
    struct py_gc_head *back = py_gc_previous(head);
    while (front != head) {
        if (py_tally_add_at(tally, PY_TALLY_FRONT, py_gc_object(front)) != 0)
            return -1;
        if (front == back)
            break;
        if (py_tally_add_at(tally, PY_TALLY_BACK, py_gc_object(back)) != 0)
            return -1;
        front = py_gc_next(front);
        if (front == back)
            break;
        back = py_gc_previous(back);
    }
    return 0;
}

static int walk_lists(struct py_tally *tally)
{
    int status = 0;
    int was_enabled = py_truth(call(gc.isenabled), 0);
    if (was_enabled)
        py_release(call(gc.disable));
    for (int i = 0; i < PY_GENERATION_COUNT && status == 0; i++)
        status = walk_list(tally, generations.heads[i]);
    if (was_enabled)
        py_release(call(gc.enable));
    return status;
}

/* ---- By gc.get_objects() ---- */

/* Borrowed from the object. */
static PyObject *class_of(PyObject *object)
{
    PyObject *class;
    if (generations.type_offset == 0)
        return py_class_of(object);
    memcpy(&class, (const char *)object + generations.type_offset, sizeof(class));
    return class;
}

static int walk_objects(struct py_tally *tally, PyObject *objects)
{
    ssize_t count = py.PyList_Size(objects);
    for (ssize_t i = 0; i < count; i++) {
        PyObject *object = py.PyList_GetItem(objects, i);
        struct census_entry *entry = py_tally_entry(tally, class_of(object), object);
        if (entry == NULL)
            return -1;
        entry->count++;
        entry->bytes += py_size_planned(&tally->plans[entry->note], object);
    }
    return 0;
}

static int walk_by_list(struct py_tally *tally)
{
    PyObject *objects = call(gc.get_objects);
    if (objects == NULL)
        return -1;
    int status = walk_objects(tally, objects);
    py.Py_DecRef(objects);
    return status;
}

/* ---- In a twin ---- */

/* What is counted there. */
struct count {
    struct py_tally tally;
    struct py_untracked untracked;
    bool wants_untracked;
};

static int count_untracked(void *tally, PyObject *object)
{
    return py_tally_add_at(tally, PY_TALLY_BACK, object);
}

static int count_object(void *context, PyObject *object)
{
    struct count *count = context;
    if (py_tally_add_at(&count->tally, PY_TALLY_FRONT, object) != 0)
        return -1;
    return count->wants_untracked ? py_untracked_follow(&count->untracked, object) : 0;
}

/* Garbage too. */
static int count_each(const struct py_graph *graph, struct count *count)
{
    struct py_graph_cursor cursor = {.next = 0};
    uint32_t number;
    PyObject *object;
    while ((object = py_graph_next(graph, &cursor, &number)) != NULL) {
        if (!py_graph_is_frozen(graph, number) && count_object(count, object) != 0)
            return -1;
    }
    return 0;
}

static int count_graph(struct py_graph *graph, struct count *count, int collect)
{
    int status = collect ? py_reach_each(graph, count_object, count) : count_each(graph, count);
    if (status == 0 && count->wants_untracked)
        status = py_untracked_follow_running(&count->untracked);
    return status;
}

/* ---- The whole ---- */

int py_heap_count(struct snapshot *snapshot, int collect)
{
    struct py_tally tally = {.type_offset = generations.type_offset};
    if (collect)
        py_release(call(gc.collect));
    int status;
    if (found == PY_GENERATIONS_FOUND)
        status = walk_lists(&tally);
    else if (found == PY_GENERATIONS_NONE)
        status = py_visit_count(&tally.census, generations.type_offset);
    else
        status = walk_by_list(&tally);
    py_tally_size_deferred(&tally);
    if (status == 0)
        status = py_tally_name(&tally, snapshot);
    py_tally_clear(&tally);
    return status;
}

bool py_heap_can_be_copied(void)
{
    return has_graph && py_isolate_is_possible();
}

bool py_heap_knows_holders(void)
{
    return knows_holders && py_heap_can_be_copied();
}

bool py_heap_knows_untracked(void)
{
    return knows_untracked && py_heap_can_be_copied();
}

/* Of the twin; it ends with that. */
static struct py_graph twin_graph;

static void settle_in_twin(void)
{
    py_isolate();
    py_release(call(gc.disable));
}

static int build_graph(void)
{
    return twin_graph.counts == NULL ? py_graph_build(&twin_graph, &generations) : 0;
}

int py_heap_count_in_twin(struct snapshot *snapshot, int collect, int untracked)
{
    struct count count = {.wants_untracked = untracked != 0};
    count.tally = (struct py_tally){.type_offset = generations.type_offset, .is_in_twin = true};
    count.untracked = (struct py_untracked){
        .graph = &twin_graph, .meet = count_untracked, .context = &count.tally};
    settle_in_twin();
    int status = collect || untracked ? build_graph() : 0;
    if (status == 0)
        status = collect || untracked ? count_graph(&twin_graph, &count, collect)
                                      : walk_lists(&count.tally);
    if (status == 0)
        status = py_tally_name(&count.tally, snapshot);
    py_untracked_clear(&count.untracked);
    return status;
}

int py_heap_find_holders(struct holders *holders, const struct held_wish *wishes, size_t wish_count)
{
    settle_in_twin();
    int status = build_graph();
    if (status == 0)
        status = py_retention_find(&twin_graph, &generations, wishes, wish_count, holders);
    return status;
}

uint64_t py_heap_count_up_to(uint64_t limit)
{
    uint64_t count = 0;
    for (int i = 0; i < PY_GENERATION_COUNT && found == PY_GENERATIONS_FOUND; i++) {
        const struct py_gc_head *head = generations.heads[i];
        for (const struct py_gc_head *at = py_gc_next(head); at != head && count < limit;
             at = py_gc_next(at))
            count++;
    }
    return count;
}

bool py_heap_is_unknown(void)
{
    return found == PY_GENERATIONS_UNKNOWN;
}
