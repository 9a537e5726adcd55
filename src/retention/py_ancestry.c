/* SPDX-License-Identifier: MIT
 *
 * A breadth-first search per kind of root, one after the other. Invariant: an object is in the
 * queue, or has been, if and only if it has a parent.
 *
 * Deques and the caches of functools are followed last: most of them are bounded, and what they
 * hold is often only passing through. Were the newest messages of a bot found in its short cache,
 * nobody would learn of the list, further away, that keeps them for good.
 */
#include "retention/py_ancestry.h"

#include "memory.h"
#include "retention/py_frame.h"

struct outside {
    PyObject *object;
    enum py_root kind;
};

struct search {
    struct py_ancestry *ancestry;
    const struct py_graph *graph;
    PyObject **queue; /* from `head` to `tail`: reached, and still to be followed */
    size_t head, tail, capacity;
    const PyObject *passage_classes[2]; /* of what is followed last; NULL where nothing can be */
    PyObject **passages;                /* reached, and to be followed when the queue is empty */
    size_t passage_count, passage_capacity;
    uint32_t parent; /* of what is reached now */
    PyObject *frame; /* whose locals are reached now */
    struct outside *outside;
    size_t outside_count, outside_capacity;
    int status;
};

/* ---- The search ---- */

static void enqueue(struct search *search, PyObject *object)
{
    if (search->tail == search->capacity && search->head > search->capacity / 2) {
        search->tail -= search->head;
        memmove(search->queue, search->queue + search->head, search->tail * sizeof(PyObject *));
        search->head = 0;
    }
    PyObject **queue =
        memory_room(search->queue, search->tail, &search->capacity, sizeof(PyObject *));
    if (queue == NULL) {
        search->status = -1;
        return;
    }
    search->queue = queue;
    search->queue[search->tail++] = object;
}

static int reach(PyObject *object, void *argument)
{
    struct search *search = argument;
    uint32_t number = py_graph_number(search->graph, object);
    if (number == PY_GRAPH_NONE || search->ancestry->parents[number] != PY_ANCESTRY_NONE)
        return 0;
    search->ancestry->parents[number] = search->parent;
    __builtin_prefetch(object);
    enqueue(search, object);
    return 0;
}

static bool is_passage(const struct search *search, const PyObject *object)
{
    const PyObject *class = py_graph_class(search->graph, object);
    return class == search->passage_classes[0] || class == search->passage_classes[1];
}

static void postpone(struct search *search, PyObject *object)
{
    PyObject **passages = memory_room(search->passages, search->passage_count,
                                      &search->passage_capacity, sizeof(PyObject *));
    if (passages == NULL) {
        search->status = -1;
        return;
    }
    search->passages = passages;
    passages[search->passage_count++] = object;
}

static void follow_object(struct search *search, PyObject *object)
{
    search->parent = py_graph_number(search->graph, object);
    py_graph_traverse(search->graph, object, reach, search);
}

static void follow(struct search *search)
{
    while (search->head < search->tail && search->status == 0) {
        PyObject *object = search->queue[search->head++];
        if (is_passage(search, object))
            postpone(search, object);
        else
            follow_object(search, object);
    }
    search->head = search->tail = 0;
}

/* All those that were reached at once: of those that they lead to none is nearer than another. */
static void follow_passages(struct search *search)
{
    while (search->passage_count > 0 && search->status == 0) {
        for (size_t i = 0; i < search->passage_count; i++)
            follow_object(search, search->passages[i]);
        search->passage_count = 0;
        follow(search);
    }
}

/* A class of a module of C code, or NULL where that was not imported. */
static const PyObject *class_in(const char *module_name, const char *name)
{
    PyObject *module = py_dict_item(py.PyImport_GetModuleDict(), module_name);
    if (module == NULL || py_class_of(module) != py.PyModule_Type)
        return NULL;
    return py_dict_item(py.PyModule_GetDict(module), name);
}

/* ---- Roots ---- */

static void reach_modules(struct search *search)
{
    PyObject *modules = py.PyImport_GetModuleDict();
    PyObject *name, *module;
    ssize_t position = 0;
    search->parent = PY_ANCESTRY_ROOT | PY_ROOT_MODULE;
    /* What the program has made goes before what it has imported. */
    module = py_dict_item(modules, "__main__");
    if (module != NULL)
        reach(module, search);
    while (py.PyDict_Next(modules, &position, &name, &module))
        reach(module, search);
    follow(search);
}

static enum py_root kind_of(const struct py_graph *graph, const PyObject *object)
{
    const PyObject *class = py_graph_class(graph, object);
    if (py_graph_is_class(graph, object))
        return PY_ROOT_CLASS;
    if (class == py.PyFrame_Type)
        return PY_ROOT_FRAME;
    if (class == py.PyGen_Type || class == py.PyCoro_Type || class == py.PyAsyncGen_Type)
        return PY_ROOT_COROUTINE;
    return class == py.PyContext_Type ? PY_ROOT_CONTEXT : PY_ROOT_OUTSIDE;
}

