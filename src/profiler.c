/* SPDX-License-Identifier: MIT
 *
 * The thread (py_thread.h) calls tick(); the events of py_host.h stop it at exit and around a fork,
 * because CPython 3.12+ warns of a fork in a process that has more than one thread. A fork that
 * Python is not told of (fork_watch.h) only waits until the thread is away from Python. `schedule`
 * belongs to the thread while it runs and to the events while it does not.
 */
#include "profiler.h"

#include "bell.h"
#include "fork_watch.h"
#include "memprof.h"
#include "message.h"
#include "py_api.h"
#include "py_heap.h"
#include "py_host.h"
#include "py_log.h"
#include "py_thread.h"
#include "report.h"
#include "snapshot_signal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FORK_PATIENCE_MS = 1000, /* for a logging handler that blocks while the program forks */
    EXIT_PATIENCE_MS = 2000, /* the same at exit */
    FIRST_LOOK_MS = 50,      /* between looks whether the program's logging is ready */
    LAST_LOOK_MS = 1000
};

static struct {
    struct config config;
    pid_t process;         /* the process that is profiled */
    pthread_t main_thread; /* where its pending calls run */
    bool descendant;
    bool ended;   /* the exit event has come, or this is a forked child that is not followed */
    bool resume;  /* a fork has stopped the thread, and it has to start again */
    bool forking; /* between the events around a fork, on the thread `forker` */
    pthread_t forker;
    atomic_bool logging;
} profiler;

static struct {
    uint64_t started_ms;
    uint64_t next_ms; /* the next snapshot by the clock, once announced */
    uint64_t look_ms; /* the pause until the next look while nobody listens */
    uint64_t sequence;
    bool announced;
    bool registered_again;
    bool said_disabled, said_unheard, said_raised, said_signal_lost, said_unknown;
} schedule;

enum destination { NOWHERE, TO_LOGGING, TO_DESCRIPTOR };

static uint64_t interval_ms(void)
{
    return (uint64_t)profiler.config.interval_seconds * 1000;
}

/* ---- Where records go ---- */

static void say_once(bool *said, const char *text)
{
    if (!*said)
        message_write("%s", text);
    *said = true;
}

/* `patient`: the program has had an interval's time to set its logging up, or somebody has asked
 * for this very snapshot. */
static enum destination destination_now(bool patient)
{
    if (profiler.config.output == CONFIG_OUTPUT_STDERR)
        return TO_DESCRIPTOR;
    switch (py_log_route()) {
    case PY_LOG_HEARD:
        return TO_LOGGING;
    case PY_LOG_DECLINED:
        return NOWHERE;
    case PY_LOG_DISABLED:
        if (patient)
            say_once(&schedule.said_disabled,
                     "logging.disable() is in force at INFO or above: snapshots are not logged");
        return NOWHERE;
    case PY_LOG_ABSENT:
    case PY_LOG_UNHEARD:
        break;
    }
    if (patient && profiler.config.output == CONFIG_OUTPUT_LOGGING)
        say_once(&schedule.said_unheard, "output is logging, but no logging handler takes INFO "
                                         "records of memory_profiler: snapshots are not logged");
    return patient && profiler.config.output == CONFIG_OUTPUT_AUTO ? TO_DESCRIPTOR : NOWHERE;
}

/* One record as logging would print it: date, level, logger, text. */
static void write_record(const char *text, size_t size)
{
    struct text record = {0};
    struct timespec now = {0};
    struct tm parts;
    char date[32] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &parts) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &parts);
    text_add(&record, "%s,%03ld INFO " MEMPROF_LOGGER ": ", date, now.tv_nsec / 1000000);
    text_add_bytes(&record, text, size);
    text_add_bytes(&record, "\n", 1);
    if (!record.failed)
        message_write_record(record.bytes, record.size);
    text_clear(&record);
}

static void emit(enum destination destination, const char *text, size_t size,
                 const struct py_log_extra *extra, size_t extra_count)
{
    atomic_store(&profiler.logging, true);
    if (destination == TO_LOGGING) {
        if (py_log_emit(text, size, extra, extra_count) != 0)
            say_once(&schedule.said_raised,
                     "a logging handler raised: records of memory_profiler may be lost");
    } else {
        PyThreadState *state = py.PyEval_SaveThread();
        write_record(text, size);
        py.PyEval_RestoreThread(state);
    }
    atomic_store(&profiler.logging, false);
}

