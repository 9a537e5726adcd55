/* SPDX-License-Identifier: MIT
 *
 * Who holds the objects of a class: the newest of them are asked for the shortest chain of
 * references from a root, and the chains that most have in common are told.
 */
#ifndef MEMPROF_PY_RETENTION_H
#define MEMPROF_PY_RETENTION_H

#include "holders.h"
#include "py_graph.h"

/* Prepares for py_retention_find(). 0, or -1: then it must not be called. Where Python code runs.
 * GIL.
 */
int py_retention_begin(void);

/* Gives up what py_retention_begin() keeps. GIL. */
void py_retention_end(void);

/* Finds the holders of the classes that have one of the fully-qualified names of `wishes`. Takes
 * all marks of the graph away and leaves others; nothing may be traversed afterwards. Besides the
 * graph about 20 bytes of memory.h per object, and a second for a few million objects, more where
 * there are many classes. Runs no Python code, but makes objects: in a twin only. 0, or -1 when out
 * of memory; clear `holders` in any case. GIL. */
int py_retention_find(struct py_graph *graph, const struct py_generations *generations,
                      const struct held_wish *wishes, size_t wish_count, struct holders *holders);

#endif
