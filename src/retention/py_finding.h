/* SPDX-License-Identifier: MIT
 *
 * Who holds the objects of one class: the chains of references that most of them have in common.
 */
#ifndef MEMPROF_PY_FINDING_H
#define MEMPROF_PY_FINDING_H

#include "retention/py_hoard.h"
#include "retention/vote.h"

#define PY_FINDING_LIMIT 4 /* holders told of one class */
#define PY_CHAIN_LIMIT 8   /* objects of a group whose chains are compared */
#define PY_FINDING_NO_FAN SIZE_MAX

/* One object's chain: from the root to it, or to the head of a linked structure that has it. */
struct py_chain {
    PyObject *objects[VOTE_DEPTH_LIMIT + 3];
    size_t count;
};

/* A group. Below the object where they fan out each goes its own way, so more than one is kept. */
struct py_finding {
    struct py_chain chains[PY_CHAIN_LIMIT];
    size_t chain_count;
    /* How many objects of each they have in common: they fan out from the last of these, or, with
     * none, from roots of one kind. PY_FINDING_NO_FAN where they do not. */
    size_t fan;
    uint32_t root;  /* an entry of py_ancestry.h */
    uint64_t share; /* of the objects asked */
    bool is_linked;
    uint64_t retained_bytes; /* 0 at first */
};

/* A class that is asked about. `findings` and what follows is set by py_finding_find(). */
struct py_subject {
    const struct held_wish *wish;
    struct py_sample sample;
    const struct py_hoard *hoard; /* where none of its objects is tracked, or NULL */
    struct py_finding findings[PY_FINDING_LIMIT];
    size_t finding_count;
    uint64_t asked;  /* objects of the sample, or of all hoards */
    bool is_counted; /* it is of all hoards */
};

/* Finds them, the largest share first. Runs no Python code. GIL. */
void py_finding_find(struct py_subject *subject, const struct py_ancestry *ancestry);

/* The object where they fan out, which all chains have. There must be one. */
PyObject *py_finding_point(const struct py_finding *finding);

#endif
