/* SPDX-License-Identifier: MIT
 *
 * The newest objects of some classes.
 */
#ifndef MEMPROF_PY_SAMPLE_H
#define MEMPROF_PY_SAMPLE_H

#include "py_size.h"
#include "retention/py_ancestry.h"

#define PY_SAMPLE_SIZE 50
#define PY_SAMPLE_LARGEST 4

struct py_sample {
    const char *name; /* of the class; not owned */
    uint32_t limit;   /* how many are wanted; 0 for PY_SAMPLE_SIZE */
    bool by_size;     /* the largest are wanted, not the newest */
    uint64_t objects; /* that a root reaches */
    uint64_t garbage; /* that none reaches */
    /* The last ones in each list, in a ring: the youngest list holds the newest objects, and the
     * end of a list newer ones than its beginning. */
    PyObject *last[PY_GENERATION_COUNT][PY_SAMPLE_SIZE];
    uint64_t seen[PY_GENERATION_COUNT];
    /* By size: the largest first. */
    PyObject *planned; /* the class that `plan` is of */
    struct py_size_plan plan;
    PyObject *largest[PY_SAMPLE_LARGEST];
    uint64_t sizes[PY_SAMPLE_LARGEST];
};

/* Fills `count` samples, of which only the first three members are set. Objects that no root
 * reaches are taken where a root reaches none. 0, or -1 when out of memory. Runs no Python code.
 * GIL. */
int py_sample_take(struct py_sample *samples, size_t count, const struct py_ancestry *ancestry,
                   const struct py_generations *generations);

/* Writes at most PY_SAMPLE_SIZE objects, the newest or the largest first, and returns how many. Of
 * the latter only those that are at least half as large as the first. Borrowed. */
uint32_t py_sample_objects(const struct py_sample *sample, PyObject **objects);

#endif
