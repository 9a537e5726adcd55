/* SPDX-License-Identifier: MIT
 *
 * The attributes of objects, looked at without asking their classes: no __getattribute__, property
 * or other code of Python's runs.
 *
 * Everything here makes objects, and may make an instance's dict: in a twin only, and nothing may
 * be traversed afterwards, because what is new has no number. GIL.
 */
#ifndef MEMPROF_PY_ATTRIBUTE_H
#define MEMPROF_PY_ATTRIBUTE_H

#include "py_graph.h"
#include "text.h"

/* Prepares for the functions below. 0 or -1. GIL. */
int py_attribute_begin(void);

/* Gives up what py_attribute_begin() keeps. GIL. */
void py_attribute_end(void);

/* The dict in which a module, a class or an instance has its attributes, or NULL. New reference. */
PyObject *py_attribute_dict(const struct py_graph *graph, PyObject *owner);

/* Appends `.name`, by which `owner` refers to `value`: from its dict, its slots, or an attribute of
 * CPython's own classes. Returns whether there is one. */
bool py_attribute_add(struct text *text, const struct py_graph *graph, PyObject *owner,
                      const PyObject *value);

/* Appends the name of the variable that `dict` holds `value` under: `.name`, or
 * `.__dict__['not a name']`. Returns whether there is one. */
bool py_attribute_add_key(struct text *text, PyObject *dict, const PyObject *value);

/* The attribute that the class of C code, from which the owner's is made, defines; new reference,
 * or NULL. */
PyObject *py_attribute_of_native(const struct py_graph *graph, PyObject *owner, const char *name);

/* What is in the cell of a function's free variable; new reference, or NULL. */
PyObject *py_attribute_in_closure(const struct py_graph *graph, PyObject *function,
                                  const char *name);

#endif
