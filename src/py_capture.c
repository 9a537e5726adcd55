/* SPDX-License-Identifier: MIT
 *
 * A twin that goes wrong may have been killed for want of memory, and the next one would be too:
 * one snapshot is then taken in place before the next try, then three, seven, at most 63. Where the
 * kernel has refused to make one, the next snapshot asks again.
 */
#include "py_capture.h"

#include "bell.h"
#include "cost.h"
#include "message.h"
#include "process_stats.h"
#include "py_api.h"
#include "py_heap.h"
#include "report.h"
#include "twin.h"

#include <string.h>
#include <time.h>

enum { TWIN_FAILURES_LIMIT = 6 };

enum stage { IDLE, IN_TWIN, TWIN_FAILED, DONE };

static struct {
    const struct config *config;
    long pid;
    struct cost cost;
    uint64_t sequence;
    uint64_t resident_bytes; /* when objects were last counted for is_twin_better() */
    unsigned twin_failures;  /* in a row */
    unsigned twins_to_skip;
    bool said_unknown, said_no_twin, said_no_holders, said_failed;
} self;

static struct {
    _Atomic enum stage stage;
    struct twin twin;
    struct snapshot snapshot;
    struct text text;
    uint64_t start_us;
    uint64_t resident_bytes;
    double fork_ms; /* of processor time */
    bool wants_holders;
    bool failed; /* out of memory */
} current;

static double milliseconds_since(uint64_t start_us)
{
    return (double)(monotonic_us() - start_us) / 1000;
}

