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

#include "census.h"
#include "memory.h"
#include "py_generations.h"
#include "py_isolate.h"
#include "py_name.h"
#include "py_reach.h"
#include "py_size.h"
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
static bool can_reach;

/* An object to be sized after the walk, and the class it was counted under. Both referenced. */
struct deferred {
    PyObject *object;
    PyObject *class;
};

enum end { FRONT, BACK, END_COUNT };

struct walk {
    /* Objects of one kind are often made in a row. NULL when the entries have moved. */
    struct census_entry *last[END_COUNT];
    struct census census; /* an entry's note is the index of its class's plan */
    struct py_size_plan *plans;
    size_t plan_count, plan_capacity;
    struct deferred *deferred;
    size_t deferred_count, deferred_capacity;
    bool is_in_twin;
};

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
    can_reach = found == PY_GENERATIONS_FOUND && py_reach_begin(&generations) == 0;
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
    py_size_end();
    py_name_end();
}

/* ---- In place ---- */

/* Room for one more item of `size` bytes. Returns the array, moved perhaps, or NULL. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wider = *capacity == 0 ? 64 : *capacity * 2;
    void *moved = memory_resize(array, wider * size);
    if (moved != NULL)
        *capacity = wider;
    return moved;
}

static int plan_class(struct walk *walk, struct census_entry *entry, PyObject *example)
{
    struct py_size_plan *plans =
        room(walk->plans, walk->plan_count, &walk->plan_capacity, sizeof(*plans));
    if (plans == NULL)
        return -1;
    PyObject *class = (PyObject *)entry->class;
    walk->plans = plans;
    plans[walk->plan_count] = py_size_plan(class, example, generations.type_offset);
    if (walk->is_in_twin && plans[walk->plan_count].method == PY_SIZE_GENERAL)
        plans[walk->plan_count] =
            py_size_plan_without_python(class, example, generations.type_offset);
    entry->note = (uint32_t)walk->plan_count++;
    return 0;
}

static int defer(struct walk *walk, PyObject *object, PyObject *class)
{
    struct deferred *deferred =
        room(walk->deferred, walk->deferred_count, &walk->deferred_capacity, sizeof(*deferred));
    if (deferred == NULL)
        return -1;
    py.Py_IncRef(object);
    py.Py_IncRef(class);
    walk->deferred = deferred;
    deferred[walk->deferred_count++] = (struct deferred){object, class};
    return 0;
}

/* The entry of an object's class, planned. The class is referenced at its first sight, but not in a
 * twin, where none can die and a reference would copy its page. */
static struct census_entry *entry_of(struct walk *walk, PyObject *class, PyObject *object)
{
    int is_new;
    struct census_entry *entry = census_find(&walk->census, class, &is_new);
    if (entry != NULL && is_new) {
        memset(walk->last, 0, sizeof(walk->last));
        if (!walk->is_in_twin)
            py.Py_IncRef(class);
        if (plan_class(walk, entry, object) != 0)
            return NULL;
    }
    return entry;
}

static int count_at_end(struct walk *walk, enum end end, PyObject *object)
{
    struct census_entry *entry = walk->last[end];
    PyObject *class;
    memcpy(&class, (const char *)object + generations.type_offset, sizeof(class));
    if (entry == NULL || entry->class != class)
        entry = walk->last[end] = entry_of(walk, class, object);
    if (entry == NULL)
        return -1;
    entry->count++;
    const struct py_size_plan *plan = &walk->plans[entry->note];
    if (plan->method == PY_SIZE_COUNTED)
        entry->bytes += py_size_counted(plan, object);
    else if (plan->method != PY_SIZE_GENERAL)
        entry->bytes += py_size_planned(plan, object);
    else if (defer(walk, object, class) != 0)
        return -1;
    return 0;
}

static int count_object(void *walk, PyObject *object)
{
    return count_at_end(walk, FRONT, object);
}

/* From both ends, until they meet: what takes the time is to wait for the memory that holds the
 * next link, and so two waits are one. */
