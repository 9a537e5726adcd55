/* SPDX-License-Identifier: MIT
 *
 * Asked anew for every record: programs set their logging up late, and change it.
 */
#include "py_outlet.h"

#include "memprof.h"
#include "message.h"
#include "text.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

static struct {
    long output;
    bool said_disabled, said_unheard, said_raised;
} self;

static atomic_bool busy;

void py_outlet_begin(long output)
{
    memset(&self, 0, sizeof(self));
    self.output = output;
    atomic_store(&busy, false);
}

enum outlet py_outlet_now(enum py_log_level level, bool patient)
{
    if (self.output == CONFIG_OUTPUT_STDERR)
        return OUTLET_DESCRIPTOR;
    switch (py_log_route(level)) {
    case PY_LOG_HEARD:
        return OUTLET_LOGGING;
    case PY_LOG_DECLINED:
        return OUTLET_NOWHERE;
    case PY_LOG_DISABLED:
        if (patient)
            message_write_once(
                &self.said_disabled,
                "logging.disable() is in force at INFO or above: snapshots are not logged");
        return OUTLET_NOWHERE;
    case PY_LOG_ABSENT:
    case PY_LOG_UNHEARD:
        break;
    }
    if (patient && self.output == CONFIG_OUTPUT_LOGGING)
        message_write_once(&self.said_unheard,
                           "output is logging, but no logging handler takes INFO "
                           "records of memory_profiler: snapshots are not logged");
    return patient && self.output == CONFIG_OUTPUT_AUTO ? OUTLET_DESCRIPTOR : OUTLET_NOWHERE;
}

/* One record as logging would print it: date, level, logger, text. */
static void write_record(enum py_log_level level, const char *text, size_t size)
{
    struct text record = {0};
    struct timespec now = {0};
    struct tm parts;
    char date[32] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &parts) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &parts);
    text_add(&record, "%s,%03ld %s " MEMPROF_LOGGER ": ", date, now.tv_nsec / 1000000,
             level == PY_LOG_INFO ? "INFO" : "WARNING");
    text_add_bytes(&record, text, size);
    text_add_bytes(&record, "\n", 1);
    if (!record.failed)
        message_write_record(record.bytes, record.size);
    text_clear(&record);
}

void py_outlet_emit(enum outlet outlet, enum py_log_level level, const char *text, size_t size,
                    const struct py_log_extra *extra, size_t extra_count)
{
    atomic_store(&busy, true);
    if (outlet == OUTLET_LOGGING) {
        if (py_log_emit(level, text, size, extra, extra_count) != 0)
            message_write_once(&self.said_raised,
                               "a logging handler raised: records of memory_profiler may be lost");
    } else {
        PyThreadState *state = py.PyEval_SaveThread();
        write_record(level, text, size);
        py.PyEval_RestoreThread(state);
    }
    atomic_store(&busy, false);
}

bool py_outlet_is_busy(void)
{
    return atomic_load(&busy);
}
