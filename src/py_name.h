/* SPDX-License-Identifier: MIT
 *
 * The fully-qualified name of a class, fit for a log.
 */
#ifndef MEMPROF_PY_NAME_H
#define MEMPROF_PY_NAME_H

#include "py_api.h"

/* Prepares for py_class_name(). 0 or -1. GIL. */
int py_name_begin(void);

/* Gives up what py_name_begin() keeps. GIL. */
void py_name_end(void);

/* `discord.message.Message`, builtins bare: `dict`; `<unknown>.Name` where the class's __module__
 * is no string. What is not printable is escaped as repr() does, so a name never breaks a line.
 * No code of the class or its metaclass runs. UTF-8, of memory.h; NULL when out of memory. GIL. */
char *py_class_name(PyObject *class);

#endif
