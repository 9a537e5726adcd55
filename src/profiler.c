/* SPDX-License-Identifier: MIT
 *
 * The thread (py_thread.h) calls tick(); the events of py_host.h stop it at exit and around a fork,
 * because CPython 3.12+ warns of a fork in a process that has more than one thread. A fork that
 * Python is not told of (fork_watch.h) only waits until the thread is away from Python. `schedule`
 * belongs to the thread while it runs and to the events while it does not.
 */
#include "profiler.h"

#include "bell.h"
#include "cost.h"
#include "fork_watch.h"
#include "memprof.h"
#include "message.h"
#include "metrics/py_metrics.h"
#include "py_api.h"
#include "py_capture.h"
#include "py_delivery.h"
#include "py_heap.h"
#include "py_host.h"
#include "py_log.h"
#include "py_thread.h"
#include "report.h"
#include "snapshot_file.h"
#include "snapshot_signal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum {
    FORK_PATIENCE_MS = 1000, /* for Python code that blocks while the program forks */
    EXIT_PATIENCE_MS = 2000, /* the same at exit */
    FIRST_LOOK_MS = 50,      /* between looks whether the program's logging is ready */
    LAST_LOOK_MS = 1000,
    REGISTERED_RECORDS = 2,
    TOLD_FORKS = 64
};

static struct {
    struct config config;
    pid_t process;         /* the process that is profiled */
    pthread_t main_thread; /* where its pending calls run */
    bool descendant;
    atomic_bool ended; /* the exit event has come, or this is a forked child that is not followed */
    atomic_bool resume; /* a fork has stopped the thread, and it has to start again */
    /* The threads that are between the events around a fork; 0 in a free place. */
    _Atomic pthread_t told[TOLD_FORKS];
    atomic_bool told_overflowed;
} profiler;

static struct {
    uint64_t started_ms;
    uint64_t next_ms;  /* the next snapshot by the clock */
    uint64_t look_ms;  /* the pause until the next look while nobody listens */
    uint64_t taken_ms; /* when the last snapshot began */
    bool patient;      /* it was asked for, or due after an interval without listeners */
    bool stretched;    /* the log has been told that the interval is */
    bool announced;
    bool said_signal_lost;
    unsigned records; /* that went to logging, up to REGISTERED_RECORDS */
} schedule;

static uint64_t interval_ms(void)
{
    return (uint64_t)profiler.config.interval_seconds * 1000;
}

static const struct py_host_events events;

static void announce(struct outlets outlets)
{
    if (schedule.announced)
        return;
    schedule.announced = true;
    schedule.next_ms = monotonic_ms();
    if (outlets.info != OUTLET_NOWHERE)
        py_outlet_emit(outlets.info, PY_LOG_INFO, MEMPROF_STARTED, strlen(MEMPROF_STARTED), NULL,
                       0);
}

/* ---- A snapshot ---- */

/* By the first record logging has registered its own callbacks for exit and forks, and by the
 * second one what is set up in the moments after the first handler has, like an exporter of
 * records: come before them. */
static void come_before_logging(struct outlets outlets)
{
    bool logs = outlets.info == OUTLET_LOGGING || outlets.warning == OUTLET_LOGGING;
    if (logs && !profiler.ended && schedule.records < REGISTERED_RECORDS) {
        schedule.records++;
        py_host_register(&events);
    }
}

/* A record that says when the next one comes later than the interval, and when no more. */
static void log_stretch(enum outlet outlet, uint64_t rest_ms, double pause_ms)
{
    struct text text = {0};
    bool stretched = rest_ms > interval_ms();
    if (stretched) {
        text_add(&text, "Snapshot interval stretched from %ld s to ",
                 profiler.config.interval_seconds);
        report_add_seconds(&text, rest_ms);
        text_add(&text, ": a pause of ");
        report_add_milliseconds(&text, pause_ms);
        text_add(&text, " would be more than max_overhead_percent %ld allows",
                 profiler.config.max_overhead_percent);
    } else {
        text_add(&text, "Snapshot interval back at %ld s", profiler.config.interval_seconds);
    }
    if (stretched != schedule.stretched && !text.failed)
        py_outlet_emit(outlet, PY_LOG_INFO, text.bytes, text.size, NULL, 0);
    schedule.stretched = stretched;
    text_clear(&text);
}

