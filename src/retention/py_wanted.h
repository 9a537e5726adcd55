/* SPDX-License-Identifier: MIT
 *
 * Which of the classes that somebody asks for an object is of, told once per class.
 */
#ifndef MEMPROF_PY_WANTED_H
#define MEMPROF_PY_WANTED_H

#include "census.h"
#include "holders.h"
#include "py_api.h"

#define PY_WANTED_NONE UINT32_MAX

/* `wishes` and their number and zero is the beginning. */
struct py_wanted {
    const struct held_wish *wishes;
    size_t count;
    struct census classes; /* an entry's note is 1 and the place of its wish, or 0 */
    const PyObject *last_class;
    uint32_t last_place;
};

/* Finds the place of the wish for the objects of a class, or PY_WANTED_NONE. 0, or -1 when out of
 * memory. Runs no Python code. GIL. */
int py_wanted_look(struct py_wanted *wanted, PyObject *class);

/* The same, in `last_place`, for an object of the same class as the one before it without a call.
 */
static inline int py_wanted_find(struct py_wanted *wanted, PyObject *class)
{
    return class == wanted->last_class ? 0 : py_wanted_look(wanted, class);
}

void py_wanted_clear(struct py_wanted *wanted);

#endif
