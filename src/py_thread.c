/* SPDX-License-Identifier: MIT
 *
 * `stage` tells both sides where the thread is: the starter sets STARTING, the thread ALIVE and
 * ENDED, and whoever joins it turns ENDED into ABSENT, once. Everything is atomic or written before
 * the thread starts; nobody holds the GIL while waiting for the other side.
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
    LOOK_AGAIN_MS = 20,
    TASK_END_PATIENCE_MS = 100
};

enum stage { ABSENT, STARTING, ALIVE, ENDED };

static struct {
    const struct py_thread_work *work;
    pthread_t thread;
    pid_t process; /* the process it was started in */
    pid_t task;    /* its id in the kernel */
    _Atomic enum stage stage;
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
    for (;;) {
        unsigned seen = atomic_load(&self.to_thread.rings);
        if (atomic_load(&self.stop) || atomic_load(&self.woken) || monotonic_ms() >= until_ms)
            return;
        bell_wait(&self.to_thread, seen, until_ms);
    }
}

static void *run(void *unused)
{
    (void)unused;
    self.task = (pid_t)syscall(SYS_gettid);
    prctl(PR_SET_NAME, MEMPROF_THREAD, 0, 0, 0);
    int gil = py.PyGILState_Ensure();
    PyThreadState *state = py.PyEval_SaveThread();
    set_stage(ALIVE);
    uint64_t next_ms = 0;
    for (;;) {
        sleep_until(next_ms);
        if (atomic_load(&self.stop))
            break;
        py.PyEval_RestoreThread(state);
        next_ms = self.work->tick(atomic_exchange(&self.woken, false));
        py_log_leave_thread();
        state = py.PyEval_SaveThread();
    }
    py.PyEval_RestoreThread(state);
    self.work->finish(atomic_load(&self.woken));
    py_log_leave_thread();
    py.PyGILState_Release(gil);
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
    sigset_t blocked, before;
    fill_signal_mask(&blocked);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    error = pthread_create(&self.thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

int py_thread_start(const struct py_thread_work *work)
{
    self.work = work;
    self.process = getpid();
    atomic_store(&self.stop, false);
    atomic_store(&self.stage, STARTING);
    int error = create();
    if (error != 0) {
        atomic_store(&self.stage, ABSENT);
        return error;
    }
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

static bool wait_for_end(uint64_t patience_ms)
{
    uint64_t give_up_ms = UINT64_MAX;
    for (;;) {
        unsigned seen = atomic_load(&self.from_thread.rings);
        enum stage stage = atomic_load(&self.stage);
        if (stage == ENDED || stage == ABSENT)
            return true;
        uint64_t now_ms = monotonic_ms();
        if (!self.work->may_block())
            give_up_ms = UINT64_MAX;
        else if (give_up_ms == UINT64_MAX)
            give_up_ms = now_ms + patience_ms;
        if (now_ms >= give_up_ms)
            return false;
        bell_wait(&self.from_thread, seen, now_ms + LOOK_AGAIN_MS);
    }
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

bool py_thread_stop(uint64_t patience_ms)
{
    if (!py_thread_is_running())
        return true;
    pthread_t thread = self.thread;
    atomic_store(&self.stop, true);
    bell_ring(&self.to_thread);
    PyThreadState *state = py.PyEval_SaveThread();
    bool ended = wait_for_end(patience_ms);
    if (ended && atomic_exchange(&self.stage, ABSENT) == ENDED) {
        pthread_join(thread, NULL);
        wait_for_task_end(self.task);
    }
    py.PyEval_RestoreThread(state);
    if (!ended)
        atomic_store(&self.stop, false);
    return ended;
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
    atomic_store(&self.woken, false);
}
