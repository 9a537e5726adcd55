/* SPDX-License-Identifier: MIT
 *
 * The one native thread of the profiler, with the one thread state that it keeps for its life:
 * making a new one while the interpreter finalises exits, hangs or crashes a thread, depending on
 * the version. It is no thread of `threading`: gevent would make a greenlet of that.
 */
#ifndef MEMPROF_PY_THREAD_H
#define MEMPROF_PY_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct py_thread_work {
    /* Does what is due and returns when to be called again (monotonic_ms()). `woken` tells that
     * py_thread_wake() was called since. Runs on the thread, GIL held. */
    uint64_t (*tick)(bool woken);
    /* The last thing the thread does before it gives its thread state up, GIL held. `woken` as
     * above; it stays set for the next thread. */
    void (*finish)(bool woken);
    /* Whether something that tick() has begun goes on without it, and, while that is so: waits for
     * it at most `wait_ms` and returns whether tick() is to be called for it. Nothing else but
     * py_thread_stop() has tick() called or the thread ended meanwhile. On the thread, no GIL. */
    bool (*is_under_way)(void);
    bool (*attend)(int wait_ms);
    /* True while tick() is inside Python code that may block for ever. So may all other that it
     * runs, which is told by how long it takes. Any thread, no GIL. */
    bool (*may_block)(void);
    /* Asked when whoever stops the thread from now on will see it: false where a start comes too
     * late. Any thread, no GIL. */
    bool (*is_wanted)(void);
};

/* Starts the thread, where there is none, and returns once it has its thread state, so that the
 * interpreter's end cannot overtake its start. Every signal is blocked in it but those that its own
 * faults raise. `work` must live as long as the process. Several threads may call this at once: one
 * of them starts it. Returns 0 or an errno value. GIL; released while waiting. */
int py_thread_start(const struct py_thread_work *work);

/* Stops and joins the thread, also out of the kernel's count of the process's threads. Waits for as
 * long as tick() needs, but at most `patience_ms` while that may block. Returns true if there was
 * no thread when it looked last; false if it goes on as if nothing had been asked. Several threads
 * may call this at once, and others start the thread meanwhile. GIL; released while waiting. */
bool py_thread_stop(uint64_t patience_ms);

/* Whether this very process has the thread: after a fork the child has not. Needs no GIL. */
bool py_thread_is_running(void);

/* Has tick() called at once. Async-signal-safe. */
void py_thread_wake(void);

/* Before a fork that Python is not told of: returns once the thread neither holds the GIL nor waits
 * for it, nor runs Python code, and keeps it there until py_thread_let_go(); in the child nobody
 * would ever end that. Waits as long as tick() needs, at most `patience_ms` while that may block or
 * has not got the GIL. Any thread, with or without the GIL; released while waiting. */
void py_thread_hold(uint64_t patience_ms);

/* In the parent: undoes py_thread_hold(). */
void py_thread_let_go(void);

/* In a forked child: there is no thread here. */
void py_thread_forget(void);

#endif
