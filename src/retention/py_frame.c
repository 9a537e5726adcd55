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

PyObject *py_frame_code(PyObject *frame)
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
    PyObject *code = py_frame_code(frame);
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
        PyObject *name = py.PyList_GetItem(names, i), *value = NULL;
        if (py_class_of(name) == py.PyUnicode_Type) /* the program may have put others in */
            value = py.PyObject_GetItem(locals, name);
        py_clear_error();
        if (value != NULL)
            status = visit(context, name, value);
        py_release(value);
    }
    py_release(names);
    py_release(locals);
    return status;
}

/* ---- Generators ---- */

/* From 3.11 on they keep their variables behind their own fields, in the order in which
 * code._varname_from_oparg() names them. */
static PyObject *const *variables_of(const struct py_graph *graph, const PyObject *generator)
{
    const PyObject *class = py_graph_class(graph, generator);
    ssize_t offset, item_size;
    memcpy(&offset, py_graph_field(class, graph->type_offset + PY_TP_BASICSIZE_OFFSET),
           sizeof(offset));
    memcpy(&item_size, py_graph_field(class, graph->type_offset + PY_TP_ITEMSIZE_OFFSET),
           sizeof(item_size));
    return item_size == sizeof(PyObject *) ? py_graph_field(generator, (size_t)offset) : NULL;
}

struct generator {
    const struct py_graph *graph;
    PyObject *code;
};

/* It is shown before the variables are. */
static int take_code(PyObject *object, void *argument)
{
    struct generator *generator = argument;
    if (generator->code == NULL && py_graph_class(generator->graph, object) == py.PyCode_Type)
        generator->code = object;
    return 0;
}

/* NULL after the last one. */
static PyObject *name_of_variable(PyObject *name_at, size_t index)
{
    PyObject *number = py.PyLong_FromLongLong((long long)index);
    PyObject *name = number != NULL ? py.PyObject_CallFunctionObjArgs(name_at, number, NULL) : NULL;
    py_clear_error();
    py_release(number);
    return name;
}

/* The lowest bits of a reference may be marked (Include/internal/pycore_stackref.h). */
static bool is_reference_to(const PyObject *reference, const PyObject *value)
{
    return ((uintptr_t)reference & ~(uintptr_t)3) == (uintptr_t)value;
}

PyObject *py_frame_variable_of_generator(const struct py_graph *graph, PyObject *generator,
                                         const PyObject *value)
{
    struct generator found = {.graph = graph};
    PyObject *const *variables = variables_of(graph, generator);
    if (variables != NULL)
        py_graph_traverse(graph, generator, take_code, &found);
    PyObject *name_at = found.code != NULL ? py_attribute(found.code, "_varname_from_oparg") : NULL;
    PyObject *name = NULL;
    for (size_t i = 0; name_at != NULL; i++) {
        name = name_of_variable(name_at, i);
        if (name == NULL || is_reference_to(variables[i], value))
            break;
        py_release(name);
    }
    py_release(name_at);
    return name;
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
    PyObject *code = py_frame_code(frame);
    PyObject *globals = py_attribute(frame, "f_globals");
    PyObject *module = globals != NULL ? py_dict_item(globals, "__name__") : NULL;
    if (module != NULL && py_name_add(text, module) == 0)
        text_add(text, ".");
    if (!add_attribute(text, code, "co_qualname") && !add_attribute(text, code, "co_name"))
        text_add(text, "?");
    py_release(code);
    py_release(globals);
}