static int walk_list(struct walk *walk, struct py_gc_head *head)
{
    struct py_gc_head *front = py_gc_next(head);
    struct py_gc_head *back = py_gc_previous(head);
    while (front != head) {
        if (count_at_end(walk, FRONT, py_gc_object(front)) != 0)
            return -1;
        if (front == back)
            break;
        if (count_at_end(walk, BACK, py_gc_object(back)) != 0)
            return -1;
        front = py_gc_next(front);
        if (front == back)
            break;
        back = py_gc_previous(back);
    }
    return 0;
}

static int walk_lists(struct walk *walk)
{
    int status = 0;
    int was_enabled = py_truth(call(gc.isenabled), 0);
    if (was_enabled)
        py_release(call(gc.disable));
    for (int i = 0; i < PY_GENERATION_COUNT && status == 0; i++)
        status = walk_list(walk, generations.heads[i]);
    if (was_enabled)
        py_release(call(gc.enable));
    return status;
}

static void size_deferred(struct walk *walk)
{
    for (size_t i = 0; i < walk->deferred_count; i++) {
        int is_new;
        struct deferred *deferred = &walk->deferred[i];
        uint64_t bytes = py_size_of(deferred->object);
        struct census_entry *entry = census_find(&walk->census, deferred->class, &is_new);
        if (entry != NULL)
            entry->bytes += bytes;
        py.Py_DecRef(deferred->object);
        py.Py_DecRef(deferred->class);
    }
}

/* ---- By gc.get_objects() ---- */

/* Borrowed from the object. */
static PyObject *class_of(PyObject *object)
{
    PyObject *class;
    if (generations.type_offset != 0) {
        memcpy(&class, (const char *)object + generations.type_offset, sizeof(class));
    } else {
        class = py.PyObject_Type(object);
        py_release(class);
    }
    return class;
}

static int walk_objects(struct walk *walk, PyObject *objects)
{
    ssize_t count = py.PyList_Size(objects);
    for (ssize_t i = 0; i < count; i++) {
        PyObject *object = py.PyList_GetItem(objects, i);
        struct census_entry *entry = entry_of(walk, class_of(object), object);
        if (entry == NULL)
            return -1;
        entry->count++;
        entry->bytes += py_size_planned(&walk->plans[entry->note], object);
    }
    return 0;
}

static int walk_by_list(struct walk *walk)
{
    PyObject *objects = call(gc.get_objects);
    if (objects == NULL)
        return -1;
    int status = walk_objects(walk, objects);
    py.Py_DecRef(objects);
    return status;
}

/* ---- The whole ---- */

static int name_classes(struct snapshot *snapshot, const struct census *census)
{
    for (size_t i = 0; i < census->slot_count; i++) {
        const struct census_entry *entry = &census->slots[i];
        if (entry->class == NULL)
            continue;
        char *name = py_class_name((PyObject *)entry->class);
        if (name == NULL || snapshot_add(snapshot, name, entry->count, entry->bytes) != 0)
            return -1;
    }
    return 0;
}

static void walk_clear(struct walk *walk)
{
    for (size_t i = 0; i < walk->census.slot_count; i++)
        py_release((PyObject *)walk->census.slots[i].class);
    census_clear(&walk->census);
    memory_free(walk->plans);
    memory_free(walk->deferred);
}

int py_heap_count(struct snapshot *snapshot, int collect)
{
    struct walk walk = {0};
    if (collect)
        py_release(call(gc.collect));
    int status;
    if (found == PY_GENERATIONS_FOUND)
        status = walk_lists(&walk);
    else if (found == PY_GENERATIONS_NONE)
        status = py_visit_count(&walk.census, generations.type_offset);
    else
        status = walk_by_list(&walk);
    size_deferred(&walk);
    if (status == 0)
        status = name_classes(snapshot, &walk.census);
    walk_clear(&walk);
    return status;
}

bool py_heap_can_be_copied(void)
{
    return can_reach && py_isolate_is_possible();
}

int py_heap_count_in_twin(struct snapshot *snapshot, int collect)
{
    struct walk walk = {.is_in_twin = true};
    py_isolate();
    py_release(call(gc.disable));
    int status = collect ? py_reach_each(&generations, count_object, &walk) : walk_lists(&walk);
    return status == 0 ? name_classes(snapshot, &walk.census) : status;
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
