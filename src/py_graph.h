/* SPDX-License-Identifier: MIT
 *
 * The tracked objects as a graph: each has a number, and it is known how many references to it
 * other tracked objects hold. Nothing is written to the objects themselves.
 */
#ifndef MEMPROF_PY_GRAPH_H
#define MEMPROF_PY_GRAPH_H

#include "address_index.h"
#include "py_generations.h"

#include <stdbool.h>
#include <string.h>

typedef int (*py_visit)(PyObject *, void *);

/* Fields of a PyTypeObject of Include/cpython/object.h, counted from its ob_type. */
enum {
    PY_TP_NAME_OFFSET = 16,
    PY_TP_BASICSIZE_OFFSET = 24,
    PY_TP_ITEMSIZE_OFFSET = 32,
    PY_TP_FLAGS_OFFSET = 160,
    PY_TP_TRAVERSE_OFFSET = 176,
    PY_TP_MEMBERS_OFFSET = 232,
    PY_TP_BASE_OFFSET = 248,
    PY_TP_DICT_OFFSET = 256,
    PY_TP_IS_GC_OFFSET = 320,
    PY_TP_MRO_OFFSET = 336
};

#define PY_GRAPH_NONE ADDRESS_INDEX_NONE
#define PY_GRAPH_MARK ((uint32_t)1 << 31)

/* The numbers of frozen objects come after those of all others. */
struct py_graph {
    size_t type_offset;           /* of ob_type in an object */
    struct address_index objects; /* of gc.get_objects() */
    struct address_index frozen;  /* by gc.freeze() */
    uint32_t count;               /* of both */
    uint32_t *counts; /* by number: references from tracked objects, and PY_GRAPH_MARK */
};

/* A walk over all objects in the order of their numbers: start with zero. */
struct py_graph_cursor {
    struct address_cursor cursor;
    uint32_t next;
};

/* Proves that the fields of type objects are where they are taken to be. 0, or -1: then nothing
 * below may be called. Runs no Python code. GIL. */
int py_graph_begin(const struct py_generations *generations);

/* Numbers every tracked object and counts references. It asks the tp_traverse of every one, which
 * for extension types is the code of others: for a copy of the process only. About eight bytes of
 * memory.h per object. 0, or -1 when out of memory; clear it in any case. Runs no Python code. GIL.
 */
int py_graph_build(struct py_graph *graph, const struct py_generations *generations);

void py_graph_clear(struct py_graph *graph);

/* The next object, with its number, or NULL at the end. */
PyObject *py_graph_next(const struct py_graph *graph, struct py_graph_cursor *cursor,
                        uint32_t *number);

/* The object with this number. */
PyObject *py_graph_object(const struct py_graph *graph, uint32_t number);

/* Takes all marks away. */
void py_graph_unmark(struct py_graph *graph);

/* Whether something that is no tracked object holds `object`, by the collector's own rule
 * (Python/gc.c, deduce_unreachable): it has more references than were counted. */
bool py_graph_is_held_outside(const struct py_graph *graph, const PyObject *object,
                              uint32_t number);

/* The next class on the way to object that was not made by a class statement, or `class` itself. */
PyObject *py_graph_native_class(const struct py_graph *graph, PyObject *class);

/* tp_name: `collections.deque`; of classes made by Python code the bare name. */
const char *py_graph_class_name(const struct py_graph *graph, const PyObject *class);

unsigned long py_graph_class_flags(const struct py_graph *graph, const PyObject *class);

/* Whether the object is a class. */
bool py_graph_is_class(const struct py_graph *graph, const PyObject *object);

/* ---- For every object, so without a call ---- */

static inline const void *py_graph_field(const void *object, size_t offset)
{
    return (const char *)object + offset;
}

static inline PyObject *py_graph_class(const struct py_graph *graph, const PyObject *object)
{
    PyObject *class;
    memcpy(&class, py_graph_field(object, graph->type_offset), sizeof(class));
    return class;
}

static inline uint32_t py_graph_number(const struct py_graph *graph, const PyObject *object)
{
    uint32_t number = address_index_find(&graph->objects, (uintptr_t)object);
    if (number != PY_GRAPH_NONE || graph->frozen.count == 0)
        return number;
    number = address_index_find(&graph->frozen, (uintptr_t)object);
    return number != PY_GRAPH_NONE ? graph->objects.count + number : number;
}

static inline bool py_graph_is_frozen(const struct py_graph *graph, uint32_t number)
{
    return number >= graph->objects.count;
}

/* PyVarObject's ob_size. */
static inline ssize_t py_graph_item_count(const struct py_graph *graph, const PyObject *object)
{
    ssize_t count;
    memcpy(&count, py_graph_field(object, graph->type_offset + sizeof(void *)), sizeof(count));
    return count;
}

/* Marks an object. Returns whether it was not yet marked. */
static inline bool py_graph_mark(struct py_graph *graph, uint32_t number)
{
    bool is_new = (graph->counts[number] & PY_GRAPH_MARK) == 0;
    graph->counts[number] |= PY_GRAPH_MARK;
    return is_new;
}

static inline bool py_graph_is_marked(const struct py_graph *graph, uint32_t number)
{
    return (graph->counts[number] & PY_GRAPH_MARK) != 0;
}

/* Calls `visit` for every object that `object` refers to, tracked or not. */
static inline void py_graph_traverse(const struct py_graph *graph, PyObject *object, py_visit visit,
                                     void *argument)
{
    int (*traverse)(PyObject *, py_visit, void *);
    memcpy(
        &traverse,
        py_graph_field(py_graph_class(graph, object), graph->type_offset + PY_TP_TRAVERSE_OFFSET),
        sizeof(traverse));
    if (traverse != NULL)
        traverse(object, visit, argument);
}

#endif
