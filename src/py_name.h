/* SPDX-License-Identifier: MIT
 *
 * The fully-qualified name of a class, fit for a log.
 */
#ifndef MEMPROF_PY_NAME_H
#define MEMPROF_PY_NAME_H

#include "text.h"

#include "py_api.h"

/* Prepares for py_class_name(). 0 or -1. GIL. */
int py_name_begin(void);

/* Gives up what py_name_begin() keeps. GIL. */
void py_name_end(void);

/* `discord.message.Message`, builtins bare: `dict`; `<unknown>.Name` where the class's __module__
 * is no string. What is not printable is escaped as repr() does, so a name never breaks a line.
 * No code of the class or its metaclass runs. UTF-8, of memory.h; NULL when out of memory. GIL. */
char *py_class_name(PyObject *class);

/* Appends a str with whatever is not printable escaped as repr() does, at most 80 characters of it.
 * 0, or -1 where `string` is none. No code of its class runs. GIL. */
int py_name_add(struct text *text, PyObject *string);

#endif
