/* SPDX-License-Identifier: MIT
 *
 * The newest objects of some classes.
 */
#ifndef MEMPROF_PY_SAMPLE_H
#define MEMPROF_PY_SAMPLE_H

#include "holders.h"
#include "py_size.h"
#include "retention/py_ancestry.h"

#define PY_SAMPLE_SIZE 50
#define PY_SAMPLE_LARGEST 4

/* An object to be asked who holds it. Borrowed. */
struct py_sampled {
    PyObject *object; /* a tracked one: itself, or the nearest that holds it */
    /* Of one that is not tracked the end of the way from there: what `object` refers to and what
     * refers to it, if there are such, and then it itself. NULL for no more. */
    PyObject *below[3];
};

struct py_sample {
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

/* Fills `count` samples of zeros, one for each wish. Objects that no root reaches are taken where a
 * root reaches none. 0, or -1 when out of memory. Runs no Python code. GIL. */
int py_sample_take(struct py_sample *samples, const struct held_wish *wishes, size_t count,
                   const struct py_ancestry *ancestry, const struct py_generations *generations);

/* Writes at most PY_SAMPLE_SIZE objects, the newest or the largest first as wished, and returns how
 * many. Of the latter only those that are at least half as large as the first. */
uint32_t py_sample_objects(const struct py_sample *sample, const struct held_wish *wish,
                           struct py_sampled *objects);

/* How many of its newest objects a wish is for, up to PY_SAMPLE_SIZE. */
uint32_t py_sample_limit(const struct held_wish *wish);

#endif
