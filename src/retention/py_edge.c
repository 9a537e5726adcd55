/* SPDX-License-Identifier: MIT
 *
 * A name is found by looking, among what an object is known to refer to, for the object that it
 * is. Some references are not worth a name of their own: from an instance to the dict of its
 * attributes, from a variable to the cell that it is kept in.
 */
#include "retention/py_edge.h"

#include "retention/py_attribute.h"
#include "retention/py_container.h"
#include "retention/py_frame.h"
#include "retention/py_key.h"
#include "py_name.h"

struct chain {
    struct text *text;
    const struct py_graph *graph;
    PyObject *const *objects;
    size_t count, at, fan;
    const PyObject *namespace; /* a dict whose keys are attributes */
};

static PyObject *object_at(const struct chain *chain, size_t index)
{
    return index < chain->count ? chain->objects[index] : NULL;
}

static bool has_class(const struct chain *chain, const PyObject *object, const PyObject *class)
{
    return object != NULL && py_graph_class(chain->graph, object) == class;
}

static bool is_made_from(const struct chain *chain, const PyObject *object, const char *class)
{
    PyObject *native = py_graph_native_class(chain->graph, py_graph_class(chain->graph, object));
    return strncmp(py_graph_class_name(chain->graph, native), class, strlen(class)) == 0;
}

static bool is_fanning(const struct chain *chain)
{
    return chain->at + 1 >= chain->fan;
}

/* ---- Containers ---- */

static bool add_index(struct chain *chain, PyObject *sequence, const PyObject *item)
{
    enum py_container kind = py_container_of(chain->graph, sequence);
    ssize_t count = py_graph_item_count(chain->graph, sequence);
    for (ssize_t i = 0; i < count; i++) {
        PyObject *found = kind == PY_CONTAINER_LIST ? py.PyList_GetItem(sequence, i)
                                                    : py.PyTuple_GetItem(sequence, i);
        if (found != item)
            continue;
        text_add(chain->text, is_fanning(chain) ? "[*]" : "[%zd]", i);
        return true;
    }
    py_clear_error();
    return false;
}

static bool add_key(struct chain *chain, PyObject *dict, const PyObject *value)
{
    PyObject *key, *found;
    ssize_t position = 0;
    while (py.PyDict_Next(dict, &position, &key, &found)) {
        if (key != value && found != value)
            continue;
        if (found != value) {
            text_add(chain->text, ".keys()[*]");
        } else if (is_fanning(chain)) {
            text_add(chain->text, "[*]");
        } else {
            text_add(chain->text, "[");
            py_key_add(chain->text, key);
            text_add(chain->text, "]");
        }
        return true;
    }
    return false;
}

/* The slots of a deque's class are asked, not those of one made from it. */
static bool add_place(struct chain *chain, PyObject *deque, const PyObject *item)
{
    enum { COUNT_LIMIT = 1000 }; /* each item is looked for from one of the ends */
    PyObject *class = py_graph_class(chain->graph, deque);
    ssize_t count = py_graph_item_count(chain->graph, deque);
    if (class != py_graph_native_class(chain->graph, class) || count > COUNT_LIMIT)
        return false;
    for (ssize_t i = 0; i < count && !is_fanning(chain); i++) {
        PyObject *found = py.PySequence_GetItem(deque, i);
        py_release(found);
        if (found == item) {
            text_add(chain->text, "[%zd]", i);
            return true;
        }
    }
    py_clear_error();
    return false;
}

static bool add_item(struct chain *chain, PyObject *holder, const PyObject *item)
{
    switch (py_container_of(chain->graph, holder)) {
    case PY_CONTAINER_LIST:
    case PY_CONTAINER_TUPLE:
        return add_index(chain, holder, item);
    case PY_CONTAINER_DICT:
        return add_key(chain, holder, item);
    case PY_CONTAINER_DEQUE:
        return add_place(chain, holder, item);
    default:
        return false;
    }
}

/* What only a container can refer to, after its attributes have been looked through. */
static bool add_member(struct chain *chain, PyObject *holder, const PyObject *value)
{
    enum py_container kind = py_container_of(chain->graph, holder);
    if (kind == PY_CONTAINER_LRU_CACHE)
        text_add(chain->text,
                 value == py_container_cache(chain->graph, holder) ? ".<cache>" : ".<cache>[*]");
    else if (kind == PY_CONTAINER_SET || kind == PY_CONTAINER_DEQUE)
        text_add(chain->text, "[*]");
    return kind == PY_CONTAINER_LRU_CACHE || kind == PY_CONTAINER_SET || kind == PY_CONTAINER_DEQUE;
}

