/* SPDX-License-Identifier: MIT
 *
 * A key of a dict as its owner would type it.
 */
#ifndef MEMPROF_PY_KEY_H
#define MEMPROF_PY_KEY_H

#include "text.h"

#include "py_api.h"

/* Appends `'channel'`, `42`, `b'x'`, `(1, 'a')`, `bot.Color.RED` (a member of an Enum), or the
 * class in angle brackets where the key is none of these, or too large. At most 40 characters of a
 * text. Runs no Python code, but makes objects: in a twin only. GIL. */
void py_key_add(struct text *text, PyObject *key);

/* Whether `name` is a str that can stand behind a dot. GIL. */
int py_key_is_identifier(PyObject *name);

#endif
