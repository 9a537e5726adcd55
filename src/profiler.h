/* SPDX-License-Identifier: MIT
 *
 * The profiler of this process: one native thread that wakes up, counts the heap, logs, sleeps.
 */
#ifndef MEMPROF_PROFILER_H
#define MEMPROF_PROFILER_H

#include "config/config.h"

#include <stdbool.h>

/* Starts profiling the calling process. `descendant` says that a profiled process stands above this
 * one: its records then name their process. Call on the thread that initialises Python, once it is
 * initialised; GIL. Returns 0, or -1 after one message, with nothing started. */
int profiler_begin(const struct config *config, bool descendant);

#endif
