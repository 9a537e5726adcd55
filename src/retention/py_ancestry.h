/* SPDX-License-Identifier: MIT
 *
 * Who holds whom: for each tracked object one that refers to it, on a shortest way from a root. Of
 * several kinds of roots the one that comes first below wins, however long the way is; but ways
 * through deques and lru_caches come last of all. Weak references do not count.
 */
#ifndef MEMPROF_PY_ANCESTRY_H
#define MEMPROF_PY_ANCESTRY_H

#include "py_graph.h"

enum py_root {
    PY_ROOT_MODULE,    /* in sys.modules */
    PY_ROOT_CLASS,     /* a class that something besides tracked objects holds */
    PY_ROOT_FRAME,     /* a frame that C code holds */
    PY_ROOT_COROUTINE, /* or generator: one that runs or is held by C code */
    PY_ROOT_CONTEXT,   /* a contextvars.Context that is in force */
    PY_ROOT_OUTSIDE,   /* anything else that something besides tracked objects holds */
    PY_ROOT_LOCAL      /* a local variable of a function that runs: comes after PY_ROOT_CLASS */
};

/* What the table of parents says instead of an object's number. */
#define PY_ANCESTRY_ROOT ((uint32_t)1 << 31)
#define PY_ANCESTRY_NONE UINT32_MAX /* no root reaches it: garbage */

/* A local variable of a function that runs. References. */
struct py_local {
    PyObject *frame;
    PyObject *code;
    PyObject *name;
};

/* Zero is the empty ancestry. */
struct py_ancestry {
    const struct py_graph *graph;
    uint32_t *parents; /* by number */
    struct py_local *locals;
    uint32_t local_count, local_capacity;
};

/* At most 16 bytes of memory.h per object, of which four are kept. 0, or -1 when out of memory;
 * clear it in any case. Runs no Python code, but makes objects: in a twin only. GIL. */
int py_ancestry_build(struct py_ancestry *ancestry, const struct py_graph *graph);

void py_ancestry_clear(struct py_ancestry *ancestry);

/* What kind of root an entry of `parents` from PY_ANCESTRY_ROOT on is. */
enum py_root py_ancestry_root(uint32_t parent);

/* With PY_ROOT_LOCAL: which variable. */
const struct py_local *py_ancestry_local(const struct py_ancestry *ancestry, uint32_t parent);

#endif
