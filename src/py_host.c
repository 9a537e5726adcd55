/* SPDX-License-Identifier: MIT
 *
 * Only modules that are part of every interpreter are imported here (atexit, posix): early in
 * start-up nothing else may be.
 */
#include "py_host.h"

#include <stdlib.h>
#include <string.h>

/* A fork whose hooks never end must not make the pending call queue itself for ever. */
enum { RETURN_CHECK_LIMIT = 100000 };

static const struct py_host_events *registered;

static PyObject *none(void)
{
    py_clear_error();
    py.Py_IncRef(py._Py_NoneStruct);
    return py._Py_NoneStruct;
}

/* What Python calls at every event: its `self` says which. */
static PyObject *tell(PyObject *self, PyObject *unused)
{
    (void)unused;
    registered->call[py.PyLong_AsLong(self)]();
    return none();
}

/* New reference, or NULL with the exception cleared. */
static PyObject *callable_for(enum py_host_event event)
{
    static struct py_method method = {"memprof_event", tell, PY_METH_NOARGS, NULL};
    PyObject *self = py.PyLong_FromLongLong(event);
    PyObject *callable = self != NULL ? py_callable(&method, self) : NULL;
    py_clear_error();
    py_release(self);
    return callable;
}

/* `module.function`, importing the module. New reference, NULL with the exception cleared. */
static PyObject *function_of(const char *module_name, const char *name)
{
    PyObject *module = py.PyImport_ImportModule(module_name);
    PyObject *function = module != NULL ? py_attribute(module, name) : NULL;
    py_release(module);
    py_clear_error();
    return function;
}

static int register_exit(void)
{
    PyObject *function = function_of("atexit", "register");
    PyObject *callable = callable_for(PY_HOST_EXIT);
    PyObject *answer = NULL;
    if (function != NULL && callable != NULL)
        answer = py.PyObject_CallFunctionObjArgs(function, callable, NULL);
    int status = answer != NULL ? 0 : -1;
    py_clear_error();
    py_release(function);
    py_release(callable);
    py_release(answer);
    return status;
}

static int register_fork(void)
{
    static const struct {
        const char *keyword;
        enum py_host_event event;
    } hooks[] = {
        {"before", PY_HOST_BEFORE_FORK},
        {"after_in_parent", PY_HOST_AFTER_FORK_IN_PARENT},
        {"after_in_child", PY_HOST_AFTER_FORK_IN_CHILD},
    };
    PyObject *function = function_of("posix", "register_at_fork");
    PyObject *keywords = py.PyDict_New();
    PyObject *arguments = py.PyTuple_New(0);
    PyObject *answer = NULL;
    for (size_t i = 0; keywords != NULL && i < sizeof(hooks) / sizeof(*hooks); i++) {
        PyObject *callable = callable_for(hooks[i].event);
        if (callable != NULL)
            py.PyDict_SetItemString(keywords, hooks[i].keyword, callable);
        py_release(callable);
    }
    if (function != NULL && keywords != NULL && arguments != NULL)
        answer = py.PyObject_Call(function, arguments, keywords);
    int status = answer != NULL ? 0 : -1;
    py_clear_error();
    py_release(function);
    py_release(keywords);
    py_release(arguments);
    py_release(answer);
    return status;
}

int py_host_register(const struct py_host_events *events)
{
    registered = events;
    return register_exit() == 0 && register_fork() == 0 ? 0 : -1;
}

/* The fork that has not returned yet: the frame that called it, and what to call then. */
static struct {
    PyObject *frame;
    void (*function)(void);
    int checks;
} forking;

/* True while `forking.frame` waits for something it called: the rest of the fork, or the hooks of
 * other modules. Once it runs itself, or is gone, os.fork() has returned. */
static int fork_is_running(void)
{
    PyObject *frame = py.PyEval_GetFrame();
    if (forking.frame == NULL || frame == NULL || frame == forking.frame)
        return 0;
    py.Py_IncRef(frame);
    while (frame != NULL && frame != py._Py_NoneStruct && frame != forking.frame) {
        PyObject *back = py_attribute(frame, "f_back");
        py.Py_DecRef(frame);
        frame = back;
    }
    int found = frame == forking.frame;
    py_release(frame);
    return found;
}

static int on_pending(void *unused)
{
    (void)unused;
    if (forking.function == NULL)
        return 0;
    if (++forking.checks < RETURN_CHECK_LIMIT && fork_is_running() &&
        py.Py_AddPendingCall(on_pending, NULL) == 0)
        return 0;
    void (*function)(void) = forking.function;
    PyObject *frame = forking.frame;
    forking.function = NULL;
    forking.frame = NULL;
    function();
    py_release(frame);
    py_clear_error();
    return 0;
}

int py_host_call_after_fork(void (*function)(void))
{
    if (forking.function != NULL) {
        py_release(forking.frame);
        forking.frame = NULL;
        forking.function = NULL;
    }
    if (py.Py_AddPendingCall(on_pending, NULL) != 0)
        return -1;
    forking.frame = py.PyEval_GetFrame();
    if (forking.frame != NULL)
        py.Py_IncRef(forking.frame);
    forking.function = function;
    forking.checks = 0;
    return 0;
}

int py_host_call_when_running(void (*function)(void))
{
    forking.frame = NULL; /* left to itself: without the GIL no reference may be dropped */
    forking.function = function;
    return py.Py_AddPendingCall(on_pending, NULL);
}

void py_host_end(void)
{
    py_drop(&forking.frame);
    forking.function = NULL;
}

static PyObject *new_bytes(const char *text)
{
    return py.PyBytes_FromStringAndSize(text, (ssize_t)strlen(text));
}

/* posix.environ is what os.environ is made of when os is imported, a little later. */
static void set_in_posix(const char *name, const char *value)
{
    PyObject *environment = function_of("posix", "environ");
    PyObject *key = new_bytes(name);
    PyObject *text = new_bytes(value);
    if (environment != NULL && key != NULL && text != NULL)
        py.PyObject_SetItem(environment, key, text);
    py_clear_error();
    py_release(environment);
    py_release(key);
    py_release(text);
}

static void set_in_os(const char *name, const char *value)
{
    PyObject *os = py_module_if_ready("os");
    PyObject *environment = os != NULL ? py_attribute(os, "environ") : NULL;
    PyObject *key = py_string(name);
    PyObject *text = py.PyUnicode_DecodeUTF8(value, (ssize_t)strlen(value), "surrogateescape");
    if (environment != NULL && key != NULL && text != NULL)
        py.PyObject_SetItem(environment, key, text);
    py_clear_error();
    py_release(environment);
    py_release(key);
    py_release(text);
}

void py_host_set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
    set_in_posix(name, value);
    set_in_os(name, value);
}
