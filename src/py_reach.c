/* SPDX-License-Identifier: MIT
 *
 * The collector's own rule (Python/gc.c, deduce_unreachable): an object that has more references
 * than tracked objects hold of it is held from outside, and what can be reached from such objects
 * is alive. CPython subtracts in the objects' headers; here the references from tracked objects are
 * counted in an array, by the numbers of address_index.h.
 *
 * From 3.14 on a running frame may hold references that are not counted (borrowed _PyStackRef),
 * and tp_traverse shows them to any visitor but the collector's own: more may be found then than
 * the object has, which is no reference from outside. Counts above LIMIT are immortal objects.
 */
#include "py_reach.h"

#include "address_index.h"
#include "memory.h"

#include <string.h>

typedef int (*visitproc)(PyObject *, void *);
typedef int (*traverseproc)(PyObject *, visitproc, void *);

enum { PY_TP_TRAVERSE = 71 }; /* Include/typeslots.h */

/* In a PyTypeObject of Include/cpython/object.h, counted from its ob_type. */
enum { TP_FLAGS_OFFSET = 160, TP_TRAVERSE_OFFSET = 176 };

static const uint32_t REACHED = (uint32_t)1 << 31;
static const uint32_t LIMIT = (uint32_t)1 << 30;

struct reach {
    size_t type_offset;
    struct address_index index;
    uint32_t *counts; /* references from tracked objects, and REACHED */
    PyObject **stack; /* reached, and still to be asked what they refer to */
    size_t stack_size, stack_capacity;
    int (*visit)(void *context, PyObject *object);
    void *context;
    int status;
};

/* ---- Fields ---- */

static const char *field(const PyObject *object, size_t offset)
{
    return (const char *)object + offset;
}

static PyObject *class_of(const struct reach *reach, const PyObject *object)
{
    PyObject *class;
    memcpy(&class, field(object, reach->type_offset), sizeof(class));
    return class;
}

static traverseproc traverse_of(size_t type_offset, const PyObject *class)
{
    traverseproc traverse;
    memcpy(&traverse, field(class, type_offset + TP_TRAVERSE_OFFSET), sizeof(traverse));
    return traverse;
}

/* The lower half of ob_refcnt, which is all of it from 3.12 on. */
static uint32_t references_of(const struct reach *reach, const PyObject *object)
{
    uint32_t count;
    memcpy(&count, field(object, reach->type_offset - 8), sizeof(count));
    return count;
}

static bool flags_agree(size_t type_offset, PyObject *class)
{
    unsigned long flags;
    memcpy(&flags, field(class, type_offset + TP_FLAGS_OFFSET), sizeof(flags));
    return flags == py.PyType_GetFlags(class);
}

int py_reach_begin(const struct py_generations *generations)
{
    if (py.PyType_GetSlot == NULL || py.PyType_GetFlags == NULL)
        return -1;
    /* A class of Python's: before 3.10 the slots of others are not told. */
    PyObject *module = py_module_if_ready("_frozen_importlib");
    PyObject *class = module != NULL ? py_attribute(module, "ModuleSpec") : NULL;
    if (class == NULL)
        return -1;
    size_t offset = generations->type_offset;
    void *slot = py.PyType_GetSlot(class, PY_TP_TRAVERSE);
    traverseproc traverse = traverse_of(offset, class);
    bool agree = slot != NULL && memcmp(&slot, &traverse, sizeof(slot)) == 0 &&
                 flags_agree(offset, class) && flags_agree(offset, py.PyList_Type) &&
                 flags_agree(offset, py.PyType_Type) && flags_agree(offset, py.PyBaseObject_Type);
    py_clear_error();
    py.Py_DecRef(class);
    return agree ? 0 : -1;
}

/* ---- References ---- */

static int count_reference(PyObject *object, void *argument)
{
    struct reach *reach = argument;
    uint32_t index = address_index_find(&reach->index, (uintptr_t)object);
    if (index != ADDRESS_INDEX_NONE && reach->counts[index] < LIMIT)
        reach->counts[index]++;
    return 0;
}

static void push(struct reach *reach, PyObject *object)
{
    if (reach->stack_size == reach->stack_capacity) {
        size_t capacity = reach->stack_capacity == 0 ? 1 << 16 : reach->stack_capacity * 2;
        PyObject **stack = memory_resize(reach->stack, capacity * sizeof(PyObject *));
        if (stack == NULL) {
            reach->status = -1;
            return;
        }
        reach->stack = stack;
        reach->stack_capacity = capacity;
    }
    reach->stack[reach->stack_size++] = object;
}

static int reach_object(PyObject *object, void *argument)
{
    struct reach *reach = argument;
    uint32_t index = address_index_find(&reach->index, (uintptr_t)object);
    if (index == ADDRESS_INDEX_NONE || (reach->counts[index] & REACHED) != 0)
        return 0;
    reach->counts[index] |= REACHED;
    __builtin_prefetch(object);
    push(reach, object);
    return 0;
}

static void traverse(struct reach *reach, PyObject *object, visitproc visit)
{
    traverseproc function = traverse_of(reach->type_offset, class_of(reach, object));
    if (function != NULL)
        function(object, visit, reach);
}

/* ---- The passes ---- */

static int number_objects(struct reach *reach, const struct py_generations *generations)
{
    for (int i = 0; i < PY_GENERATION_COUNT; i++) {
        struct py_gc_head *head = generations->heads[i];
        for (struct py_gc_head *at = py_gc_next(head); at != head; at = py_gc_next(at)) {
            if (address_index_add(&reach->index, (uintptr_t)py_gc_object(at)) != 0)
                return -1;
        }
    }
    if (address_index_close(&reach->index) != 0)
        return -1;
    reach->counts = memory_allocate_zeroed(reach->index.count, sizeof(*reach->counts));
    return reach->counts != NULL ? 0 : -1;
}

static void count_references(struct reach *reach)
{
    struct address_cursor cursor = {0};
    uintptr_t address;
    while ((address = address_index_next(&reach->index, &cursor)) != 0)
        traverse(reach, (PyObject *)address, count_reference);
}

static void empty_stack(struct reach *reach)
{
    while (reach->stack_size > 0 && reach->status == 0) {
        PyObject *object = reach->stack[--reach->stack_size];
        if (reach->visit(reach->context, object) != 0)
            reach->status = -1;
        traverse(reach, object, reach_object);
    }
}

static void reach_from_outside(struct reach *reach)
{
    struct address_cursor cursor = {0};
    uintptr_t address;
    for (uint32_t i = 0; (address = address_index_next(&reach->index, &cursor)) != 0; i++) {
        PyObject *object = (PyObject *)address;
        if ((reach->counts[i] & REACHED) == 0 && references_of(reach, object) > reach->counts[i]) {
            reach->counts[i] |= REACHED;
            push(reach, object);
            empty_stack(reach);
        }
    }
}

int py_reach_each(const struct py_generations *generations,
                  int (*visit)(void *context, PyObject *object), void *context)
{
    struct reach reach = {
        .type_offset = generations->type_offset, .visit = visit, .context = context};
    if (number_objects(&reach, generations) == 0) {
        count_references(&reach);
        reach_from_outside(&reach);
    } else {
        reach.status = -1;
    }
    address_index_clear(&reach.index);
    memory_free(reach.counts);
    memory_free(reach.stack);
    return reach.status;
}
