/* SPDX-License-Identifier: MIT
 *
 * The heap of a free-threaded build, visited with every other thread stopped
 * (PyUnstable_GC_VisitObjects, Python/gc_free_threading.c, 3.13 and later).
 *
 * gc.get_objects() would hand out references to lists and tuples that another thread is just
 * building and takes for its own: debug builds abort then (ensure_shared_on_resize() of
 * Objects/listobject.c), _PyTuple_Resize() raises SystemError in 3.13, and list.__sizeof__ reads an
 * array that the other thread may have freed. Here neither is ever referenced.
 */
#ifndef MEMPROF_PY_VISIT_H
#define MEMPROF_PY_VISIT_H

#include "census.h"
#include "py_api.h"

#include <stdbool.h>

/* Whether the visit meets objects that we make, once each, and the collector's bits and the sizes
 * of lists stand where they are looked for. `type_offset` as in py_generations.h. GIL (an attached
 * thread state). */
bool py_visit_is_proven(size_t type_offset);

/* Counts and sizes every object of gc.get_objects() into the empty `census`, whose classes are
 * referenced for the caller. A __sizeof__ written in Python runs when the others run again. 0, or
 * -1 when out of memory. GIL. */
int py_visit_count(struct census *census, size_t type_offset);

#endif
