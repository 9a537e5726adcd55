/* SPDX-License-Identifier: MIT
 *
 * The names of references as an engineer would type them: `.name`, `['key']`, `[3]`.
 */
#ifndef MEMPROF_PY_EDGE_H
#define MEMPROF_PY_EDGE_H

#include "py_graph.h"
#include "text.h"

/* Appends the names of the references from objects[0] to objects[1] and so on, of `count` objects.
 * Behind the first `fan` what stands in a container is `[*]`. What has no name is `.?`. Runs no
 * Python code, but makes objects, and may make an instance's dict: in a twin only, and nothing may
 * be traversed afterwards, because what is new has no number. GIL. */
void py_edge_add_all(struct text *text, const struct py_graph *graph, PyObject *const *objects,
                     size_t count, size_t fan);

/* Whether the attributes of `owner`, which refers to the dict, may be in it. Makes nothing. GIL. */
bool py_edge_may_be_namespace(const struct py_graph *graph, PyObject *owner, PyObject *dict);

#endif
