/* SPDX-License-Identifier: MIT
 *
 * Which tracked objects the collector would keep, without collecting anything: no finaliser and no
 * weakref callback runs, nothing is freed, no object is written to.
 */
#ifndef MEMPROF_PY_REACH_H
#define MEMPROF_PY_REACH_H

#include "py_generations.h"

/* Proves that the fields of type objects are where they are taken to be. 0, or -1: then
 * py_reach_each() must not be called. Runs no Python code. GIL. */
int py_reach_begin(const struct py_generations *generations);

/* Calls `visit` once for each tracked object that gc.collect() would leave, in no order. It asks
 * the tp_traverse of every tracked object, which for extension types is the code of others: for a
 * copy of the process only. About 20 bytes of memory.h per object. 0; -1 when out of memory or
 * where `visit` has returned anything else. Runs no Python code. GIL. */
int py_reach_each(const struct py_generations *generations,
                  int (*visit)(void *context, PyObject *object), void *context);

#endif
