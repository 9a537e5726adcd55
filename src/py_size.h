/* SPDX-License-Identifier: MIT
 *
 * The bytes of one object, exactly as sys.getsizeof() gives them.
 *
 * How they are found is decided once per class (struct py_size_plan), because most classes inherit
 * object.__sizeof__, which is arithmetic on three fields, and most other objects are lists and
 * dicts.
 */
#ifndef MEMPROF_PY_SIZE_H
#define MEMPROF_PY_SIZE_H

#include "py_api.h"

#include <stdbool.h>
#include <string.h>

/* Larger answers are nonsense: no object fills half of a 64-bit address space. */
#define PY_SIZE_LIMIT_BYTES ((uint64_t)1 << 47)

enum py_size_method {
    PY_SIZE_GENERAL, /* sys.getsizeof(), which may run Python code */
    PY_SIZE_ASKED,   /* the same, but known to run no Python code */
    PY_SIZE_NATIVE,  /* the C function of a __sizeof__ plus a constant: references nothing */
    PY_SIZE_COUNTED  /* a constant, plus a word of the object times another */
};

struct py_size_plan {
    enum py_size_method method;
    uint32_t item_bytes; /* 0: the constant alone */
    int64_t constant_bytes;
    size_t count_offset; /* of the word: ob_size, or how many items a list has room for */
    PyObject *(*native)(PyObject *self, PyObject *unused);
};

/* Prepares for the functions below. 0, or -1 where neither _PySys_GetSizeOf nor sys.getsizeof is to
 * be had. GIL. */
int py_size_begin(void);

/* Proves where a list tells how many items it has room for: until then, or where this gives false,
 * lists are asked one by one. `type_offset` as in py_generations.h. GIL. */
bool py_size_prove_lists(size_t type_offset);

/* Gives up what py_size_begin() keeps. GIL. */
void py_size_end(void);

/* How to size the objects of `class`, of which `example` is one whose ob_type stands at
 * `type_offset`; PY_SIZE_GENERAL where that is 0 (not known), or where to look __sizeof__ up would
 * run Python code. Runs none. GIL. */
struct py_size_plan py_size_plan(PyObject *class, PyObject *example, size_t type_offset);

/* Where that is PY_SIZE_GENERAL, and no Python code may run: asks a __sizeof__ written in C, of an
 * extension perhaps, and for one written in Python plans what object.__sizeof__ amounts to. GIL. */
struct py_size_plan py_size_plan_without_python(PyObject *class, PyObject *example,
                                                size_t type_offset);

/* Bytes of `object` by its class's plan. Runs no Python code unless that is PY_SIZE_GENERAL: then
 * as py_size_of(). GIL. */
uint64_t py_size_planned(const struct py_size_plan *plan, PyObject *object);

/* The same for PY_SIZE_COUNTED; calls nothing. */
static inline uint64_t py_size_counted(const struct py_size_plan *plan, PyObject *object)
{
    int64_t items = 0;
    if (plan->item_bytes != 0)
        memcpy(&items, (const char *)object + plan->count_offset, sizeof(items));
    int64_t size = plan->constant_bytes + items * (int64_t)plan->item_bytes;
    return size > 0 ? (uint64_t)size : 0;
}

/* Bytes of `object`, 0 where its __sizeof__ raises or answers nonsense. A __sizeof__ written in
 * Python runs, so anything may happen meanwhile: hold a reference to `object`. One that is no
 * method but an object of a Python class, as unittest.mock's, is left alone, and object.__sizeof__
 * asked instead. GIL. */
uint64_t py_size_of(PyObject *object);

#endif
