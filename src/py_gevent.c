/* SPDX-License-Identifier: MIT
 *
 * The first call goes by a pending call, which runs when the main thread next runs Python code, and
 * keeps what wakes the hub's loop from another thread for those that follow.
 */
#include "py_gevent.h"

#include <string.h>

enum { QUEUE_LENGTH = 8 };

static struct queued_call {
    PyObject *function, *argument;
} queue[QUEUE_LENGTH];
static int queued;
static PyObject *run_threadsafe; /* gevent.get_hub().loop.run_callback_threadsafe */
static PyObject *spawn;

static PyObject *call(PyObject *function, PyObject *first, PyObject *second)
{
    PyObject *answer = NULL;
    if (function != NULL)
        answer = py.PyObject_CallFunctionObjArgs(function, first, second, NULL);
    py_clear_error();
    return answer;
}

int py_gevent_is_patched(void)
{
    PyObject *monkey = py_module_if_ready("gevent.monkey");
    PyObject *ask = monkey != NULL ? py_attribute(monkey, "is_module_patched") : NULL;
    PyObject *name = py_string("threading");
    int patched = name != NULL && py_truth(call(ask, name, NULL), 0);
    py_release(ask);
    py_release(name);
    return patched;
}

/* On the main thread. */
static void find_hub(void)
{
    PyObject *gevent = py_module_if_ready("gevent");
    PyObject *get_hub = gevent != NULL ? py_attribute(gevent, "get_hub") : NULL;
    PyObject *hub = call(get_hub, NULL, NULL);
    PyObject *loop = hub != NULL ? py_attribute(hub, "loop") : NULL;
    spawn = gevent != NULL ? py_attribute(gevent, "spawn") : NULL;
    run_threadsafe = loop != NULL ? py_attribute(loop, "run_callback_threadsafe") : NULL;
    py_release(get_hub);
    py_release(hub);
    py_release(loop);
}

/* Each call leaves the queue before it is made: it runs Python code, which runs pending calls. */
static void drain(int in_greenlet)
{
    while (queued > 0) {
        struct queued_call next = queue[0];
        memmove(queue, queue + 1, (size_t)--queued * sizeof(queue[0]));
        py_release(in_greenlet ? call(spawn, next.function, next.argument)
                               : call(next.function, next.argument, NULL));
        py.Py_DecRef(next.function);
        py.Py_DecRef(next.argument);
    }
}

static int on_pending(void *unused)
{
    (void)unused;
    if (spawn == NULL)
        find_hub();
    drain(1);
    return 0;
}

int py_gevent_call(PyObject *function, PyObject *argument)
{
    PyObject *answer = NULL;
    if (run_threadsafe != NULL && spawn != NULL)
        answer = py.PyObject_CallFunctionObjArgs(run_threadsafe, spawn, function, argument, NULL);
    int is_done = answer != NULL;
    py_clear_error();
    py_release(answer);
    if (is_done)
        return 0;
    if (queued == QUEUE_LENGTH || py.Py_AddPendingCall(on_pending, NULL) != 0)
        return -1;
    py.Py_IncRef(function);
    py.Py_IncRef(argument);
    queue[queued].function = function;
    queue[queued++].argument = argument;
    return 0;
}

void py_gevent_end_soon(void)
{
    py_drop(&run_threadsafe);
}

void py_gevent_end(void)
{
    drain(0);
    py_drop(&run_threadsafe);
    py_drop(&spawn);
}

void py_gevent_forget(void)
{
    queued = 0;
    run_threadsafe = spawn = NULL;
}
