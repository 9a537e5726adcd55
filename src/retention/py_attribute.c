/* SPDX-License-Identifier: MIT
 *
 * What a class defines is read from its dict, and of that only two kinds of descriptors are
 * followed: members, which are pointers at a known place in the object, and of the getters only
 * those named below, which do nothing but return what the object refers to. Those that raise an
 * audit event, which hooks in Python would see, are not called.
 */
#include "retention/py_attribute.h"

#include "retention/py_key.h"
#include "py_name.h"

/* PyMemberDescrObject and PyGetSetDescrObject of Include/cpython/descrobject.h, behind their
 * PyObject. */
struct descriptor {
    PyObject *d_type;
    PyObject *d_name;
    PyObject *d_qualname;
    const void *definition;
};

/* PyGetSetDef of Include/descrobject.h. */
struct getter {
    const char *name;
    PyObject *(*get)(PyObject *self, void *closure);
    void *set;
    const char *doc;
    void *closure;
};

/* Getters that return what the object refers to, and run no Python code and raise no audit event in
 * 3.8 to 3.15. */
static const struct {
    const char *class;
    const char *name;
} trusted[] = {
    {"BaseException", "__traceback__"},
    {"BaseException", "__context__"},
    {"BaseException", "__cause__"},
    {"BaseException", "args"},
    {"cell", "cell_contents"},
    {"traceback", "tb_next"},
    {"frame", "f_back"},
    {"frame", "f_globals"},
    {"frame", "f_trace"},
    {"generator", "gi_yieldfrom"},
    {"coroutine", "cr_await"},
    {"async_generator", "ag_await"},
    {"builtin_function_or_method", "__self__"},
    {"collections.deque", "maxlen"},
    {"_asyncio.Future", "_exception"},
    {"_asyncio.Future", "_result"},
    {"_asyncio.Task", "_coro"},
    {"_asyncio.Task", "_fut_waiter"},
};

static PyObject *get_dict; /* type.__dict__['__dict__'].__get__ */

int py_attribute_begin(void)
{
    get_dict = py_type_getter("__dict__");
    return get_dict != NULL ? 0 : -1;
}

void py_attribute_end(void)
{
    py_drop(&get_dict);
}

/* ---- Dicts ---- */

static int take(PyObject *object, void *slot)
{
    *(PyObject **)slot = object;
    return 0;
}

/* type.__dict__ is a view of it, and refers to nothing else. */
static PyObject *class_dict(const struct py_graph *graph, PyObject *class)
{
    PyObject *dict = NULL;
    PyObject *view = py.PyObject_CallFunctionObjArgs(get_dict, class, NULL);
    py_clear_error();
    if (view == NULL)
        return NULL;
    if (py_graph_class(graph, view) == py.PyDictProxy_Type)
        py_graph_traverse(graph, view, take, &dict);
    if (dict != NULL)
        py.Py_IncRef(dict);
    py.Py_DecRef(view);
    return dict;
}

PyObject *py_attribute_dict(const struct py_graph *graph, PyObject *owner)
{
    if (py_graph_is_class(graph, owner))
        return class_dict(graph, owner);
    PyObject *dict = py.PyObject_GenericGetDict(owner, NULL);
    py_clear_error();
    if (dict != NULL && (py_graph_class_flags(graph, py_graph_class(graph, dict)) & 1ul << 29) == 0)
        py_drop(&dict);
    return dict;
}

bool py_attribute_add_key(struct text *text, PyObject *dict, const PyObject *value)
{
    PyObject *key, *found;
    ssize_t position = 0;
    while (py.PyDict_Next(dict, &position, &key, &found)) {
        if (found != value)
            continue;
        bool is_name = py_key_is_identifier(key);
        text_add(text, is_name ? "." : ".__dict__[");
        if (is_name) {
            py_name_add(text, key);
        } else {
            py_key_add(text, key);
            text_add(text, "]");
        }
        return true;
    }
    return false;
}

/* ---- Descriptors ---- */

static const struct descriptor *descriptor_of(const struct py_graph *graph, const PyObject *object)
{
    return py_graph_field(object, graph->type_offset + sizeof(void *));
}

static bool is_trusted(const char *class, const char *name)
{
    for (size_t i = 0; i < sizeof(trusted) / sizeof(trusted[0]); i++) {
        if (strcmp(trusted[i].class, class) == 0 && strcmp(trusted[i].name, name) == 0)
            return true;
    }
    return false;
}

