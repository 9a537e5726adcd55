/* SPDX-License-Identifier: MIT
 *
 * CPython's collector subtracts references in the objects' headers; here those from tracked objects
 * are counted in an array, by the numbers of address_index.h.
 *
 * From 3.14 on a running frame may hold references that are not counted (borrowed _PyStackRef),
 * and tp_traverse shows them to any visitor but the collector's own: more may be found then than
 * the object has, which is no reference from outside. Counts above LIMIT are immortal objects.
 */
#include "py_graph.h"

#include "memory.h"

enum { PY_TP_BASE = 48, PY_TP_TRAVERSE = 71 }; /* Include/typeslots.h */

static const uint32_t LIMIT = (uint32_t)1 << 30;

/* tp_traverse of classes that are made by Python code: subtype_traverse of Objects/typeobject.c. */
static void *python_traverse;

static void *word_of(const void *object, size_t offset)
{
    void *word;
    memcpy(&word, py_graph_field(object, offset), sizeof(word));
    return word;
}

/* ---- The proof ---- */

static bool flags_agree(size_t type_offset, PyObject *class)
{
    unsigned long flags;
    memcpy(&flags, py_graph_field(class, type_offset + PY_TP_FLAGS_OFFSET), sizeof(flags));
    return flags == py.PyType_GetFlags(class);
}

static bool slots_agree(size_t type_offset, PyObject *class)
{
    python_traverse = py.PyType_GetSlot(class, PY_TP_TRAVERSE);
    return python_traverse != NULL &&
           python_traverse == word_of(class, type_offset + PY_TP_TRAVERSE_OFFSET) &&
           word_of(class, type_offset + PY_TP_BASE_OFFSET) == py.PyBaseObject_Type &&
           py.PyType_GetSlot(class, PY_TP_BASE) == py.PyBaseObject_Type;
}

int py_graph_begin(const struct py_generations *generations)
{
    if (py.PyType_GetSlot == NULL || py.PyType_GetFlags == NULL)
        return -1;
    /* A class of Python's: before 3.10 the slots of others are not told. */
    PyObject *module = py_module_if_ready("_frozen_importlib");
    PyObject *class = module != NULL ? py_attribute(module, "ModuleSpec") : NULL;
    if (class == NULL)
        return -1;
    size_t offset = generations->type_offset;
    const char *list_name = word_of(py.PyList_Type, offset + PY_TP_NAME_OFFSET);
    bool agree = slots_agree(offset, class) && flags_agree(offset, class) &&
                 flags_agree(offset, py.PyList_Type) && flags_agree(offset, py.PyType_Type) &&
                 flags_agree(offset, py.PyBaseObject_Type) && strcmp(list_name, "list") == 0;
    py_clear_error();
    py.Py_DecRef(class);
    return agree ? 0 : -1;
}

/* ---- Building ---- */

static int number_list(struct address_index *index, const struct py_gc_head *head)
{
    for (struct py_gc_head *at = py_gc_next(head); at != head; at = py_gc_next(at)) {
        if (address_index_add(index, (uintptr_t)py_gc_object(at)) != 0)
            return -1;
    }
    return 0;
}

static int number_objects(struct py_graph *graph, const struct py_generations *generations)
{
    int status = 0;
    for (int i = 0; i < PY_GENERATION_COUNT && status == 0; i++)
        status = number_list(&graph->objects, generations->heads[i]);
    if (status == 0 && generations->frozen != NULL)
        status = number_list(&graph->frozen, generations->frozen);
    if (status != 0 || address_index_close(&graph->objects) != 0 ||
        address_index_close(&graph->frozen) != 0)
        return -1;
    uint64_t count = (uint64_t)graph->objects.count + graph->frozen.count;
    if (count >= PY_GRAPH_MARK)
        return -1;
    graph->count = (uint32_t)count;
    graph->counts = memory_allocate_zeroed(graph->count, sizeof(*graph->counts));
    return graph->counts != NULL ? 0 : -1;
}

static int count_reference(PyObject *object, void *argument)
{
    struct py_graph *graph = argument;
    uint32_t number = py_graph_number(graph, object);
    if (number != PY_GRAPH_NONE && graph->counts[number] < LIMIT)
        graph->counts[number]++;
    return 0;
}

int py_graph_build(struct py_graph *graph, const struct py_generations *generations)
{
    *graph = (struct py_graph){.type_offset = generations->type_offset};
    if (number_objects(graph, generations) != 0)
        return -1;
    struct py_graph_cursor cursor = {.next = 0};
    uint32_t number;
    PyObject *object;
    while ((object = py_graph_next(graph, &cursor, &number)) != NULL)
        py_graph_traverse(graph, object, count_reference, graph);
    return 0;
}

void py_graph_clear(struct py_graph *graph)
{
    address_index_clear(&graph->objects);
    address_index_clear(&graph->frozen);
    memory_free(graph->counts);
    *graph = (struct py_graph){0};
}

PyObject *py_graph_next(const struct py_graph *graph, struct py_graph_cursor *cursor,
                        uint32_t *number)
{
    *number = cursor->next;
    if (cursor->next == graph->count)
        return NULL;
    if (cursor->next == graph->objects.count)
        cursor->cursor = (struct address_cursor){0};
    cursor->next++;
    return (PyObject *)address_index_next(
        py_graph_is_frozen(graph, *number) ? &graph->frozen : &graph->objects, &cursor->cursor);
}

PyObject *py_graph_object(const struct py_graph *graph, uint32_t number)
{
    if (!py_graph_is_frozen(graph, number))
        return (PyObject *)address_index_at(&graph->objects, number);
    return (PyObject *)address_index_at(&graph->frozen, number - graph->objects.count);
}

void py_graph_unmark(struct py_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++)
        graph->counts[i] &= ~PY_GRAPH_MARK;
}

/* ---- Facts about one object ---- */

bool py_graph_is_held_outside(const struct py_graph *graph, const PyObject *object, uint32_t number)
{
    /* The lower half of ob_refcnt, which is all of it from 3.12 on. */
    uint32_t references;
    memcpy(&references, py_graph_field(object, graph->type_offset - 8), sizeof(references));
    return references > (graph->counts[number] & ~PY_GRAPH_MARK);
}

PyObject *py_graph_native_class(const struct py_graph *graph, PyObject *class)
{
    while (word_of(class, graph->type_offset + PY_TP_TRAVERSE_OFFSET) == python_traverse) {
        PyObject *base = word_of(class, graph->type_offset + PY_TP_BASE_OFFSET);
        if (base == NULL)
            break;
        class = base;
    }
    return class;
}

const char *py_graph_class_name(const struct py_graph *graph, const PyObject *class)
{
    return word_of(class, graph->type_offset + PY_TP_NAME_OFFSET);
}

unsigned long py_graph_class_flags(const struct py_graph *graph, const PyObject *class)
{
    unsigned long flags;
    memcpy(&flags, py_graph_field(class, graph->type_offset + PY_TP_FLAGS_OFFSET), sizeof(flags));
    return flags;
}

bool py_graph_is_class(const struct py_graph *graph, const PyObject *object)
{
    const unsigned long TYPE_SUBCLASS = 1ul << 31;
    return (py_graph_class_flags(graph, py_graph_class(graph, object)) & TYPE_SUBCLASS) != 0;
}
