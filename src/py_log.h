/* SPDX-License-Identifier: MIT
 *
 * Hands a text to Python's logging as a LogRecord of the logger `memory_profiler`.
 *
 * `logging` and `threading` are only ever looked up, never imported: before 3.13 the thread that
 * first imports threading is taken for the main thread. Our logger is not entered in logging's
 * registry, so logging.config cannot disable it and nobody meets it who did not ask; a logger of
 * that name that the program made is used instead, and its level, handlers, filters and propagation
 * are obeyed.
 */
#ifndef MEMPROF_PY_LOG_H
#define MEMPROF_PY_LOG_H

#include "py_api.h"

/* The numbers of Lib/logging/__init__.py. */
enum py_log_level { PY_LOG_INFO = 20, PY_LOG_WARNING = 30 };

enum py_log_route {
    PY_LOG_ABSENT,   /* logging is not imported, or its import has not ended */
    PY_LOG_UNHEARD,  /* no handler would take a record of this level */
    PY_LOG_HEARD,    /* at least one handler would */
    PY_LOG_DECLINED, /* the program has set its logger `memory_profiler` so that it goes nowhere */
    PY_LOG_DISABLED  /* logging.disable() is in force */
};

struct py_log_extra {
    const char *name;
    double value;
    int is_integer;
};

/* Forgets what an earlier life of the interpreter has left: it died with that. */
void py_log_begin(void);

/* In a forked child: records that have not reached a handler are the parent's. Needs no GIL. */
void py_log_forget(void);

/* The program's event loop, if it has one, does not run any more. GIL. */
void py_log_end_soon(void);

/* Emits what still waits for that loop and gives up what is kept: the interpreter ends. On the main
 * thread. GIL. */
void py_log_end(void);

/* Where a record would go now. GIL. */
enum py_log_route py_log_route(enum py_log_level level);

/* Emits `text` (UTF-8) with the `extra` attributes, thread name MemoryProfiler; call it where
 * py_log_route() gave PY_LOG_HEARD. Handlers run: Python code, which may block or log again.
 * What they raise is cleared. Returns 0, or -1 where something was raised. GIL. */
int py_log_emit(enum py_log_level level, const char *text, size_t size,
                const struct py_log_extra *extra, size_t count);

/* Takes the calling thread out of threading's books, where logging enters it as a _DummyThread: a
 * program that joins all of threading.enumerate() cannot join that one, and one that waits until
 * threading.active_count() is 1 would wait for ever. GIL. */
void py_log_leave_thread(void);

#endif