static const struct py_host_events events;

static void announce(enum destination destination)
{
    if (destination == TO_LOGGING && !schedule.registered_again) {
        /* logging has registered its own exit and fork callbacks by now: come before them. */
        schedule.registered_again = true;
        py_host_register(&events);
    }
    if (schedule.announced)
        return;
    schedule.announced = true;
    schedule.next_ms = monotonic_ms();
    emit(destination, MEMPROF_STARTED, strlen(MEMPROF_STARTED), NULL, 0);
}

/* ---- A snapshot ---- */

static void log_snapshot(enum destination destination, const struct snapshot *snapshot,
                         const struct text *text)
{
    const struct py_log_extra extra[] = {
        {"memprof_objects", (double)snapshot->objects, 1},
        {"memprof_bytes", (double)snapshot->bytes, 1},
        {"memprof_classes", (double)snapshot->class_count, 1},
        {"memprof_duration_ms", snapshot->duration_ms, 0},
        {"memprof_pause_ms", snapshot->pause_ms, 0},
        {"memprof_sequence", (double)snapshot->sequence, 1},
    };
    emit(destination, text->bytes, text->size, extra, sizeof(extra) / sizeof(extra[0]));
}

static double milliseconds_since(uint64_t start_us)
{
    return (double)(monotonic_us() - start_us) / 1000;
}

static void take_snapshot(enum destination destination)
{
    struct snapshot snapshot = {0};
    struct text text = {0};
    uint64_t start_us = monotonic_us();
    int status = py_heap_count(&snapshot, (int)profiler.config.collect);
    snapshot.pause_ms = milliseconds_since(start_us);
    PyThreadState *state = py.PyEval_SaveThread();
    if (py_heap_is_unknown())
        say_once(&schedule.said_unknown,
                 "the heap of this Python is not known: snapshots go through "
                 "gc.get_objects() and take longer");
    if (status == 0)
        status = snapshot_rank(&snapshot);
    snapshot.sequence = ++schedule.sequence;
    long pid = profiler.descendant ? (long)getpid() : 0;
    if (status == 0)
        report_write(&text, &snapshot, (size_t)profiler.config.top_n_classes, pid);
    snapshot.duration_ms = milliseconds_since(start_us);
    if (status != 0 || text.failed)
        message_write("out of memory: snapshot %llu is left out",
                      (unsigned long long)schedule.sequence);
    py.PyEval_RestoreThread(state);
    if (status == 0 && !text.failed)
        log_snapshot(destination, &snapshot, &text);
    text_clear(&text);
    snapshot_clear(&snapshot);
}

/* ---- What the thread does ---- */

static void check_signal(void)
{
    if (profiler.config.snapshot_signal == 0 || profiler.ended || snapshot_signal_is_installed())
        return;
    char name[16];
    snapshot_signal_name((int)profiler.config.snapshot_signal, name);
    if (!schedule.said_signal_lost)
        message_write("snapshot_signal: the program handles %s itself; snapshots by signal are "
                      "off, choose another signal",
                      name);
    schedule.said_signal_lost = true;
}

static uint64_t look_later(uint64_t now_ms)
{
    schedule.look_ms *= 2;
    if (schedule.look_ms > LAST_LOOK_MS)
        schedule.look_ms = LAST_LOOK_MS;
    return now_ms + schedule.look_ms;
}

static uint64_t tick(bool asked)
{
    uint64_t now_ms = monotonic_ms();
    bool patient = asked || now_ms - schedule.started_ms >= interval_ms();
    check_signal();
    enum destination destination = destination_now(patient);
    if (destination == NOWHERE && !schedule.announced)
        return look_later(now_ms);
    if (destination != NOWHERE)
        announce(destination);
    now_ms = monotonic_ms();
    if (destination != NOWHERE && (asked || now_ms >= schedule.next_ms))
        take_snapshot(destination);
    /* From the first one on: late or left-out snapshots do not shift those that follow. */
    now_ms = monotonic_ms();
    while (schedule.next_ms <= now_ms)
        schedule.next_ms += ((now_ms - schedule.next_ms) / interval_ms() + 1) * interval_ms();
    return schedule.next_ms;
}

static void finish(bool asked)
{
    if (!profiler.ended || !(asked || profiler.config.snapshot_at_exit))
        return;
    enum destination destination = destination_now(true);
    if (destination == NOWHERE)
        return;
    announce(destination);
    take_snapshot(destination);
}