/* ---- Variables ---- */

static void add_variable(struct chain *chain, const char *before, PyObject *name)
{
    text_add(chain->text, "%s['", before);
    py_name_add(chain->text, name);
    text_add(chain->text, "']");
}

struct variable {
    struct chain *chain;
    const PyObject *value;
};

static int add_if_same(void *context, PyObject *name, PyObject *value)
{
    struct variable *variable = context;
    if (value != variable->value)
        return 0;
    add_variable(variable->chain, ".f_locals", name);
    return 1;
}

/* A local variable, which may be in a cell. Returns how many references that names. */
static size_t add_local(struct chain *chain, PyObject *frame)
{
    PyObject *target = object_at(chain, chain->at + 1);
    size_t used = 1;
    if (has_class(chain, target, py.PyCell_Type)) {
        target = object_at(chain, chain->at + 2);
        used = 2;
    }
    struct variable variable = {chain, target};
    return target != NULL && py_frame_each_local(frame, add_if_same, &variable) == 1 ? used : 0;
}

/* Where the frame of a generator or coroutine stands, or of a frame itself; NULL of others. */
static const char *frame_of(const struct chain *chain, const PyObject *holder)
{
    PyObject *class = py_graph_class(chain->graph, holder);
    if (class == py.PyFrame_Type)
        return "";
    if (class == py.PyGen_Type)
        return ".gi_frame";
    if (class == py.PyCoro_Type)
        return ".cr_frame";
    return class == py.PyAsyncGen_Type ? ".ag_frame" : NULL;
}

static size_t add_local_of_generator(struct chain *chain, PyObject *generator)
{
    const char *place = frame_of(chain, generator);
    PyObject *value = object_at(chain, chain->at + 1), *name = NULL;
    if (place != NULL)
        name = py_frame_variable_of_generator(chain->graph, generator, value);
    if (name == NULL)
        return 0;
    text_add(chain->text, "%s", place);
    add_variable(chain, ".f_locals", name);
    py_release(name);
    bool is_in_cell =
        has_class(chain, value, py.PyCell_Type) && object_at(chain, chain->at + 2) != NULL;
    return is_in_cell ? 2 : 1;
}

/* A variable of a function from around it: the function, a tuple of cells, a cell, its content. */
static size_t add_free_variable(struct chain *chain, PyObject *function)
{
    PyObject *cells = object_at(chain, chain->at + 1), *cell = object_at(chain, chain->at + 2);
    if (cell == NULL || py.PyFunction_GetClosure(function) != cells)
        return 0;
    PyObject *names = py_attribute(py.PyFunction_GetCode(function), "co_freevars");
    ssize_t count = names != NULL ? py.PySequence_Size(names) : 0;
    size_t used = 0;
    for (ssize_t i = 0; i < count && used == 0; i++) {
        if (py.PyTuple_GetItem(cells, i) != cell)
            continue;
        add_variable(chain, ".__closure__", py.PyTuple_GetItem(names, i));
        used = object_at(chain, chain->at + 3) != NULL ? 3 : 2;
    }
    py_clear_error();
    py_release(names);
    return used;
}

static size_t add_function_variable(struct chain *chain, PyObject *holder)
{
    if (has_class(chain, holder, py.PyFunction_Type))
        return add_free_variable(chain, holder);
    if (has_class(chain, holder, py.PyFrame_Type))
        return add_local(chain, holder);
    return add_local_of_generator(chain, holder);
}

/* ---- Context variables: Python/hamt.c ---- */

struct neighbours {
    const struct py_graph *graph;
    const PyObject *value;
    PyObject *last;
    PyObject *key;
    bool is_next;
};

/* A node refers to its values and their keys in turn, the value first. */
static int note_key(PyObject *object, void *argument)
{
    struct neighbours *found = argument;
    bool is_variable = py_graph_class(found->graph, object) == py.PyContextVar_Type;
    if (found->is_next && is_variable)
        found->key = object;
    else if (object == found->value && found->last != NULL && found->key == NULL &&
             py_graph_class(found->graph, found->last) == py.PyContextVar_Type)
        found->key = found->last;
    found->is_next = object == found->value;
    found->last = object;
    return 0;
}

