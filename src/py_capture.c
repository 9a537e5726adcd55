/* SPDX-License-Identifier: MIT
 *
 * A twin that goes wrong may have been killed for want of memory, and the next one would be too:
 * one snapshot is then taken in place before the next try, then three, seven, at most 63. Where the
 * kernel has refused to make one, the next snapshot asks again.
 *
 * Who holds the objects of a class that is to be spoken of can be found in a twin only. The one
 * that counts foresees, with its copy of the history, which classes these will be; after a snapshot
 * that was taken in place a twin of its own is made for that, where there are any.
 */
#include "py_capture.h"

#include "account.h"
#include "allocator_stats.h"
#include "bell.h"
#include "cost.h"
#include "message.h"
#include "process_stats.h"
#include "py_api.h"
#include "py_blocks.h"
#include "py_heap.h"
#include "twin.h"

#include <string.h>
#include <time.h>

enum {
    TWIN_FAILURES_LIMIT = 6,
    HOLDERS_MS_PER_MILLION = 4000, /* what finding holders may take on a slow machine */
    WISHES_LIMIT = HISTORY_FORESEE_LIMIT + MEMPROF_NAMES_LIMIT
};

enum stage { IDLE, IN_TWIN, TWIN_FAILED, ASKS_HOLDERS, DONE };

static struct {
    const struct config *config;
    struct cost cost;
    struct account account;
    uint64_t sequence;
    uint64_t resident_bytes; /* when objects were last counted for is_twin_better() */
    unsigned twin_failures;  /* in a row */
    unsigned twins_to_skip;
    bool said_unknown, said_no_twin, said_no_holders, said_no_untracked, said_failed;
} self;