/* Of this thread: what a snapshot costs, however busy the machine is. */
static double processor_ms(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void add_pause(uint64_t start_us)
{
    double pause_ms = milliseconds_since(start_us);
    current.snapshot.pause_ms += pause_ms;
    if (pause_ms > current.snapshot.longest_pause_ms)
        current.snapshot.longest_pause_ms = pause_ms;
}

/* What is left once the classes are known. No GIL. */
static void compose(int status)
{
    struct snapshot *snapshot = &current.snapshot;
    if (status == 0)
        status = snapshot_rank(snapshot);
    snapshot->sequence = self.sequence;
    snapshot->duration_ms = milliseconds_since(current.start_us);
    if (status == 0)
        report_write(&current.text, snapshot, (size_t)self.config->top_n_classes, self.pid);
    current.failed = status != 0 || current.text.failed;
    if (current.failed)
        message_write("out of memory: snapshot %llu is left out",
                      (unsigned long long)self.sequence);
    current.stage = DONE;
}

/* ---- In place ---- */

/* `pause_us` is when the program began to stand still for it. */
static void take_in_place(uint64_t pause_us)
{
    double before_ms = processor_ms();
    int status = py_heap_count(&current.snapshot, (int)self.config->collect);
    double used_ms = processor_ms() - before_ms;
    add_pause(pause_us);
    PyThreadState *state = py.PyEval_SaveThread();
    if (py_heap_is_unknown())
        message_write_once(&self.said_unknown,
                           "the heap of this Python is not known: snapshots go through "
                           "gc.get_objects() and take longer");
    compose(status);
    if (status == 0)
        cost_add_inline(&self.cost, current.snapshot.objects, used_ms);
    py.PyEval_RestoreThread(state);
}

/* ---- In a twin ---- */

static int work_in_twin(struct text *answer)
{
    struct snapshot snapshot = {0};
    const char *held = current.wants_holders ? self.config->retention_classes.text : NULL;
    if (py_heap_count_in_twin(&snapshot, (int)self.config->collect, held) != 0)
        return -1;
    snapshot_encode(&snapshot, answer);
    return 0;
}

static bool is_twin_possible(void)
{
    if (self.config->snapshot_mode == CONFIG_MODE_INLINE)
        return false;
    if (!py_heap_can_be_copied()) {
        if (self.config->snapshot_mode == CONFIG_MODE_FORK)
            message_write_once(&self.said_no_twin,
                               "snapshot_mode is fork, but a forked copy of this Python cannot be "
                               "walked: the program is stopped for snapshots");
        return false;
    }
    if (self.twins_to_skip == 0)
        return true;
    self.twins_to_skip--;
    return false;
}

/* Objects are counted only where they may have become many more since the last snapshot. */
static bool is_twin_better(void)
{
    if (current.resident_bytes == PROCESS_STATS_UNKNOWN)
        return false;
    if (current.resident_bytes > self.resident_bytes + self.resident_bytes / 4) {
        self.resident_bytes = current.resident_bytes;
        self.cost.objects = py_heap_count_up_to(cost_count_limit(&self.cost));
    }
    return cost_prefers_fork(&self.cost, current.resident_bytes);
}

static void check_holders(void)
{
    if (!current.wants_holders)
        return;
    current.wants_holders = false;
    if (self.config->snapshot_mode == CONFIG_MODE_INLINE)
        message_write_once(&self.said_no_holders,
                           "retention_classes: holders are looked for in a forked copy only, and "
                           "snapshot_mode is inline");
    else if (!py_heap_knows_holders())
        message_write_once(&self.said_no_holders,
                           "retention_classes: the holders of objects are not to be found in this "
                           "Python");
    else
        current.wants_holders = true;
}

static bool wants_twin(void)
{
    check_holders();
    return is_twin_possible() && (self.config->snapshot_mode == CONFIG_MODE_FORK ||
                                  current.wants_holders || is_twin_better());
}

static bool start_twin(void)
{
    uint64_t timeout_ms = (uint64_t)self.config->fork_timeout_seconds * 1000;
    double before_ms = processor_ms();
    int error = twin_start(&current.twin, timeout_ms, work_in_twin);
    current.fork_ms = processor_ms() - before_ms;
    if (error != 0)
        message_write_once(&self.said_failed,
                           "cannot fork for a snapshot, the program is stopped for it: %s",
                           strerror(error));
    return error == 0;
}

static void take_answer(void)
{
    size_t size;
    const char *answer = twin_answer(&current.twin, &size);
    int status = snapshot_decode(&current.snapshot, answer, size);
    current.snapshot.is_forked = 1;
    compose(status);
    if (status == 0) {
        self.cost.objects = current.snapshot.objects;
        cost_add_fork(&self.cost, current.resident_bytes, current.fork_ms);
        self.twin_failures = 0;
    }
    twin_end(&current.twin);
}

/* ---- The whole ---- */

void py_capture_begin(const struct config *config, long pid)
{
    memset(&self, 0, sizeof(self));
    self.config = config;
    self.pid = pid;
    cost_begin(&self.cost, config->collect != 0);
}

void py_capture_start(unsigned wishes)
{
    bool in_place = (wishes & PY_CAPTURE_IN_PLACE) != 0;
    current.start_us = monotonic_us();
    current.wants_holders =
        (wishes & PY_CAPTURE_HOLDERS) != 0 && self.config->retention_classes.text[0] != '\0';
    self.sequence++;
    PyThreadState *state = py.PyEval_SaveThread();
    struct process_stats stats;
    process_stats_read(&stats);
    current.resident_bytes = stats.resident_bytes;
    py.PyEval_RestoreThread(state);
    uint64_t start_us = monotonic_us();
    if (!in_place && wants_twin() && start_twin()) {
        add_pause(start_us);
        current.stage = IN_TWIN;
    } else {
        take_in_place(start_us);
    }
}

bool py_capture_is_under_way(void)
{
    return current.stage != IDLE;
}

bool py_capture_attend(int wait_ms)
{
    if (current.stage != IN_TWIN)
        return current.stage != IDLE;
    switch (twin_attend(&current.twin, wait_ms)) {
    case TWIN_WORKS:
        return false;
    case TWIN_ANSWERED:
        take_answer();
        return true;
    case TWIN_LATE:
        message_write_once(&self.said_failed,
                           "a forked snapshot has not ended within fork_timeout_seconds (%ld): "
                           "the program is stopped for snapshots until a later one ends",
                           self.config->fork_timeout_seconds);
        break;
    case TWIN_BROKEN:
        message_write_once(&self.said_failed,
                           "a forked snapshot has failed: "
                           "the program is stopped for snapshots until a later one ends");
        break;
    }
    if (self.twin_failures < TWIN_FAILURES_LIMIT)
        self.twin_failures++;
    self.twins_to_skip = (1u << self.twin_failures) - 1;
    current.stage = TWIN_FAILED;
    return true;
}

bool py_capture_finish(const struct snapshot **snapshot, const struct text **text)
{
    if (current.stage == TWIN_FAILED)
        take_in_place(monotonic_us());
    *snapshot = &current.snapshot;
    *text = &current.text;
    return !current.failed;
}

void py_capture_clear(void)
{
    twin_end(&current.twin);
    snapshot_clear(&current.snapshot);
    text_clear(&current.text);
    current.failed = false;
    current.stage = IDLE;
}

void py_capture_forget(void)
{
    twin_forget(&current.twin);
    memset(&current, 0, sizeof(current));
}
