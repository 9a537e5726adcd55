/* SPDX-License-Identifier: MIT
 *
 * The answer is preceded by its size, so that its end is known without waiting for the end of every
 * copy of the pipe: a fork of the program's own may hold one.
 *
 * The kernel is asked for the copy directly. fork() would run the handlers that libraries have
 * registered with pthread_atfork(), and those are for the program's forks. An exit signal of 0
 * keeps SIGCHLD and wait() out of it; only a wait for __WALL or __WCLONE sees such a child.
 * PR_SET_PDEATHSIG would come when the profiler's thread ends, not the process: a timer looks.
 */
#include "twin.h"

#include "bell.h"
#include "memory.h"
#include "memprof.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
    LOWEST_DESCRIPTOR = 64, /* 0, 1 and 2 may be closed, and the program about to open them */
    LOOK_US = 100000,
    NICENESS = 10,
    VENTURE_MS = 500, /* the end of the program waits for two seconds altogether */
    END_PATIENCE_MS = 1000,
    DESCRIPTOR_LIMIT = 1 << 16,
    PART_BYTES = 1 << 14 /* on the stack: room in the library would cost every process a mapping */
};

/* ---- In the twin ---- */

static pid_t original;
static uint64_t end_ms;

static int answer_descriptor;
static const struct text *volatile spare_answer; /* what is sent should a venture not end */
static uint64_t venture_end_ms;

static int send_all(int descriptor, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(descriptor, at, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* Async-signal-safe. */
static _Noreturn void end_with(const struct text *answer)
{
    uint64_t size = answer->size;
    bool sent = send_all(answer_descriptor, &size, sizeof(size)) == 0 &&
                send_all(answer_descriptor, answer->bytes, answer->size) == 0;
    _exit(sent ? 0 : 1);
}

static void look_around(int number)
{
    (void)number;
    if (spare_answer != NULL && monotonic_ms() >= venture_end_ms)
        end_with(spare_answer);
    if (getppid() != original || monotonic_ms() >= end_ms)
        _exit(1);
}

static void close_all_but(int kept)
{
    if ((kept == 0 || syscall(SYS_close_range, 0u, (unsigned)kept - 1, 0u) == 0) &&
        syscall(SYS_close_range, (unsigned)kept + 1, ~0u, 0u) == 0)
        return;
    struct rlimit limit = {DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT};
    getrlimit(RLIMIT_NOFILE, &limit);
    int end = limit.rlim_cur < DESCRIPTOR_LIMIT ? (int)limit.rlim_cur : DESCRIPTOR_LIMIT;
    for (int i = 0; i < end; i++) {
        if (i != kept)
            close(i);
    }
}

/* Where memory runs short, the twin is to be taken rather than the program. */
static void offer_to_oom_killer(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t written = write(file, "1000", 4);
    (void)written;
    close(file);
}

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* A crash here is none of the program's: no handler of it, no core file. All other signals stay
 * blocked. */
static void settle_signals(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        set_handler(faults[i], SIG_DFL);
        sigdelset(&blocked, faults[i]);
    }
    set_handler(SIGALRM, look_around);
    sigdelset(&blocked, SIGALRM);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const struct itimerval timer = {{0, LOOK_US}, {0, LOOK_US}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static _Noreturn void live(int descriptor, int (*work)(struct text *answer))
{
    answer_descriptor = descriptor;
    close_all_but(descriptor);
    memory_isolate();
    setsid();
    prctl(PR_SET_NAME, MEMPROF_THREAD, 0, 0, 0);
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICENESS);
    offer_to_oom_killer();
    settle_signals();
    struct text answer = {0};
    if (work(&answer) != 0 || answer.failed)
        _exit(1);
    end_with(&answer);
}

void twin_venture(const struct text *answer)
{
    uint64_t now_ms = monotonic_ms();
    uint64_t left_ms = now_ms < end_ms ? (end_ms - now_ms) / 2 : 0;
    venture_end_ms = now_ms + (left_ms < VENTURE_MS ? left_ms : VENTURE_MS);
    spare_answer = answer->failed ? NULL : answer;
}

void twin_return(void)
{
    spare_answer = NULL;
}

/* ---- In the program ---- */

static void raise_descriptor(int *descriptor)
{
    int raised = fcntl(*descriptor, F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
    if (raised < 0)
        return;
    close(*descriptor);
    *descriptor = raised;
}

static int open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    raise_descriptor(&ends[0]);
    raise_descriptor(&ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int twin_start(struct twin *twin, uint64_t timeout_ms, int (*work)(struct text *answer))
{
    int ends[2];
    int error = open_pipe(ends);
    if (error != 0)
        return error;
    original = getpid();
    end_ms = monotonic_ms() + timeout_ms;
    long process = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (process == 0)
        live(ends[1], work);
    error = process < 0 ? errno : 0;
    close(ends[1]);
    if (process < 0)
        close(ends[0]);
    else
        *twin =
            (struct twin){.process = (pid_t)process, .descriptor = ends[0], .deadline_ms = end_ms};
    return error;
}

/* Tells whether the twin is no more. */
static bool reap(struct twin *twin)
{
    if (twin->process == 0)
        return true;
    pid_t ended = waitpid(twin->process, NULL, __WALL | WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR))
        return false;
    twin->process = 0;
    return true;
}

static void end_process(struct twin *twin)
{
    if (twin->process != 0)
        kill(twin->process, SIGKILL);
    uint64_t give_up_ms = monotonic_ms() + END_PATIENCE_MS;
    while (!reap(twin) && monotonic_ms() < give_up_ms) {
        struct timespec moment = {.tv_nsec = 500000};
        nanosleep(&moment, NULL);
    }
    twin->process = 0;
}

static bool is_complete(const struct text *received)
{
    uint64_t size;
    if (received->size < sizeof(size))
        return false;
    memcpy(&size, received->bytes, sizeof(size));
    return received->size - sizeof(size) >= size;
}

/* Takes what is there. Returns whether more may come. */
static bool receive(struct twin *twin)
{
    char part[PART_BYTES];
    for (;;) {
        ssize_t got = read(twin->descriptor, part, sizeof(part));
        if (got > 0)
            text_add_bytes(&twin->received, part, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        else if (errno == EAGAIN)
            return true;
    }
}

enum twin_state twin_attend(struct twin *twin, int wait_ms)
{
    struct pollfd readable = {.fd = twin->descriptor, .events = POLLIN};
    poll(&readable, 1, wait_ms);
    bool has_ended = reap(twin);
    bool may_come = receive(twin) && !has_ended;
    enum twin_state state = TWIN_WORKS;
    if (twin->received.failed)
        state = TWIN_BROKEN;
    else if (is_complete(&twin->received))
        state = TWIN_ANSWERED;
    else if (!may_come)
        state = TWIN_BROKEN;
    else if (monotonic_ms() >= twin->deadline_ms)
        state = TWIN_LATE;
    if (state == TWIN_LATE || state == TWIN_BROKEN)
        twin_end(twin);
    return state;
}

const char *twin_answer(const struct twin *twin, size_t *size)
{
    *size = twin->received.size - sizeof(uint64_t);
    return twin->received.bytes + sizeof(uint64_t);
}

void twin_end(struct twin *twin)
{
    if (twin->deadline_ms == 0)
        return;
    end_process(twin);
    text_clear(&twin->received);
    twin_forget(twin);
}

void twin_forget(struct twin *twin)
{
    if (twin->deadline_ms == 0)
        return;
    close(twin->descriptor);
    *twin = (struct twin){0};
}
