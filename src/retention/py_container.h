/* SPDX-License-Identifier: MIT
 *
 * Objects that hold any number of others: which kind they are, how full, and how full they can get.
 */
#ifndef MEMPROF_PY_CONTAINER_H
#define MEMPROF_PY_CONTAINER_H

#include "py_graph.h"

enum py_container {
    PY_CONTAINER_NONE,
    PY_CONTAINER_LIST,
    PY_CONTAINER_TUPLE,
    PY_CONTAINER_DICT,
    PY_CONTAINER_SET, /* and frozenset */
    PY_CONTAINER_DEQUE,
    PY_CONTAINER_LRU_CACHE
};

/* What an object is, or what its class is made from. GIL. */
enum py_container py_container_of(const struct py_graph *graph, const PyObject *object);

/* The dict of an lru_cache's results. Borrowed. GIL. */
PyObject *py_container_cache(const struct py_graph *graph, PyObject *wrapper);

/* How many items it has, whatever a __len__ of its class says. Runs no Python code. GIL. */
uint64_t py_container_length(const struct py_graph *graph, PyObject *container);

/* How many items it can have, where that can be read off: a deque's maxlen, from 3.9 on an
 * lru_cache's maxsize, or an attribute like `maxsize` of the instance that it belongs to, which
 * `owner` is, or NULL: queue.Queue and cachetools have one. 0 where there is no limit or none is
 * known. Runs no Python code, but makes objects: in a twin only, and nothing may be traversed
 * afterwards. GIL. */
uint64_t py_container_bound(const struct py_graph *graph, PyObject *container, PyObject *owner);

#endif
