/* SPDX-License-Identifier: MIT
 *
 * The local variables of a frame, by name. Frames of functions only: those of modules have no other
 * variables than the module's, and those of class statements may keep them in an object of any
 * class, whose code would run. No audit event is raised, since a hook may be Python code.
 */
#ifndef MEMPROF_PY_FRAME_H
#define MEMPROF_PY_FRAME_H

#include "py_graph.h"
#include "text.h"

/* Sees how the frame that a thread runs is found. Before 3.9 a function of importlib runs. GIL. */
void py_frame_begin(void);

/* Calls `visit` for each local variable that has a value, until it returns anything but 0, and
 * returns that; 0 at the end. A variable that inner functions share is visited with what is in its
 * cell. Runs no Python code, but makes objects and may write to the frame: in a twin only. GIL. */
int py_frame_each_local(PyObject *frame,
                        int (*visit)(void *context, PyObject *name, PyObject *value),
                        void *context);

/* Calls `visit` for each frame that a thread of this interpreter runs, innermost first. Makes
 * objects of them from 3.11 on: in a twin only. GIL. */
void py_frame_each_running(void (*visit)(void *context, PyObject *frame), void *context);

/* The name of the variable in which a generator or coroutine holds `value`, which may be the
 * variable's cell. New reference, or NULL: also before 3.11, where its frame holds them. GIL. */
PyObject *py_frame_variable_of_generator(const struct py_graph *graph, PyObject *generator,
                                         const PyObject *value);

/* What the frame runs; new reference, or NULL. GIL. */
PyObject *py_frame_code(PyObject *frame);

/* Appends `module.function`. GIL. */
void py_frame_add_name(struct text *text, PyObject *frame);

#endif
