/* SPDX-License-Identifier: MIT
 *
 * `stage` tells all sides where the thread is. Several threads may start and stop it at once (a
 * program that forks on many): one of them turns ABSENT into STARTING, the thread itself sets
 * ALIVE, LEAVING and ENDED, and one of those who wait turns ENDED into JOINING and, when it is
 * joined, ABSENT. Everything is atomic or written by whoever has just claimed the stage; nobody
 * holds the GIL while waiting for another side.
 *
 * `place` tells a thread that forks behind Python's back (py_thread_hold) when it may: the thread
 * says first where it is, then looks at `holds`; the other side does it the other way round.
 */
#include "py_thread.h"

#include "bell.h"
#include "memprof.h"
#include "py_api.h"
#include "py_log.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    STACK_BYTES = 8 << 20, /* as Python's own threads: logging handlers are Python code */
    STUCK_MS = 5000,       /* thirty million objects are collected and counted in that time */
    LOOK_AGAIN_MS = 20,
    ATTEND_MS = 10, /* what a stop may have to wait for it */
    UNSURE_PATIENCE_MS = 50,
    TASK_END_PATIENCE_MS = 100
};

enum stage { ABSENT, STARTING, ALIVE, LEAVING, ENDED, JOINING };
enum place { OUTSIDE, WAITING, INSIDE };

static struct {
    const struct py_thread_work *work;
    pthread_t thread;
    _Atomic pid_t process; /* the process it was started in */
    _Atomic pid_t task;    /* its id in the kernel */
    PyThreadState *state;
    _Atomic enum stage stage;
    _Atomic enum place place;    /* of the thread: in tick(), or waiting for the GIL */
    _Atomic uint64_t entered_ms; /* when it last came INSIDE */
    atomic_int holds;            /* forks under way that keep it OUTSIDE */
    atomic_bool stop;
    atomic_bool woken;
    struct bell to_thread;
    struct bell from_thread;
} self;

static void set_stage(enum stage stage)
{
    atomic_store(&self.stage, stage);
    bell_ring(&self.from_thread);
}

static void sleep_until(uint64_t until_ms)
{
    while (!atomic_load(&self.stop)) {
        unsigned seen = atomic_load(&self.to_thread.rings);
        if (self.work->is_under_way()) {
            if (self.work->attend(ATTEND_MS))
                return;
        } else if (atomic_load(&self.woken) || monotonic_ms() >= until_ms) {
            return;
        } else if (!atomic_load(&self.stop)) {
            bell_wait(&self.to_thread, seen, until_ms);
        }
    }
}

static void leave(void)
{
    atomic_store(&self.place, OUTSIDE);
    bell_ring(&self.from_thread);
}

/* Before the thread asks for the GIL. */
static void approach(void)
{
    for (;;) {
        unsigned seen = atomic_load(&self.to_thread.rings);
        atomic_store(&self.place, WAITING);
        if (atomic_load(&self.holds) == 0)
            return;
        leave();
        bell_wait(&self.to_thread, seen, UINT64_MAX);
    }
}

static void enter(void)
{
    approach();
    py.PyEval_RestoreThread(self.state);
    atomic_store(&self.entered_ms, monotonic_ms());
    atomic_store(&self.place, INSIDE);
}

/* Says so first and looks again then, as who takes the stop back does it the other way round. */
static bool is_leaving(void)
{
    if (!atomic_load(&self.stop))
        return false;
    atomic_store(&self.stage, LEAVING);
    if (!atomic_load(&self.stop))
        atomic_store(&self.stage, ALIVE);
    return atomic_load(&self.stage) == LEAVING;
}

static void *run(void *unused)
{
    (void)unused;
    self.thread = pthread_self(); /* may be joined before pthread_create() has returned */
    self.task = (pid_t)syscall(SYS_gettid);
    prctl(PR_SET_NAME, MEMPROF_THREAD, 0, 0, 0);
    approach();
    int gil = py.PyGILState_Ensure();
    self.state = py.PyEval_SaveThread();
    leave();
    set_stage(ALIVE);
    uint64_t next_ms = 0;
    for (;;) {
        sleep_until(next_ms);
        if (is_leaving())
            break;
        enter();
        next_ms = self.work->tick(atomic_exchange(&self.woken, false));
        py_log_leave_thread();
        self.state = py.PyEval_SaveThread();
        leave();
    }
    enter();
    self.work->finish(atomic_load(&self.woken));
    py_log_leave_thread();
    py.PyGILState_Release(gil);
    leave();
    set_stage(ENDED);
    return NULL;
}

static void fill_signal_mask(sigset_t *mask)
{
    static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigfillset(mask);
    for (size_t i = 0; i < sizeof(own_faults) / sizeof(own_faults[0]); i++)
        sigdelset(mask, own_faults[i]);
}