static PyObject *get_member(const struct py_member *member, PyObject *owner)
{
    PyObject *value = NULL;
    if ((member->type == PY_T_OBJECT || member->type == PY_T_OBJECT_EX) &&
        (member->flags & PY_RELATIVE_OFFSET) == 0 && member->offset > 0)
        memcpy(&value, py_graph_field(owner, (size_t)member->offset), sizeof(value));
    if (value != NULL)
        py.Py_IncRef(value);
    return value;
}

static PyObject *get_of_function(const char *name, PyObject *function)
{
    PyObject *value = NULL;
    if (strcmp(name, "__defaults__") == 0)
        value = py.PyFunction_GetDefaults(function);
    else if (strcmp(name, "__kwdefaults__") == 0)
        value = py.PyFunction_GetKwDefaults(function);
    if (value != NULL)
        py.Py_IncRef(value);
    return value;
}

/* What a descriptor of `class` gives for an instance of it; new reference, or NULL. */
static PyObject *get(const struct py_graph *graph, PyObject *class, PyObject *descriptor,
                     PyObject *owner)
{
    PyObject *kind = py_graph_class(graph, descriptor);
    if (kind != py.PyMemberDescr_Type && kind != py.PyGetSetDescr_Type)
        return NULL;
    const struct descriptor *fields = descriptor_of(graph, descriptor);
    if (fields->d_type != class)
        return NULL;
    if (kind == py.PyMemberDescr_Type)
        return get_member(fields->definition, owner);
    const struct getter *getter = fields->definition;
    if (class == py.PyFunction_Type)
        return get_of_function(getter->name, owner);
    if (!is_trusted(py_graph_class_name(graph, class), getter->name))
        return NULL;
    PyObject *value = getter->get(owner, getter->closure);
    py_clear_error();
    return value;
}

static PyObject *base_of(const struct py_graph *graph, const PyObject *class)
{
    PyObject *base;
    memcpy(&base, py_graph_field(class, graph->type_offset + PY_TP_BASE_OFFSET), sizeof(base));
    return base;
}

static bool add_from_class(struct text *text, const struct py_graph *graph, PyObject *class,
                           PyObject *owner, const PyObject *value)
{
    PyObject *dict = class_dict(graph, class);
    PyObject *name, *descriptor;
    ssize_t position = 0;
    bool is_found = false;
    while (dict != NULL && !is_found && py.PyDict_Next(dict, &position, &name, &descriptor)) {
        PyObject *found = get(graph, class, descriptor, owner);
        is_found = found == value;
        py_release(found);
    }
    if (is_found) {
        text_add(text, ".");
        py_name_add(text, name);
    }
    py_release(dict);
    return is_found;
}

/* ---- The whole ---- */

bool py_attribute_add(struct text *text, const struct py_graph *graph, PyObject *owner,
                      const PyObject *value)
{
    PyObject *dict = py_graph_is_class(graph, owner) ? NULL : py_attribute_dict(graph, owner);
    bool is_found = dict != NULL && py_attribute_add_key(text, dict, value);
    py_release(dict);
    /* Slots are along the line of bases that the layout comes from. */
    PyObject *class = py_graph_class(graph, owner);
    for (; !is_found && class != NULL; class = base_of(graph, class))
        is_found = add_from_class(text, graph, class, owner, value);
    return is_found;
}

PyObject *py_attribute_of_native(const struct py_graph *graph, PyObject *owner, const char *name)
{
    PyObject *class = py_graph_native_class(graph, py_graph_class(graph, owner));
    PyObject *dict = class_dict(graph, class);
    PyObject *descriptor = dict != NULL ? py_dict_item(dict, name) : NULL;
    PyObject *value = descriptor != NULL ? get(graph, class, descriptor, owner) : NULL;
    py_release(dict);
    return value;
}

PyObject *py_attribute_in_closure(const struct py_graph *graph, PyObject *function,
                                  const char *name)
{
    PyObject *cells = py.PyFunction_GetClosure(function);
    PyObject *names = py_attribute(py.PyFunction_GetCode(function), "co_freevars");
    PyObject *value = NULL;
    ssize_t count = names != NULL ? py.PySequence_Size(names) : 0;
    for (ssize_t i = 0; i < count && cells != NULL && value == NULL; i++) {
        const char *each = py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(names, i), NULL);
        PyObject *cell = py.PyTuple_GetItem(cells, i);
        if (each != NULL && cell != NULL && strcmp(each, name) == 0 &&
            py_graph_class(graph, cell) == py.PyCell_Type)
            value = py_attribute(cell, "cell_contents");
    }
    py_clear_error();
    py_release(names);
    return value;
}
