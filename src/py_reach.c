/* SPDX-License-Identifier: MIT
 *
 * What is held from outside is alive, and so is what can be reached from there. The collector never
 * frees what is frozen, and takes all that it holds for held from outside. Invariant: whatever
 * is on the stack is marked.
 */
#include "py_reach.h"

#include "memory.h"

struct reach {
    struct py_graph *graph;
    PyObject **stack; /* reached, and still to be asked what they refer to */
    size_t stack_size, stack_capacity;
    int (*visit)(void *context, PyObject *object);
    void *context;
    int status;
};

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
    uint32_t number = py_graph_number(reach->graph, object);
    if (number == PY_GRAPH_NONE || !py_graph_mark(reach->graph, number))
        return 0;
    __builtin_prefetch(object);
    push(reach, object);
    return 0;
}

/* Frozen objects are none of gc.get_objects(). */
static int visit_object(const struct reach *reach, PyObject *object)
{
    const struct py_graph *graph = reach->graph;
    if (reach->visit == NULL ||
        (graph->frozen.count > 0 && py_graph_is_frozen(graph, py_graph_number(graph, object))))
        return 0;
    return reach->visit(reach->context, object);
}

static void empty_stack(struct reach *reach)
{
    while (reach->stack_size > 0 && reach->status == 0) {
        PyObject *object = reach->stack[--reach->stack_size];
        if (visit_object(reach, object) != 0)
            reach->status = -1;
        py_graph_traverse(reach->graph, object, reach_object, reach);
    }
}

int py_reach_each(struct py_graph *graph, int (*visit)(void *context, PyObject *object),
                  void *context)
{
    struct reach reach = {.graph = graph, .visit = visit, .context = context};
    struct py_graph_cursor cursor = {.next = 0};
    uint32_t number;
    PyObject *object;
    while ((object = py_graph_next(graph, &cursor, &number)) != NULL) {
        if (!py_graph_is_marked(graph, number) &&
            (py_graph_is_frozen(graph, number) ||
             py_graph_is_held_outside(graph, object, number))) {
            py_graph_mark(graph, number);
            push(&reach, object);
            empty_stack(&reach);
        }
    }
    memory_free(reach.stack);
    return reach.status;
}
