/* SPDX-License-Identifier: MIT
 *
 * What classes have in their namespaces, without a lookup: a key that is made from str may stand
 * there, and its __eq__ would run.
 */
#ifndef MEMPROF_PY_NAMESPACE_H
#define MEMPROF_PY_NAMESPACE_H

#include "py_api.h"

/* Proves that the namespaces can be looked through; else they are taken for harmless. Not for
 * free-threaded builds. `type_offset` as in py_generations.h. GIL. */
void py_namespace_begin(size_t type_offset);

/* The dict of a class that Python code may have put something into, or NULL: also where that is not
 * known. Borrowed. GIL. */
PyObject *py_namespace_of(PyObject *class);

/* Whether a name can be looked up in the class: all keys, of its bases too, are exact strs. Makes
 * nothing. GIL. */
bool py_namespace_is_text(PyObject *class);

#endif