/* Ends the snapshot under way and hands it out. */
static void complete_snapshot(struct outlets outlets)
{
    const struct snapshot *snapshot;
    const struct text *text;
    bool complete = py_capture_finish(&snapshot, &text);
    double pause_ms = snapshot->pause_ms;
    uint64_t rest_ms =
        cost_interval_ms(interval_ms(), pause_ms, profiler.config.max_overhead_percent);
    if (rest_ms > interval_ms() && schedule.next_ms < schedule.taken_ms + rest_ms)
        schedule.next_ms = schedule.taken_ms + rest_ms;
    py_delivery_send(outlets, snapshot, complete ? text : NULL);
    py_capture_clear();
    if (outlets.info != OUTLET_NOWHERE)
        log_stretch(outlets.info, rest_ms, pause_ms);
}

static void take_snapshot(struct outlets outlets, bool asked)
{
    come_before_logging(outlets);
    schedule.taken_ms = monotonic_ms();
    py_capture_start((profiler.ended ? PY_CAPTURE_IN_PLACE : 0) | (asked ? PY_CAPTURE_HOLDERS : 0));
    if (py_capture_attend(0))
        complete_snapshot(outlets);
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
    uint64_t limit_ms = schedule.announced ? interval_ms() : LAST_LOOK_MS;
    schedule.look_ms *= 2;
    if (schedule.look_ms > limit_ms)
        schedule.look_ms = limit_ms;
    return now_ms + schedule.look_ms;
}

static uint64_t tick(bool asked)
{
    uint64_t now_ms = monotonic_ms();
    bool is_under_way = py_capture_is_under_way();
    bool patient = asked || (is_under_way && schedule.patient) ||
                   now_ms - schedule.started_ms >= interval_ms();
    check_signal();
    /* OpenTelemetry flushes its figures at exit: the last snapshot is to come before that. */
    if (py_delivery_look())
        py_host_register(&events);
    struct outlets outlets = py_delivery_outlets(patient);
    if (is_under_way)
        complete_snapshot(outlets);
    if (!py_delivery_is_wanted(outlets) && !schedule.announced)
        return look_later(now_ms);
    if (py_delivery_is_heard(outlets))
        announce(outlets);
    now_ms = monotonic_ms();
    schedule.patient = patient;
    if (py_delivery_is_wanted(outlets) && (asked || now_ms >= schedule.next_ms))
        take_snapshot(outlets, asked);
    /* From the first one on: late or left-out snapshots do not shift those that follow. */
    now_ms = monotonic_ms();
    while (schedule.next_ms <= now_ms)
        schedule.next_ms += ((now_ms - schedule.next_ms) / interval_ms() + 1) * interval_ms();
    /* What does not come for long is looked for ever more rarely, and most programs wait for
     * nothing. */
    bool looks = !schedule.announced || py_delivery_looks_on();
    uint64_t look_ms = looks ? look_later(now_ms) : schedule.next_ms;
    return look_ms < schedule.next_ms ? look_ms : schedule.next_ms;
}

static void complete_before_end(struct outlets outlets)
{
    uint64_t give_up_ms = monotonic_ms() + EXIT_PATIENCE_MS;
    bool has_ended = false;
    PyThreadState *state = py.PyEval_SaveThread();
    while (!has_ended && monotonic_ms() < give_up_ms)
        has_ended = py_capture_attend(EXIT_PATIENCE_MS);
    py.PyEval_RestoreThread(state);
    if (has_ended)
        complete_snapshot(outlets);
    else
        py_capture_clear();
}

