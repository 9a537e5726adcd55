/* SPDX-License-Identifier: MIT
 *
 * What the profiler asks of its host interpreter apart from its heap and its logging: to be told of
 * the program's end and of forks, and a variable in its environment.
 */
#ifndef MEMPROF_PY_HOST_H
#define MEMPROF_PY_HOST_H

#include "py_api.h"

enum py_host_event {
    PY_HOST_EXIT,
    PY_HOST_BEFORE_FORK,
    PY_HOST_AFTER_FORK_IN_PARENT,
    PY_HOST_AFTER_FORK_IN_CHILD,
    PY_HOST_EVENT_COUNT
};

/* Called on the thread that exits or forks, GIL held. Must not raise; may release the GIL. */
struct py_host_events {
    void (*call[PY_HOST_EVENT_COUNT])(void);
};

/* Registers with atexit and os.register_at_fork. What is registered later is called earlier at exit
 * and before a fork, so a second call puts us before the modules imported since (logging closes its
 * handlers at exit, and holds its lock over a fork); each event is then told twice and must bear
 * it. `events` must live as long as the process. 0 or -1. GIL. */
int py_host_register(const struct py_host_events *events);

/* Calls `function` once the os.fork() whose after_fork_... event is being told has returned to the
 * program: CPython 3.12+ counts threads after the events have run, and the hooks of other modules
 * still run after ours. On the main thread, in the course of a pending call. 0, or -1 where the
 * call could not be queued. GIL. */
int py_host_call_after_fork(void (*function)(void));

/* The interpreter ends: what was to be called will not be. GIL. */
void py_host_end(void);

/* In a forked child that Python is not told of: calls `function` as soon as the main thread runs
 * Python code; never, where the child only execs. 0 or -1. Needs no GIL. */
int py_host_call_when_running(void (*function)(void));

/* Sets a variable for children of this process, and for the program's own os.environ. GIL. */
void py_host_set_environment(const char *name, const char *value);

#endif