static struct {
    _Atomic enum stage stage;
    struct twin twin;
    struct snapshot snapshot;
    struct account_words words;
    struct held_wish wishes[WISHES_LIMIT];
    size_t wish_count;
    struct timespec start_time;
    uint64_t start_us;
    uint64_t resident_bytes;
    double fork_ms; /* of processor time */
    bool wants_holders;
    bool wants_untracked;
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

/* The kernel's part of the footprint. */
static void read_process(struct footprint *footprint)
{
    struct process_stats stats;
    process_stats_read(&stats);
    memset(footprint, 0xff, sizeof(*footprint)); /* all of it unknown */
    footprint->resident_bytes = stats.resident_bytes;
    footprint->anonymous_bytes = stats.anonymous_bytes;
    footprint->swapped_bytes = stats.swapped_bytes;
}

static void set_allocator(struct footprint *footprint, const struct allocator_stats *stats)
{
    footprint->allocator_used_bytes = stats->used_bytes;
    footprint->allocator_free_bytes = stats->free_bytes;
}

static uint64_t start_ms(void)
{
    return current.start_us / 1000;
}

/* One that had to do without what is not tracked is not to be compared with those that had it. */
static bool is_comparable(void)
{
    bool others_have_it = self.config->count_untracked && py_heap_knows_untracked() &&
                          self.config->snapshot_mode != CONFIG_MODE_INLINE;
    return !others_have_it || current.snapshot.is_forked;
}

/* Puts everything into words. No GIL. */
static void compose(int status)
{
    struct snapshot *snapshot = &current.snapshot;
    snapshot->sequence = self.sequence;
    snapshot->duration_ms = milliseconds_since(current.start_us);
    snapshot->has_untracked = snapshot->is_forked && current.wants_untracked;
    if (status == 0)
        status = account_tell(&self.account, snapshot, start_ms(), &current.start_time,
                              is_comparable(), &current.words);
    current.failed = status != 0;
    if (current.failed)
        message_write("out of memory: snapshot %llu is left out",
                      (unsigned long long)self.sequence);
    current.stage = DONE;
}

/* ---- Holders ---- */

static bool may_look_for_holders(void)
{
    uint64_t millions = self.cost.objects / 1000000;
    return self.config->snapshot_mode != CONFIG_MODE_INLINE && py_heap_knows_holders() &&
           millions * HOLDERS_MS_PER_MILLION < (uint64_t)self.config->fork_timeout_seconds * 1000;
}

/* Adds the classes that the next verdicts will be about. */
static void wish_for_suspects(const struct snapshot *snapshot)
{
    if (is_comparable() && may_look_for_holders())
        current.wish_count += account_foresee(&self.account, snapshot, start_ms(),
                                              &current.wishes[current.wish_count]);
}

/* Each class is asked once: a suspect's objects answer for those that were asked for. */
static void wish_for(const char *name)
{
    size_t i = 0;
    while (i < current.wish_count && strcmp(current.wishes[i].name, name) != 0)
        i++;
    if (i == current.wish_count)
        current.wishes[current.wish_count++] = (struct held_wish){.name = name};
    current.wishes[i].reasons |= HELD_ASKED;
}

static void wish_for_asked(void)
{
    const char *name = self.config->retention_classes.text;
    for (; *name != '\0'; name += strlen(name) + 1)
        wish_for(name);
}

static int find_holders(struct holders *holders)
{
    return current.wish_count > 0
               ? py_heap_find_holders(holders, current.wishes, current.wish_count)
               : 0;
}

static int find_holders_in_twin(struct text *answer)
{
    struct holders holders = {0};
    if (find_holders(&holders) != 0)
        return -1;
    holders_encode(&holders, answer);
    return 0;
}

/* The program stands still for it. */
static bool start_twin(int (*work)(struct text *answer))
{
    uint64_t start_us = monotonic_us();
    uint64_t timeout_ms = (uint64_t)self.config->fork_timeout_seconds * 1000;
    double before_ms = processor_ms();
    int error = twin_start(&current.twin, timeout_ms, work);
    current.fork_ms = processor_ms() - before_ms;
    if (error != 0)
        message_write_once(&self.said_failed,
                           "cannot fork for a snapshot, the program is stopped for it: %s",
                           strerror(error));
    if (error == 0)
        add_pause(start_us);
    return error == 0;
}

/* ---- In place ---- */

/* `pause_us` is when the program began to stand still for it. `may_fork` as far as that goes. */
static void take_in_place(uint64_t pause_us, bool may_fork)
{
    double before_ms = processor_ms();
    int status = py_heap_count(&current.snapshot, (int)self.config->collect);
    double used_ms = processor_ms() - before_ms;
    current.snapshot.footprint.blocks = py_blocks_count();
    add_pause(pause_us);
    PyThreadState *state = py.PyEval_SaveThread();
    struct allocator_stats allocator;
    allocator_stats_read_if_cheap(&allocator);
    set_allocator(&current.snapshot.footprint, &allocator);
    if (py_heap_is_unknown())
        message_write_once(&self.said_unknown,
                           "the heap of this Python is not known: snapshots go through "
                           "gc.get_objects() and take longer");
    if (status == 0)
        status = snapshot_rank(&current.snapshot);
    if (status == 0)
        cost_add_inline(&self.cost, current.snapshot.objects, used_ms);
    if (status == 0 && may_fork && self.twins_to_skip == 0)
        wish_for_suspects(&current.snapshot);
    py.PyEval_RestoreThread(state);
    if (current.wish_count > 0 && start_twin(find_holders_in_twin)) {
        current.stage = ASKS_HOLDERS;
        return;
    }
    state = py.PyEval_SaveThread();
    compose(status);
    py.PyEval_RestoreThread(state);
}

/* ---- In a twin ---- */

/* What takes locks, once the rest can be sent without it. */
static void add_allocators(struct snapshot *snapshot, struct text *answer)
{
    struct allocator_stats allocator;
    twin_venture(answer);
    uint64_t blocks = py_blocks_count();
    allocator_stats_read(&allocator);
    twin_return();
    snapshot->footprint.blocks = blocks;
    set_allocator(&snapshot->footprint, &allocator);
    answer->size = 0;
    snapshot_encode(snapshot, answer);
}

static int work_in_twin(struct text *answer)
{
    struct snapshot snapshot = {.footprint = current.snapshot.footprint};
    current.snapshot.is_forked = 1;
    if (py_heap_count_in_twin(&snapshot, (int)self.config->collect, current.wants_untracked) != 0)
        return -1;
    wish_for_suspects(&snapshot);
    if (current.wants_holders)
        wish_for_asked();
    if (find_holders(&snapshot.holders) != 0)
        return -1;
    snapshot_encode(&snapshot, answer);
    add_allocators(&snapshot, answer);
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

static void check_untracked(void)
{
    if (!current.wants_untracked)
        return;
    current.wants_untracked = false;
    if (self.config->snapshot_mode == CONFIG_MODE_INLINE)
        message_write_once(&self.said_no_untracked,
                           "count_untracked: what the collector does not track is counted in a "
                           "forked copy only, and snapshot_mode is inline");
    else if (!py_heap_knows_untracked())
        message_write_once(&self.said_no_untracked,
                           "count_untracked: what the collector does not track is not to be found "
                           "in this Python");
    else
        current.wants_untracked = true;
}

static bool wants_twin(void)
{
    check_holders();
    check_untracked();
    return is_twin_possible() &&
           (self.config->snapshot_mode == CONFIG_MODE_FORK || current.wants_holders ||
            current.wants_untracked || is_twin_better());
}

static void take_answer(void)
{
    size_t size;
    const char *answer = twin_answer(&current.twin, &size);
    int status = snapshot_decode(&current.snapshot, answer, size);
    current.snapshot.is_forked = 1;
    if (status == 0)
        status = snapshot_rank(&current.snapshot);
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
    account_begin(&self.account, config, pid);
    cost_begin(&self.cost, config->collect != 0);
}

void py_capture_start(unsigned wishes)
{
    bool in_place = (wishes & PY_CAPTURE_IN_PLACE) != 0;
    current.start_us = monotonic_us();
    clock_gettime(CLOCK_REALTIME, &current.start_time);
    current.wants_holders =
        (wishes & PY_CAPTURE_HOLDERS) != 0 && self.config->retention_classes.text[0] != '\0';
    current.wants_untracked = self.config->count_untracked != 0;
    self.sequence++;
    PyThreadState *state = py.PyEval_SaveThread();
    read_process(&current.snapshot.footprint);
    current.resident_bytes = current.snapshot.footprint.resident_bytes;
    py.PyEval_RestoreThread(state);
    uint64_t start_us = monotonic_us();
    if (!in_place && wants_twin() && start_twin(work_in_twin))
        current.stage = IN_TWIN;
    else
        take_in_place(start_us, !in_place);
}

bool py_capture_is_under_way(void)
{
    return current.stage != IDLE;
}

static void take_holders(void)
{
    size_t size;
    const char *answer = twin_answer(&current.twin, &size);
    if (holders_decode(&current.snapshot.holders, answer, size) != 0)
        holders_clear(&current.snapshot.holders);
    twin_end(&current.twin);
    compose(0);
}

static void give_twin_up(void)
{
    if (self.twin_failures < TWIN_FAILURES_LIMIT)
        self.twin_failures++;
    self.twins_to_skip = (1u << self.twin_failures) - 1;
    if (current.stage == ASKS_HOLDERS)
        compose(0);
    else
        current.stage = TWIN_FAILED;
}

bool py_capture_attend(int wait_ms)
{
    if (current.stage != IN_TWIN && current.stage != ASKS_HOLDERS)
        return current.stage != IDLE;
    switch (twin_attend(&current.twin, wait_ms)) {
    case TWIN_WORKS:
        return false;
    case TWIN_ANSWERED:
        if (current.stage == ASKS_HOLDERS)
            take_holders();
        else
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
    give_twin_up();
    return true;
}

bool py_capture_finish(const struct snapshot **snapshot, const struct text **text)
{
    if (current.stage == TWIN_FAILED)
        take_in_place(monotonic_us(), false);
    *snapshot = &current.snapshot;
    *text = &current.words.record;
    return !current.failed;
}

const struct text *py_capture_verdict(size_t place, bool *is_warning)
{
    const struct account_words *words = &current.words;
    if (place >= words->verdict_count)
        return NULL;
    *is_warning = words->events[place] != TREND_CLEARED;
    return &words->verdicts[place];
}

const char *py_capture_next_suspect(size_t *position)
{
    return account_next_suspect(&self.account, position);
}

const struct text *py_capture_line(void)
{
    return &current.words.line;
}

void py_capture_clear(void)
{
    twin_end(&current.twin);
    snapshot_clear(&current.snapshot);
    account_words_clear(&current.words);
    current.wish_count = 0;
    current.failed = false;
    current.stage = IDLE;
}

void py_capture_end(void)
{
    account_end(&self.account);
}

void py_capture_forget(void)
{
    twin_forget(&current.twin);
    memset(&current, 0, sizeof(current));
}
