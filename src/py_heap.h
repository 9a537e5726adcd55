/* SPDX-License-Identifier: MIT
 *
 * The heap as the garbage collector sees it: every object of gc.get_objects().
 */
#ifndef MEMPROF_PY_HEAP_H
#define MEMPROF_PY_HEAP_H

#include "py_api.h"
#include "snapshot.h"

#include <stdbool.h>

/* Finds the collector's lists and keeps gc.collect and gc.get_objects, as they are now, for later.
 * What an earlier life of the interpreter has left is forgotten: it died with that. 0 or -1. GIL.
 */
int py_heap_begin(void);

/* Gives up what is kept: the interpreter ends. GIL. */
void py_heap_end(void);

/* Counts and sizes every tracked object into `snapshot` (not yet ranked). With `collect`,
 * gc.collect() comes first: finalisers and weakref callbacks then run on this thread. A __sizeof__
 * written in Python runs too. 0, or -1 when out of memory. GIL. */
int py_heap_count(struct snapshot *snapshot, int collect);

/* Whether py_heap_count_in_twin() can be called. */
bool py_heap_can_be_copied(void);

/* Whether py_heap_find_holders() can be called too. */
bool py_heap_knows_holders(void);

/* Whether py_heap_count_in_twin() can also count what is not tracked. */
bool py_heap_knows_untracked(void);

/* The same in a twin (twin.h), where nothing is collected: with `collect`, what the collector would
 * find unreachable is left out. No Python code runs, so what has a __sizeof__ of its own, other
 * than CPython's, has the size that object.__sizeof__ gives. With `untracked`, what the counted
 * objects and the functions that run refer to is counted too (py_untracked.h). 0, or -1 when out of
 * memory. GIL. */
int py_heap_count_in_twin(struct snapshot *snapshot, int collect, int untracked);

/* In a twin, after that or without it: finds the holders of the objects of some classes
 * (py_retention.h). Nothing can be counted any more. 0, or -1 when out of memory. GIL. */
int py_heap_find_holders(struct holders *holders, const struct held_wish *wishes,
                         size_t wish_count);

/* The number of tracked objects, or `limit` where it is more; 0 where their lists are not to be
 * had. A few nanoseconds each. GIL. */
uint64_t py_heap_count_up_to(uint64_t limit);

/* Whether py_heap_count() has to go through gc.get_objects(), many times slower than walking the
 * collector's own lists, because this version of CPython is not known. */
bool py_heap_is_unknown(void);

#endif
