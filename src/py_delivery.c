/* SPDX-License-Identifier: MIT
 *
 * What goes wrong at one place is said there once, and keeps nothing from the others.
 */
#include "py_delivery.h"

#include "message.h"
#include "metrics/gauges.h"
#include "metrics/py_metrics.h"
#include "py_capture.h"
#include "snapshot_file.h"
#include "text.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static struct {
    const struct config *config;
    bool said_unwritten;
} self;

static atomic_bool is_writing; /* on a disk that may not answer */

void py_delivery_begin(const struct config *config)
{
    self.config = config;
    self.said_unwritten = false;
    atomic_store(&is_writing, false);
    py_outlet_begin(config->output);
}

bool py_delivery_look(void)
{
    return self.config->metrics && py_metrics_attend();
}

bool py_delivery_looks_on(void)
{
    return self.config->metrics && py_metrics_are_expected();
}

struct outlets py_delivery_outlets(bool patient)
{
    struct outlets outlets = {py_outlet_now(PY_LOG_INFO, patient), OUTLET_NOWHERE};
    if (self.config->leak_detection)
        outlets.warning = py_outlet_now(PY_LOG_WARNING, false);
    if (self.config->leak_detection && outlets.warning == OUTLET_NOWHERE)
        outlets.warning = outlets.info;
    return outlets;
}

bool py_delivery_is_heard(struct outlets outlets)
{
    return outlets.info != OUTLET_NOWHERE || outlets.warning != OUTLET_NOWHERE;
}

/* Whoever names a file wants what it gets, whether or not somebody reads the log. */
static bool has_file(void)
{
    return self.config->snapshot_file.text[0] != '\0';
}

bool py_delivery_is_wanted(struct outlets outlets)
{
    return py_delivery_is_heard(outlets) || has_file() || py_metrics_are_shown();
}

/* ---- The log ---- */

enum { FOOTPRINT_EXTRAS = 6 };

/* What is known of the process, as attributes of the record. Returns how many. */
static size_t add_footprint(struct py_log_extra *extra, const struct footprint *footprint)
{
    const struct {
        const char *name;
        uint64_t value;
    } members[FOOTPRINT_EXTRAS] = {
        {"memprof_resident_bytes", footprint->resident_bytes},
        {"memprof_anonymous_bytes", footprint->anonymous_bytes},
        {"memprof_swapped_bytes", footprint->swapped_bytes},
        {"memprof_allocated_blocks", footprint->blocks},
        {"memprof_allocator_used_bytes", footprint->allocator_used_bytes},
        {"memprof_allocator_free_bytes", footprint->allocator_free_bytes},
    };
    size_t count = 0;
    for (size_t i = 0; i < FOOTPRINT_EXTRAS; i++) {
        if (members[i].value != FOOTPRINT_UNKNOWN)
            extra[count++] = (struct py_log_extra){members[i].name, (double)members[i].value, 1};
    }
    return count;
}

static void log_snapshot(enum outlet outlet, const struct snapshot *snapshot,
                         const struct text *text)
{
    const struct py_log_extra own[] = {
        {"memprof_objects", (double)snapshot->objects, 1},
        {"memprof_bytes", (double)snapshot->bytes, 1},
        {"memprof_classes", (double)snapshot->class_count, 1},
        {"memprof_duration_ms", snapshot->duration_ms, 0},
        {"memprof_pause_ms", snapshot->pause_ms, 0},
        {"memprof_longest_pause_ms", snapshot->longest_pause_ms, 0},
        {"memprof_forked", snapshot->is_forked, 1},
        {"memprof_sequence", (double)snapshot->sequence, 1},
    };
    struct py_log_extra extra[sizeof(own) / sizeof(own[0]) + FOOTPRINT_EXTRAS];
    memcpy(extra, own, sizeof(own));
    size_t count = sizeof(own) / sizeof(own[0]);
    count += add_footprint(&extra[count], &snapshot->footprint);
    py_outlet_emit(outlet, PY_LOG_INFO, text->bytes, text->size, extra, count);
}

static void log_verdicts(struct outlets outlets)
{
    bool is_warning;
    const struct text *text;
    for (size_t i = 0; (text = py_capture_verdict(i, &is_warning)) != NULL; i++) {
        enum outlet outlet = is_warning ? outlets.warning : outlets.info;
        if (outlet != OUTLET_NOWHERE && !text->failed)
            py_outlet_emit(outlet, is_warning ? PY_LOG_WARNING : PY_LOG_INFO, text->bytes,
                           text->size, NULL, 0);
    }
}

/* ---- The file ---- */

/* GIL; released meanwhile. */
static void keep_line(const struct text *line)
{
    const struct snapshot_file file = {
        .path = self.config->snapshot_file.text,
        .pid = (long)getpid(),
        .limit_bytes = (uint64_t)self.config->snapshot_file_max_mb << 20,
    };
    const char *why;
    atomic_store(&is_writing, true);
    PyThreadState *state = py.PyEval_SaveThread();
    if (snapshot_file_append(&file, line->bytes, line->size, &why) != 0)
        message_write_once(&self.said_unwritten,
                           "snapshot_file: lines are lost, until it can be written: %s: %s", why,
                           file.path);
    py.PyEval_RestoreThread(state);
    atomic_store(&is_writing, false);
}

/* ---- The metrics ---- */

/* Also while nobody shows them: who comes before the next snapshot is to find this one. */
static void show(const struct snapshot *snapshot)
{
    const char *suspects[GAUGES_SUSPECTS_LIMIT + 1];
    size_t position = 0, count = 0;
    do {
        suspects[count] = py_capture_next_suspect(&position);
    } while (suspects[count] != NULL && ++count < GAUGES_SUSPECTS_LIMIT);
    suspects[count] = NULL;
    gauges_set(snapshot, (size_t)self.config->top_n_classes, suspects);
}

/* ---- All of them ---- */

void py_delivery_send(struct outlets outlets, const struct snapshot *snapshot,
                      const struct text *text)
{
    if (text != NULL && self.config->metrics)
        show(snapshot);
    if (text != NULL && has_file())
        keep_line(py_capture_line());
    if (text != NULL && outlets.info != OUTLET_NOWHERE)
        log_snapshot(outlets.info, snapshot, text);
    log_verdicts(outlets);
}

bool py_delivery_is_busy(void)
{
    return py_outlet_is_busy() || atomic_load(&is_writing) || py_metrics_is_busy();
}
