/* SPDX-License-Identifier: MIT
 *
 * What the collector does not see: strings, bytes, numbers and whatever else it does not track, as
 * far as tracked objects lead there, each once.
 */
#ifndef MEMPROF_PY_UNTRACKED_H
#define MEMPROF_PY_UNTRACKED_H

#include "py_graph.h"

/* `graph`, `meet` and `context` and zero is the beginning. */
struct py_untracked {
    const struct py_graph *graph;
    int (*meet)(void *context, PyObject *object); /* for the first time. 0, or -1 to end the walk */
    void *context;
    /* On the way from the object that is followed, while something is met: what that refers to
     * itself, and what refers to what is met. NULL and the object itself where nothing is between.
     */
    PyObject *item, *referrer;
    struct address_index seen[2]; /* at multiples of 16, and at those plus 8 */
    PyObject **stack;             /* met, and still to be asked what they refer to */
    size_t stack_size, stack_capacity;
    const PyObject *leaf; /* a class whose objects refer to nothing */
    int status;
};

/* Proves that the fields of type objects are where they are taken to be. 0, or -1: then nothing
 * below may be called. After py_graph_begin(). Runs no Python code. GIL. */
int py_untracked_begin(size_t type_offset);

/* Whether that has been proven. Needs no GIL. */
bool py_untracked_is_known(void);

/* Meets what is not tracked and was not yet met, of all that `object` refers to: by its
 * tp_traverse, by the keys and values of a dict, by the members that its class of C code declares;
 * and what that refers to in turn. `object` itself is not met. About a tenth of a byte of
 * memory.h per byte of the heap at most. 0, or -1 when out of memory. Runs no Python code and
 * references nothing. In a twin only. GIL. */
int py_untracked_follow(struct py_untracked *untracked, PyObject *object);

/* The same for the local variables of the functions that run: their frames are not tracked. Makes
 * objects: nothing may be traversed afterwards. GIL. */
int py_untracked_follow_running(struct py_untracked *untracked);

void py_untracked_clear(struct py_untracked *untracked);

#endif
