/* SPDX-License-Identifier: MIT
 *
 * Where a finished snapshot and its verdicts go: to the log, to the file of snapshots, and to the
 * metrics of the program.
 */
#ifndef MEMPROF_PY_DELIVERY_H
#define MEMPROF_PY_DELIVERY_H

#include "config/config.h"
#include "py_outlet.h"
#include "snapshot.h"
#include "text.h"

#include <stdbool.h>

/* Snapshots are records at INFO, verdicts at WARNING. */
struct outlets {
    enum outlet info, warning;
};

/* For a process that begins to be profiled; `config` must live as long as that. What was said once
 * may be said again. Needs no GIL. */
void py_delivery_begin(const struct config *config);

/* Looks for metrics of the program that take the figures of snapshots. Returns whether there are
 * new ones. GIL; Python code runs. */
bool py_delivery_look(void);

/* Whether it is worth while to look again before the next snapshot. GIL. */
bool py_delivery_looks_on(void);

/* Where records would go now; `patient` as for py_outlet_now(). GIL. */
struct outlets py_delivery_outlets(bool patient);

/* Whether somebody reads the log. */
bool py_delivery_is_heard(struct outlets outlets);

/* Whether somebody wants snapshots, be it in the log or elsewhere. Needs no GIL. */
bool py_delivery_is_wanted(struct outlets outlets);

/* Hands out the snapshot that py_capture_finish() has given and its verdicts, before
 * py_capture_clear(); without `text`, which is NULL where memory was short, the verdicts only. GIL;
 * released while files are written. */
void py_delivery_send(struct outlets outlets, const struct snapshot *snapshot,
                      const struct text *text);

/* True while something is being sent, which may block for ever. Any thread, no GIL. */
bool py_delivery_is_busy(void);

#endif
