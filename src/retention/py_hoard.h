/* SPDX-License-Identifier: MIT
 *
 * Objects that the collector does not track have neither a number nor an age. Each is held by a
 * tracked one, directly or through others like it, and belongs to the first that is found: here are
 * those that have most objects of a class, and those that are themselves the newest.
 */
#ifndef MEMPROF_PY_HOARD_H
#define MEMPROF_PY_HOARD_H

#include "retention/py_sample.h"

#define PY_HOARD_LIMIT 4

struct py_hoard {
    uint64_t objects; /* of the class, not tracked, that a root reaches */
    /* One object of each holder, of those that have most, the largest number first. What a holder
     * refers to, not tracked either, is a holder of its own. */
    struct py_sampled most[PY_HOARD_LIMIT];
    uint64_t counts[PY_HOARD_LIMIT];
    /* One object of each of the last holders in each list, in a ring, as in py_sample.h. */
    struct py_sampled last[PY_GENERATION_COUNT][PY_SAMPLE_SIZE];
    uint64_t seen[PY_GENERATION_COUNT];
    const PyObject *holder; /* that is asked now, */
    struct py_sampled current;
    uint64_t current_count; /* and what it has */
    int list;               /* where it stands */
};

/* Fills `count` hoards of zeros, one for each wish. Takes as long and as much memory.h as counting
 * what is not tracked (py_untracked.h). 0, or -1 when out of memory. Runs no Python code. In a twin
 * only. GIL. */
int py_hoard_take(struct py_hoard *hoards, const struct held_wish *wishes, size_t count,
                  const struct py_ancestry *ancestry, const struct py_generations *generations);

/* Writes one object of each of the newest holders, of as many as the wish is for, and returns how
 * many. */
uint32_t py_hoard_newest(const struct py_hoard *hoard, const struct held_wish *wish,
                         struct py_sampled *objects);

#endif