static int create(void)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    pthread_t thread;
    sigset_t blocked, before;
    fill_signal_mask(&blocked);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    error = pthread_create(&thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

static bool claim(enum stage from, enum stage to)
{
    return atomic_compare_exchange_strong(&self.stage, &from, to);
}

static int give_up_start(int error)
{
    set_stage(ABSENT);
    return error;
}

int py_thread_start(const struct py_thread_work *work)
{
    self.process = getpid();
    if (!claim(ABSENT, STARTING))
        return 0;
    if (!work->is_wanted())
        return give_up_start(0);
    self.work = work;
    self.task = 0;
    atomic_store(&self.stop, false);
    int error = create();
    if (error != 0)
        return give_up_start(error);
    PyThreadState *state = py.PyEval_SaveThread();
    for (;;) {
        unsigned seen = atomic_load(&self.from_thread.rings);
        if (atomic_load(&self.stage) != STARTING)
            break;
        bell_wait(&self.from_thread, seen, UINT64_MAX);
    }
    py.PyEval_RestoreThread(state);
    return 0;
}

/* pthread_join() returns a little before the kernel takes the thread off its count, and CPython
 * 3.12+ reads that count after a fork. */
static void wait_for_task_end(pid_t task)
{
    uint64_t give_up_ms = monotonic_ms() + TASK_END_PATIENCE_MS;
    while (syscall(SYS_tgkill, self.process, task, 0) == 0 && monotonic_ms() < give_up_ms) {
        struct timespec moment = {.tv_nsec = 20000};
        nanosleep(&moment, NULL);
    }
}

static void join(void)
{
    pthread_join(self.thread, NULL);
    wait_for_task_end(self.task);
    set_stage(ABSENT);
}

/* Again and again: another thread may have started it anew. */
static void ask_to_stop(void)
{
    if (!atomic_exchange(&self.stop, true))
        bell_ring(&self.to_thread);
}

/* False where the thread has seen it already, and will end soon. Not where the program ends: what
 * it does last may block too. */
static bool take_stop_back(void)
{
    atomic_store(&self.stop, false);
    return atomic_load(&self.stage) == ALIVE || !self.work->is_wanted();
}

/* A finaliser that the collector runs, a __sizeof__, or whatever else is the program's may wait for
 * a lock that the very thread holds that waits here. */
static bool may_block(void)
{
    return self.work->may_block() || (atomic_load(&self.place) == INSIDE &&
                                      monotonic_ms() - atomic_load(&self.entered_ms) >= STUCK_MS);
}

static bool wait_for_end(uint64_t patience_ms)
{
    uint64_t give_up_ms = UINT64_MAX;
    for (;;) {
        unsigned seen = atomic_load(&self.from_thread.rings);
        if (claim(ENDED, JOINING))
            join();
        if (atomic_load(&self.stage) == ABSENT)
            return true;
        ask_to_stop();
        uint64_t now_ms = monotonic_ms();
        if (!may_block())
            give_up_ms = UINT64_MAX;
        else if (give_up_ms == UINT64_MAX)
            give_up_ms = now_ms + patience_ms;
        if (now_ms >= give_up_ms && take_stop_back())
            return false;
        bell_wait(&self.from_thread, seen, now_ms + LOOK_AGAIN_MS);
    }
}

static bool is_this_thread(void)
{
    return self.task == (pid_t)syscall(SYS_gettid);
}

bool py_thread_stop(uint64_t patience_ms)
{
    if (!py_thread_is_running())
        return true;
    if (is_this_thread())
        return false;
    PyThreadState *state = py.PyEval_SaveThread();
    bool ended = wait_for_end(patience_ms);
    py.PyEval_RestoreThread(state);
    return ended;
}

/* The thread state that is current: of this thread from 3.12 on, of the process before. */
static PyThreadState *current_state(void)
{
    if (py.PyThreadState_GetUnchecked != NULL)
        return py.PyThreadState_GetUnchecked();
    if (py._PyThreadState_UncheckedGet != NULL)
        return py._PyThreadState_UncheckedGet();
    return NULL;
}

static void wait_until_outside(uint64_t patience_ms, bool sure)
{
    uint64_t give_up_ms = monotonic_ms() + patience_ms;
    for (;;) {
        unsigned seen = atomic_load(&self.from_thread.rings);
        enum place place = atomic_load(&self.place);
        if (place == OUTSIDE)
            return;
        uint64_t now_ms = monotonic_ms();
        if (sure && place == INSIDE && !may_block())
            give_up_ms = now_ms + patience_ms;
        if (now_ms >= give_up_ms)
            return;
        bell_wait(&self.from_thread, seen, now_ms + LOOK_AGAIN_MS);
    }
}

void py_thread_hold(uint64_t patience_ms)
{
    atomic_fetch_add(&self.holds, 1);
    if (!py_thread_is_running() || is_this_thread() || atomic_load(&self.place) == OUTSIDE)
        return;
    /* Before 3.12, a state that is neither this thread's first nor the profiler's may be current
     * in another thread, or in this one for a sub-interpreter: that cannot be told. */
    PyThreadState *current = current_state();
    bool holds_gil = current != NULL && current == py.PyGILState_GetThisThreadState();
    bool sure = holds_gil || current == NULL || current == self.state;
    if (holds_gil)
        py.PyEval_SaveThread();
    wait_until_outside(sure ? patience_ms : UNSURE_PATIENCE_MS, sure);
    if (holds_gil)
        py.PyEval_RestoreThread(current);
}

void py_thread_let_go(void)
{
    atomic_fetch_sub(&self.holds, 1);
    bell_ring(&self.to_thread);
}

bool py_thread_is_running(void)
{
    return atomic_load(&self.stage) != ABSENT && self.process == getpid();
}

void py_thread_wake(void)
{
    atomic_store(&self.woken, true);
    bell_ring(&self.to_thread);
}

void py_thread_forget(void)
{
    atomic_store(&self.stage, ABSENT);
    atomic_store(&self.place, OUTSIDE);
    atomic_store(&self.holds, 0);
    atomic_store(&self.woken, false);
}