/* Before a fork nothing: what is under way goes on after it. */
static void finish(bool asked)
{
    if (!profiler.ended)
        return;
    struct outlets outlets = py_delivery_outlets(true);
    if (py_capture_is_under_way())
        complete_before_end(outlets);
    if (!py_delivery_is_wanted(outlets) || !(asked || profiler.config.snapshot_at_exit))
        return;
    if (py_delivery_is_heard(outlets))
        announce(outlets);
    take_snapshot(outlets, asked);
}

static bool is_wanted(void)
{
    return !atomic_load(&profiler.ended);
}

static const struct py_thread_work work = {
    tick, finish, py_capture_is_under_way, py_capture_attend, py_delivery_is_busy, is_wanted,
};

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
    py_capture_end();
    py_heap_end();
}

/* Turns the first place that holds `from` into one that holds `to`. */
static bool told_replace(pthread_t from, pthread_t to)
{
    for (int i = 0; i < TOLD_FORKS; i++) {
        pthread_t expected = from;
        if (atomic_compare_exchange_strong(&profiler.told[i], &expected, to))
            return true;
    }
    return false;
}

/* Without a free place no fork can be known as one that Python is not told of, for good. */
static bool python_is_told(void)
{
    return told_replace(pthread_self(), pthread_self()) || profiler.told_overflowed;
}

static void told_clear(void)
{
    for (int i = 0; i < TOLD_FORKS; i++)
        atomic_store(&profiler.told[i], 0);
}

static void on_before_fork(void)
{
    /* The event is told as often as it is registered: who has waited does not do it again. */
    bool again = told_replace(pthread_self(), pthread_self());
    if (!again && !told_replace(0, pthread_self()))
        profiler.told_overflowed = true;
    /* Another thread that forks may have stopped it and left it to be resumed. */
    if (!profiler.ended && py_thread_is_running() && py_thread_stop(again ? 0 : FORK_PATIENCE_MS))
        profiler.resume = true;
}

static void resume(void)
{
    if (!profiler.ended && atomic_exchange(&profiler.resume, false))
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
    told_replace(pthread_self(), 0);
    if (profiler.resume && !profiler.ended)
        resume_after_fork();
}

static void begin_to_profile(void)
{
    py_delivery_begin(&profiler.config);
    py_capture_begin(&profiler.config, profiler.descendant ? (long)profiler.process : 0);
    memset(&schedule, 0, sizeof(schedule));
    schedule.started_ms = monotonic_ms();
    schedule.next_ms = schedule.started_ms;
    schedule.look_ms = FIRST_LOOK_MS / 2;
}

/* Returns whether this process goes on being profiled. No GIL is needed. */
static bool become_child(void)
{
    if (profiler.process == getpid())
        return false;
    py_thread_forget();
    py_log_forget();
    py_metrics_forget();
    snapshot_file_forget();
    told_clear();
    profiler.process = getpid();
    profiler.main_thread = pthread_self();
    py_capture_forget();
    if (profiler.ended || !profiler.config.follow_children) {
        profiler.ended = true;
        snapshot_signal_remove();
        return false;
    }
    unsigned records = schedule.records;
    profiler.descendant = true;
    begin_to_profile();
    schedule.records = records;
    profiler.resume = true;
    return true;
}

static void on_after_fork_in_child(void)
{
    if (become_child())
        resume_after_fork();
}

/* ---- Forks that Python is not told of ---- */

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

static const struct py_host_events events = {{
    [PY_HOST_EXIT] = on_exit_event,
    [PY_HOST_BEFORE_FORK] = on_before_fork,
    [PY_HOST_AFTER_FORK_IN_PARENT] = on_after_fork_in_parent,
    [PY_HOST_AFTER_FORK_IN_CHILD] = on_after_fork_in_child,
}};

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
    told_clear();
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
    py_metrics_begin();
    begin_to_profile();
    install_snapshot_signal((int)config->snapshot_signal);
    return start_thread();
}
