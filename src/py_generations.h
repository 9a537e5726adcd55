/* SPDX-License-Identifier: MIT
 *
 * The collector's own lists of tracked objects, for walking them in place: no list of a million
 * references is made and no reference count is touched, so the pause is a tenth of what
 * gc.get_objects() costs.
 */
#ifndef MEMPROF_PY_GENERATIONS_H
#define MEMPROF_PY_GENERATIONS_H

#include "py_api.h"

#include <stdbool.h>

/* PyGC_Head of Include/internal/pycore_gc.h; the low bits of both words hold flags. The heads of
 * lists stand at odd multiples of four in Debian's 3.13, which has a patch for m68k. */
struct __attribute__((packed, aligned(4))) py_gc_head {
    uintptr_t next;
    uintptr_t previous;
};

enum { PY_GENERATION_COUNT = 3 };

struct py_generations {
    struct py_gc_head *heads[PY_GENERATION_COUNT];
    struct py_gc_head *frozen; /* what gc.freeze() has set aside, or NULL where it is not known */
    size_t type_offset;        /* of ob_type in an object, with ob_size behind it; 0: not known */
};

enum py_generations_result {
    PY_GENERATIONS_FOUND,
    PY_GENERATIONS_NONE,   /* a free-threaded build, which has no such lists */
    PY_GENERATIONS_UNKNOWN /* a proof failed: a version that we do not know */
};

/* Finds the lists and proves that they are what they are taken for: the thresholds behind the heads
 * are those of gc.get_threshold(), every list closes, and together they hold as many objects as
 * gc.get_objects(). The list of frozen objects, none of them, stands where CPython has it and holds
 * as many as gc.get_freeze_count(). `type_offset`, proven with objects of known classes and sizes,
 * may be known where the lists are not. GIL. */
enum py_generations_result py_generations_find(struct py_generations *generations, PyObject *gc);

static inline struct py_gc_head *py_gc_next(const struct py_gc_head *head)
{
    return (struct py_gc_head *)(head->next & ~(uintptr_t)3);
}

/* Valid between collections, while the GIL is held: a collection keeps counts there. */
static inline struct py_gc_head *py_gc_previous(const struct py_gc_head *head)
{
    return (struct py_gc_head *)(head->previous & ~(uintptr_t)3);
}

static inline PyObject *py_gc_object(struct py_gc_head *head)
{
    return (PyObject *)(head + 1);
}

#endif
