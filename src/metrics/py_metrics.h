/* SPDX-License-Identifier: MIT
 *
 * The gauges of the latest snapshot (gauges.h), shown by whatever the program itself uses for its
 * metrics: OpenTelemetry, prometheus_client, or both. Without either there is nothing.
 */
#ifndef MEMPROF_PY_METRICS_H
#define MEMPROF_PY_METRICS_H

#include "snapshot.h"

#include <stdbool.h>

/* For a new life of the interpreter: what an earlier one has registered died with it. Needs no GIL.
 */
void py_metrics_begin(void);

/* Looks for both and registers with what it finds, once: the program may import them late. Where
 * gevent has patched the program that is done in a greenlet of the main thread, soon, or where too
 * many calls wait for that, when next asked. Returns whether something was found. GIL; Python code
 * runs. */
bool py_metrics_attend(void);

/* Whether it is worth while to look again before the next snapshot. GIL. */
bool py_metrics_are_expected(void);

/* Whether somebody may read the gauges. Needs no GIL. */
bool py_metrics_are_shown(void);

/* True while Python code is registering, which may block. Any thread, no GIL. */
bool py_metrics_is_busy(void);

/* In a forked child that is profiled itself what was registered is there, without figures. No GIL.
 */
void py_metrics_forget(void);

#endif
