/* SPDX-License-Identifier: MIT
 *
 * The local variables of a frame, by name. Frames of functions only: those of modules have no other
 * variables than the module's, and those of class statements may keep them in an object of any
 * class, whose code would run.
 */
#ifndef MEMPROF_PY_FRAME_H
#define MEMPROF_PY_FRAME_H

#include "text.h"

#include "py_api.h"

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

/* Appends `module.function`. GIL. */
void py_frame_add_name(struct text *text, PyObject *frame);

#endif
