/* SPDX-License-Identifier: MIT
 *
 * Lists, tuples and dicts are told by the flags of their classes (Include/object.h), the others by
 * the class of C code that theirs is made from.
 */
#include "retention/py_container.h"

#include "retention/py_attribute.h"

static const unsigned long LIST_SUBCLASS = 1ul << 25, TUPLE_SUBCLASS = 1ul << 26,
                           DICT_SUBCLASS = 1ul << 29;

enum py_container py_container_of(const struct py_graph *graph, const PyObject *object)
{
    PyObject *class = py_graph_class(graph, object);
    unsigned long flags = py_graph_class_flags(graph, class);
    if ((flags & LIST_SUBCLASS) != 0)
        return PY_CONTAINER_LIST;
    if ((flags & TUPLE_SUBCLASS) != 0)
        return PY_CONTAINER_TUPLE;
    if ((flags & DICT_SUBCLASS) != 0)
        return PY_CONTAINER_DICT;
    PyObject *native = py_graph_native_class(graph, class);
    if (native == py.PySet_Type || native == py.PyFrozenSet_Type)
        return PY_CONTAINER_SET;
    const char *name = py_graph_class_name(graph, native);
    if (strcmp(name, "collections.deque") == 0)
        return PY_CONTAINER_DEQUE;
    return strcmp(name, "functools._lru_cache_wrapper") == 0 ? PY_CONTAINER_LRU_CACHE
                                                             : PY_CONTAINER_NONE;
}

/* ---- functools.lru_cache ---- */

struct cache {
    const struct py_graph *graph;
    PyObject *first;
    PyObject *of_links;
};

static bool holds_links(const struct py_graph *graph, PyObject *dict)
{
    PyObject *key, *value;
    ssize_t position = 0;
    return py.PyDict_Next(dict, &position, &key, &value) &&
           strcmp(py_graph_class_name(graph, py_graph_class(graph, value)),
                  "functools._lru_list_elem") == 0;
}

static int note_dict(PyObject *object, void *argument)
{
    struct cache *cache = argument;
    if (py_graph_class(cache->graph, object) != py.PyDict_Type)
        return 0;
    if (cache->first == NULL)
        cache->first = object;
    if (cache->of_links == NULL && holds_links(cache->graph, object))
        cache->of_links = object;
    return 0;
}

/* Where the size is bounded the cache is the dict of links, and the results are shown before it;
 * elsewhere it is the first dict shown (Modules/_functoolsmodule.c, lru_cache_tp_traverse). */
PyObject *py_container_cache(const struct py_graph *graph, PyObject *wrapper)
{
    struct cache cache = {.graph = graph};
    py_graph_traverse(graph, wrapper, note_dict, &cache);
    return cache.of_links != NULL ? cache.of_links : cache.first;
}

/* ---- Length and bound ---- */

uint64_t py_container_length(const struct py_graph *graph, PyObject *container)
{
    ssize_t length = -1;
    switch (py_container_of(graph, container)) {
    case PY_CONTAINER_LIST:
    case PY_CONTAINER_TUPLE:
    case PY_CONTAINER_DEQUE:
        length = py_graph_item_count(graph, container);
        break;
    case PY_CONTAINER_DICT:
        length = py.PyDict_Size(container);
        break;
    case PY_CONTAINER_SET:
        length = py.PySet_Size(container);
        break;
    case PY_CONTAINER_LRU_CACHE:
        length = py.PyDict_Size(py_container_cache(graph, container));
        break;
    case PY_CONTAINER_NONE:
        break;
    }
    py_clear_error();
    return length > 0 ? (uint64_t)length : 0;
}

/* Steals the reference; None and NULL give 0. */
static uint64_t positive(PyObject *number)
{
    if (number == py._Py_NoneStruct)
        py_drop(&number);
    long value = py_integer(number, 0);
    return value > 0 ? (uint64_t)value : 0;
}

static uint64_t maxlen_of(const struct py_graph *graph, PyObject *deque)
{
    return positive(py_attribute_of_native(graph, deque, "maxlen"));
}

/* functools.lru_cache() leaves its maxsize in a variable of the function cache_parameters(). */
static uint64_t maxsize_of(const struct py_graph *graph, PyObject *wrapper)
{
    PyObject *dict = py_attribute_dict(graph, wrapper);
    PyObject *function = dict != NULL ? py_dict_item(dict, "cache_parameters") : NULL;
    PyObject *number = NULL;
    if (function != NULL && py_graph_class(graph, function) == py.PyFunction_Type)
        number = py_attribute_in_closure(graph, function, "maxsize");
    py_release(dict);
    return positive(number);
}

/* A bound that is exceeded is none. */
static uint64_t bound_of_owner(const struct py_graph *graph, PyObject *container, PyObject *owner)
{
    static const char *const names[] = {"maxsize",  "_maxsize",  "_Cache__maxsize",
                                        "max_size", "_max_size", "maxlen"};
    PyObject *class = py_graph_class(graph, owner);
    if (class == py.PyModule_Type || py_graph_is_class(graph, owner))
        return 0;
    PyObject *dict = py_attribute_dict(graph, owner);
    uint64_t bound = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && dict != NULL && bound == 0; i++) {
        PyObject *number = py_dict_item(dict, names[i]);
        if (number == NULL || py_graph_class(graph, number) != py.PyLong_Type)
            continue;
        py.Py_IncRef(number);
        bound = positive(number);
    }
    py_release(dict);
    return bound >= py_container_length(graph, container) ? bound : 0;
}

uint64_t py_container_bound(const struct py_graph *graph, PyObject *container, PyObject *owner)
{
    uint64_t bound = 0;
    enum py_container kind = py_container_of(graph, container);
    if (kind == PY_CONTAINER_DEQUE)
        bound = maxlen_of(graph, container);
    else if (kind == PY_CONTAINER_LRU_CACHE)
        bound = maxsize_of(graph, container);
    if (bound == 0 && owner != NULL)
        bound = bound_of_owner(graph, container, owner);
    py_clear_error();
    return bound;
}
