/* SPDX-License-Identifier: MIT
 *
 * Frames are asked through their attributes, which C code of CPython answers. From 3.13 on f_locals
 * of a function's frame is a view of its variables (PEP 667), before it is a dict made for us.
 */
#include "retention/py_frame.h"

#include "py_name.h"

#include <stdbool.h>
#include <string.h>

enum {
    CODE_OPTIMIZED = 1, /* CO_OPTIMIZED of Include/cpython/code.h: a function's */
    FRAME_OFFSET = 24,  /* of `frame` in 3.8's struct _ts (Include/cpython/pystate.h) */
    CODE_OFFSET = 32,   /* of `f_code` in 3.8's struct _frame (Include/frameobject.h) */
    DEPTH_LIMIT = 2000  /* frames of one thread: recursion repeats itself */
};

static bool frame_is_known; /* both at these offsets: only asked about before 3.9 */

/* ---- Variables ---- */

/* New reference, or NULL. */
static PyObject *code_of(PyObject *frame)
{
    if (py.PyFrame_GetCode != NULL)
        return py.PyFrame_GetCode(frame);
    if (!frame_is_known)
        return NULL;
    PyObject *code;
    memcpy(&code, (const char *)frame + CODE_OFFSET, sizeof(code));
    py.Py_IncRef(code);
    return code;
}

static bool is_function_frame(PyObject *frame)
{
    PyObject *code = code_of(frame);
    long flags = code != NULL ? py_integer(py_attribute(code, "co_flags"), 0) : 0;
    py_release(code);
    return (flags & CODE_OPTIMIZED) != 0;
}

int py_frame_each_local(PyObject *frame,
                        int (*visit)(void *context, PyObject *name, PyObject *value), void *context)
{
    if (!is_function_frame(frame))
        return 0;
    PyObject *locals = py_attribute(frame, "f_locals");
    PyObject *names = locals != NULL ? py.PyMapping_Keys(locals) : NULL;
    py_clear_error();
    ssize_t count = names != NULL ? py.PyList_Size(names) : 0;
    int status = 0;
    for (ssize_t i = 0; i < count && status == 0; i++) {
        PyObject *name = py.PyList_GetItem(names, i);
        PyObject *value = py.PyObject_GetItem(locals, name);
        py_clear_error();
        if (value != NULL)
            status = visit(context, name, value);
        py_release(value);
    }
    py_release(names);
    py_release(locals);
    return status;
}

/* ---- Threads ---- */

/* The frame that a thread runs, or NULL. New reference. */
static PyObject *frame_of(PyThreadState *thread)
{
    if (py.PyThreadState_GetFrame != NULL)
        return py.PyThreadState_GetFrame(thread);
    PyObject *frame = NULL;
    if (frame_is_known)
        memcpy(&frame, (const char *)thread + FRAME_OFFSET, sizeof(frame));
    if (frame != NULL)
        py.Py_IncRef(frame);
    return frame;
}

static PyObject *compare_frames(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyObject *frame, *running = py.PyEval_GetFrame();
    memcpy(&frame, (const char *)py._PyThreadState_UncheckedGet() + FRAME_OFFSET, sizeof(frame));
    PyObject *code = running != NULL ? py_attribute(running, "f_code") : NULL;
    frame_is_known = frame != NULL && frame == running && code != NULL &&
                     memcmp(&code, (const char *)frame + CODE_OFFSET, sizeof(code)) == 0;
    py_release(code);
    py.Py_IncRef(py._Py_NoneStruct);
    return py._Py_NoneStruct;
}

/* Python starts without a frame, so one is borrowed: importlib has a function of Python's that does
 * nothing but call another one. */
void py_frame_begin(void)
{
    static struct py_method method = {"memprof_compare_frames", compare_frames, PY_METH_NOARGS,
                                      NULL};
    frame_is_known = false;
    if (py.PyThreadState_GetFrame != NULL || py._PyThreadState_UncheckedGet == NULL)
        return;
    PyObject *module = py_module_if_ready("_frozen_importlib");
    PyObject *call = module != NULL ? py_attribute(module, "_call_with_frames_removed") : NULL;
    PyObject *compare = py_callable(&method, NULL);
    if (call != NULL && compare != NULL)
        py_release(py.PyObject_CallFunctionObjArgs(call, compare, NULL));
    py_clear_error();
    py_release(call);
    py_release(compare);
}

static void each_of_thread(PyThreadState *thread, void (*visit)(void *context, PyObject *frame),
                           void *context)
{
    PyObject *frame = frame_of(thread);
    for (int depth = 0; frame != NULL && frame != py._Py_NoneStruct && depth < DEPTH_LIMIT;
         depth++) {
        visit(context, frame);
        PyObject *back = py_attribute(frame, "f_back");
        py.Py_DecRef(frame);
        frame = back;
    }
    py_release(frame);
    py_clear_error();
}

void py_frame_each_running(void (*visit)(void *context, PyObject *frame), void *context)
{
    PyThreadState *thread = py.PyInterpreterState_ThreadHead(py.PyInterpreterState_Main());
    for (; thread != NULL; thread = py.PyThreadState_Next(thread))
        each_of_thread(thread, visit, context);
}

/* ---- Names ---- */

static bool add_attribute(struct text *text, PyObject *object, const char *name)
{
    PyObject *value = object != NULL ? py_attribute(object, name) : NULL;
    bool is_name = value != NULL && py_name_add(text, value) == 0;
    py_release(value);
    return is_name;
}

void py_frame_add_name(struct text *text, PyObject *frame)
{
    PyObject *code = code_of(frame);
    PyObject *globals = py_attribute(frame, "f_globals");
    PyObject *module = globals != NULL ? py.PyDict_GetItemString(globals, "__name__") : NULL;
    if (module != NULL && py_name_add(text, module) == 0)
        text_add(text, ".");
    if (!add_attribute(text, code, "co_qualname") && !add_attribute(text, code, "co_name"))
        text_add(text, "?");
    py_release(code);
    py_release(globals);
}