static bool may_block(void)
{
    return atomic_load(&profiler.logging);
}

static const struct py_thread_work work = {tick, finish, may_block};

static int start_thread(void)
{
    int error = py_thread_start(&work);
    if (error != 0)
        message_write("cannot start the profiler's thread: %s; the profiler is off",
                      strerror(error));
    return error == 0 ? 0 : -1;
}

/* ---- Events of the host ---- */

static void on_exit_event(void)
{
    if (profiler.ended || profiler.process != getpid())
        return;
    profiler.ended = true;
    /* The signal's handler stays: whoever asks now must not end a program that is ending well. */
    py_log_end_soon();
    if (!py_thread_stop(EXIT_PATIENCE_MS))
        return;
    py_host_end();
    py_log_end();
    py_heap_end();
}

static void on_before_fork(void)
{
    profiler.forker = pthread_self();
    profiler.forking = true;
    if (!profiler.ended && py_thread_is_running())
        profiler.resume = py_thread_stop(FORK_PATIENCE_MS);
}

static void resume(void)
{
    if (!profiler.resume || profiler.ended)
        return;
    profiler.resume = false;
    start_thread();
}

static void resume_after_fork(void)
{
    /* On another thread the process has two threads anyway, and pending calls run on the main
     * thread only, which may sleep for long. */
    bool on_main = pthread_equal(pthread_self(), profiler.main_thread);
    if (!on_main || py_host_call_after_fork(resume) != 0)
        resume();
}

static void on_after_fork_in_parent(void)
{
    profiler.forking = false;
    if (profiler.resume && !profiler.ended)
        resume_after_fork();
}

static void schedule_begin(void)
{
    memset(&schedule, 0, sizeof(schedule));
    schedule.started_ms = monotonic_ms();
    schedule.look_ms = FIRST_LOOK_MS / 2;
}

/* Returns whether this process goes on being profiled. No GIL is needed. */
static bool become_child(void)
{
    if (profiler.process == getpid())
        return false;
    py_thread_forget();
    py_log_forget();
    profiler.process = getpid();
    profiler.main_thread = pthread_self();
    atomic_store(&profiler.logging, false);
    if (profiler.ended || !profiler.config.follow_children) {
        profiler.ended = true;
        snapshot_signal_remove();
        return false;
    }
    bool registered_again = schedule.registered_again;
    schedule_begin();
    schedule.registered_again = registered_again;
    profiler.descendant = true;
    profiler.resume = true;
    return true;
}

static void on_after_fork_in_child(void)
{
    profiler.forking = false;
    if (become_child())
        resume_after_fork();
}

/* ---- Forks that Python is not told of ---- */

static bool python_is_told(void)
{
    return profiler.forking && pthread_equal(profiler.forker, pthread_self());
}

static void before_any_fork(void)
{
    py_thread_hold(profiler.ended || python_is_told() ? 0 : FORK_PATIENCE_MS);
}

/* A thread started here would be in the way of an exec: Python code that runs is the sign that the
 * child is to be more than that. */
static void after_any_fork_in_child(void)
{
    py_thread_forget();
    if (!python_is_told() && become_child())
        py_host_call_when_running(resume);
}

static const struct py_host_events events = {on_exit_event, on_before_fork, on_after_fork_in_parent,
                                             on_after_fork_in_child};

/* ---- The beginning ---- */

static void install_snapshot_signal(int number)
{
    if (number != 0)
        snapshot_signal_install(number, py_thread_wake);
}

int profiler_begin(const struct config *config, bool descendant)
{
    profiler.config = *config;
    profiler.process = getpid();
    profiler.main_thread = pthread_self();
    profiler.descendant = descendant;
    profiler.ended = false;
    profiler.resume = false;
    profiler.forking = false;
    if (py_heap_begin() != 0 || py_host_register(&events) != 0) {
        message_write("this Python lacks what the profiler needs (gc, atexit, "
                      "os.register_at_fork); the profiler is off");
        profiler.ended = true;
        return -1;
    }
    static bool watching;
    if (!watching)
        watching =
            fork_watch_begin(before_any_fork, py_thread_let_go, after_any_fork_in_child) == 0;
    py_log_begin();
    schedule_begin();
    install_snapshot_signal((int)config->snapshot_signal);
    return start_thread();
}
