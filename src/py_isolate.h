/* SPDX-License-Identifier: MIT
 *
 * Makes the interpreter of a twin (twin.h) safe to ask.
 */
#ifndef MEMPROF_PY_ISOLATE_H
#define MEMPROF_PY_ISOLATE_H

/* Whether py_isolate() can be called. Needs no GIL. */
int py_isolate_is_possible(void);

/* Python's allocators give memory of memory.h from now on, and take none back that they did not
 * give: no lock of malloc() or tracemalloc that another thread held is waited for, and the pages of
 * Python's heap stay shared. In a twin only; it cannot be undone. GIL. */
void py_isolate(void);

#endif
