/* SPDX-License-Identifier: MIT
 *
 * A program that gevent has monkey-patched: the locks of logging are gevent's there, and a native
 * thread that contends for one leaves the hub waiting for ever (gevent 22.10), so what takes such a
 * lock has to run in a greenlet of the program's own thread.
 */
#ifndef MEMPROF_PY_GEVENT_H
#define MEMPROF_PY_GEVENT_H

#include "py_api.h"

/* Whether gevent has taken the place of threading. GIL. */
int py_gevent_is_patched(void);

/* Has function(argument) called in a greenlet of the main thread, soon. 0, or -1 where too many
 * calls wait already. GIL. */
int py_gevent_call(PyObject *function, PyObject *argument);

/* From now on no hub will run: calls wait for py_gevent_end(). GIL. */
void py_gevent_end_soon(void);

/* Calls at once, on this thread, what still waits, and gives up what is kept. On the main thread,
 * the profiler's having ended. GIL. */
void py_gevent_end(void);

/* In a forked child, and in a new life of the interpreter: nothing waits. Needs no GIL. */
void py_gevent_forget(void);

#endif
