/* SPDX-License-Identifier: MIT
 *
 * Which tracked objects the collector would keep, without collecting anything: no finaliser and no
 * weakref callback runs, nothing is freed, no object is written to.
 */
#ifndef MEMPROF_PY_REACH_H
#define MEMPROF_PY_REACH_H

#include "py_graph.h"

/* Marks every object of the graph that gc.collect() would leave, and calls `visit`, unless it is
 * NULL, once for each that is not frozen, in no order. What is marked already counts as visited,
 * and what it refers to is not followed: that tells what an object keeps alive. Eight bytes of
 * memory.h per object at most. 0; -1 when out of memory or where `visit` has returned anything
 * else. Runs no Python code. GIL. */
int py_reach_each(struct py_graph *graph, int (*visit)(void *context, PyObject *object),
                  void *context);

#endif