static void note_outside(struct search *search, PyObject *object)
{
    struct outside *outside = memory_room(search->outside, search->outside_count,
                                          &search->outside_capacity, sizeof(*outside));
    if (outside == NULL) {
        search->status = -1;
        return;
    }
    search->outside = outside;
    outside[search->outside_count++] = (struct outside){object, kind_of(search->graph, object)};
}

/* What is held from outside, or frozen, and not yet reached. */
static void find_outside(struct search *search)
{
    const struct py_graph *graph = search->graph;
    struct py_graph_cursor cursor = {.next = 0};
    uint32_t number;
    PyObject *object;
    while ((object = py_graph_next(graph, &cursor, &number)) != NULL) {
        if (search->ancestry->parents[number] == PY_ANCESTRY_NONE &&
            (py_graph_is_frozen(graph, number) || py_graph_is_held_outside(graph, object, number)))
            note_outside(search, object);
    }
}

static void reach_outside(struct search *search, enum py_root kind)
{
    search->parent = PY_ANCESTRY_ROOT | kind;
    for (size_t i = 0; i < search->outside_count; i++) {
        if (search->outside[i].kind == kind)
            reach(search->outside[i].object, search);
    }
    follow(search);
}

static int reach_local(void *argument, PyObject *name, PyObject *value)
{
    struct search *search = argument;
    struct py_ancestry *ancestry = search->ancestry;
    uint32_t number = py_graph_number(search->graph, value);
    if (number == PY_GRAPH_NONE || ancestry->parents[number] != PY_ANCESTRY_NONE)
        return 0;
    size_t capacity = ancestry->local_capacity;
    struct py_local *locals =
        memory_room(ancestry->locals, ancestry->local_count, &capacity, sizeof(*locals));
    if (locals == NULL)
        return -1;
    ancestry->locals = locals;
    ancestry->local_capacity = (uint32_t)capacity;
    search->parent = PY_ANCESTRY_ROOT | (PY_ROOT_LOCAL + ancestry->local_count);
    py.Py_IncRef(search->frame);
    py.Py_IncRef(name);
    PyObject *code = py_frame_code(search->frame);
    locals[ancestry->local_count++] = (struct py_local){search->frame, code, name};
    reach(value, search);
    return 0;
}

static void reach_locals(void *argument, PyObject *frame)
{
    struct search *search = argument;
    search->frame = frame;
    if (py_frame_each_local(frame, reach_local, search) != 0)
        search->status = -1;
}

static void reach_all(struct search *search)
{
    reach_modules(search);
    find_outside(search);
    reach_outside(search, PY_ROOT_CLASS);
    py_frame_each_running(reach_locals, search);
    follow(search);
    for (enum py_root kind = PY_ROOT_FRAME; kind <= PY_ROOT_OUTSIDE; kind++)
        reach_outside(search, kind);
    follow_passages(search);
}

/* ---- The whole ---- */

int py_ancestry_build(struct py_ancestry *ancestry, const struct py_graph *graph)
{
    struct search search = {.ancestry = ancestry, .graph = graph};
    size_t bytes = (size_t)graph->count * sizeof(*ancestry->parents);
    *ancestry = (struct py_ancestry){.graph = graph, .parents = memory_allocate(bytes)};
    if (ancestry->parents == NULL)
        return -1;
    memset(ancestry->parents, 0xff, bytes);
    search.passage_classes[0] = class_in("_collections", "deque");
    search.passage_classes[1] = class_in("_functools", "_lru_cache_wrapper");
    reach_all(&search);
    memory_free(search.queue);
    memory_free(search.passages);
    memory_free(search.outside);
    return search.status;
}

void py_ancestry_clear(struct py_ancestry *ancestry)
{
    for (uint32_t i = 0; i < ancestry->local_count; i++) {
        py.Py_DecRef(ancestry->locals[i].frame);
        py_release(ancestry->locals[i].code);
        py.Py_DecRef(ancestry->locals[i].name);
    }
    memory_free(ancestry->locals);
    memory_free(ancestry->parents);
    *ancestry = (struct py_ancestry){0};
}

enum py_root py_ancestry_root(uint32_t parent)
{
    uint32_t root = parent & ~PY_ANCESTRY_ROOT;
    return root < PY_ROOT_LOCAL ? (enum py_root)root : PY_ROOT_LOCAL;
}

const struct py_local *py_ancestry_local(const struct py_ancestry *ancestry, uint32_t parent)
{
    return &ancestry->locals[(parent & ~PY_ANCESTRY_ROOT) - PY_ROOT_LOCAL];
}