static bool add_context_variable(struct chain *chain, PyObject *node, const PyObject *value)
{
    if (is_made_from(chain, value, "hamt"))
        return true;
    struct neighbours found = {.graph = chain->graph, .value = value};
    py_graph_traverse(chain->graph, node, note_key, &found);
    PyObject *name = found.key != NULL ? py_attribute(found.key, "name") : NULL;
    if (name != NULL) {
        text_add(chain->text, "[");
        py_key_add(chain->text, name);
        text_add(chain->text, "]");
    }
    py_release(name);
    return name != NULL;
}

/* ---- One step ---- */

static bool is_dict(const struct chain *chain, const PyObject *object)
{
    return object != NULL && py_container_of(chain->graph, object) == PY_CONTAINER_DICT;
}

/* A threading.local refers to a dict of the dicts that hold its attributes, one per thread
 * (Modules/_threadmodule.c). */
static bool is_local_of_threads(struct chain *chain, PyObject *holder, PyObject *value)
{
    if (!is_made_from(chain, holder, "_thread._local") || !is_dict(chain, value))
        return false;
    PyObject *inner = object_at(chain, chain->at + 2);
    if (!is_dict(chain, inner) || object_at(chain, chain->at + 3) == NULL)
        return false;
    chain->namespace = inner;
    return true;
}

/* The dict of an instance's attributes is passed over, unless it is what is asked for. */
static bool is_passed_over(struct chain *chain, PyObject *holder, PyObject *value)
{
    if (!is_dict(chain, value) || object_at(chain, chain->at + 2) == NULL)
        return false;
    PyObject *dict = py_attribute_dict(chain->graph, holder);
    bool is_namespace = dict == value;
    py_release(dict);
    if (is_namespace)
        chain->namespace = value;
    return is_namespace;
}

static void add_rest(struct chain *chain, PyObject *holder, PyObject *value)
{
    if (value == py_graph_class(chain->graph, holder)) {
        text_add(chain->text, ".__class__");
        return;
    }
    PyObject *dict = is_dict(chain, value) ? py_attribute_dict(chain->graph, holder) : NULL;
    bool is_namespace = dict != NULL && dict == value;
    py_release(dict);
    if (is_namespace)
        text_add(chain->text, ".__dict__");
    else if (has_class(chain, value, py.PyContext_Type))
        text_add(chain->text, ".<context>");
    else if (frame_of(chain, holder) != NULL)
        text_add(chain->text, "%s.<stack>", frame_of(chain, holder));
    else if (!has_class(chain, holder, py.PyContext_Type) || !is_made_from(chain, value, "hamt"))
        text_add(chain->text, ".?");
}

/* Names the next reference, or more where they belong together. Returns how many. */
static size_t step(struct chain *chain)
{
    PyObject *holder = chain->objects[chain->at], *value = chain->objects[chain->at + 1];
    bool has_items = py_container_of(chain->graph, holder) != PY_CONTAINER_NONE;
    if (chain->at + 1 == chain->fan && (holder == chain->namespace || !has_items)) {
        text_add(chain->text, ".*");
        return 1;
    }
    if (holder == chain->namespace) {
        if (!py_attribute_add_key(chain->text, holder, value) && !add_key(chain, holder, value))
            add_rest(chain, holder, value);
        return 1;
    }
    if (is_local_of_threads(chain, holder, value))
        return 2;
    if (is_passed_over(chain, holder, value) || add_item(chain, holder, value))
        return 1;
    if (is_made_from(chain, holder, "hamt") && add_context_variable(chain, holder, value))
        return 1;
    size_t used = add_function_variable(chain, holder);
    if (used > 0)
        return used;
    if (!py_attribute_add(chain->text, chain->graph, holder, value) &&
        !add_member(chain, holder, value))
        add_rest(chain, holder, value);
    return 1;
}

void py_edge_add_all(struct text *text, const struct py_graph *graph, PyObject *const *objects,
                     size_t count, size_t fan)
{
    struct chain chain = {
        .text = text, .graph = graph, .objects = objects, .count = count, .fan = fan};
    while (chain.at + 1 < count)
        chain.at += step(&chain);
}

bool py_edge_may_be_namespace(const struct py_graph *graph, PyObject *owner, PyObject *dict)
{
    if (py_container_of(graph, dict) != PY_CONTAINER_DICT ||
        py_container_of(graph, owner) != PY_CONTAINER_NONE)
        return false;
    PyObject *key, *value;
    ssize_t position = 0;
    return py.PyDict_Next(dict, &position, &key, &value) && py_key_is_identifier(key);
}
