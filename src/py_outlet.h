/* SPDX-License-Identifier: MIT
 *
 * Where the profiler's records go: to Python's logging, to descriptor 2, or nowhere.
 */
#ifndef MEMPROF_PY_OUTLET_H
#define MEMPROF_PY_OUTLET_H

#include "config/config.h"
#include "py_log.h"

#include <stdbool.h>

enum outlet { OUTLET_NOWHERE, OUTLET_LOGGING, OUTLET_DESCRIPTOR };

/* For a process that begins to be profiled: `output` is one of enum config_output. What was said
 * once may be said again. Needs no GIL. */
void py_outlet_begin(long output);

/* Where a record of this level would go now. `patient`: the program has had an interval's time to
 * set its logging up, or somebody has asked for this very record; what keeps it from being seen is
 * said once then. GIL. */
enum outlet py_outlet_now(enum py_log_level level, bool patient);

/* Sends one record of `text` (UTF-8). GIL; released while descriptor 2 is written to. */
void py_outlet_emit(enum outlet outlet, enum py_log_level level, const char *text, size_t size,
                    const struct py_log_extra *extra, size_t extra_count);

/* True while a record is being sent, which may block for ever. Any thread, no GIL. */
bool py_outlet_is_busy(void);

#endif
