/* SPDX-License-Identifier: MIT
 *
 * The bytes of one object, exactly as sys.getsizeof() gives them.
 */
#ifndef MEMPROF_PY_SIZE_H
#define MEMPROF_PY_SIZE_H

#include "py_api.h"

/* Larger answers are nonsense: no object fills half of a 64-bit address space. */
#define PY_SIZE_LIMIT_BYTES ((uint64_t)1 << 47)

/* Prepares for py_size_of(). 0, or -1 where neither _PySys_GetSizeOf nor sys.getsizeof is to be
 * had. GIL. */
int py_size_begin(void);

/* Bytes of `object`, 0 where its __sizeof__ raises or answers nonsense. A __sizeof__ written in
 * Python runs, so anything may happen meanwhile: hold a reference to `object`. GIL. */
uint64_t py_size_of(PyObject *object);

#endif
