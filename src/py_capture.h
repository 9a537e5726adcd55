/* SPDX-License-Identifier: MIT
 *
 * One snapshot, from the decision where it is taken to the text of its record: in place, with the
 * program standing still, or in a twin (twin.h), while it goes on.
 */
#ifndef MEMPROF_PY_CAPTURE_H
#define MEMPROF_PY_CAPTURE_H

#include "config/config.h"
#include "snapshot.h"
#include "text.h"

#include <stdbool.h>

/* For a process that begins to be profiled. `pid` goes into every record, 0 for none. `config` must
 * live as long as the process. Needs no GIL. */
void py_capture_begin(const struct config *config, long pid);

enum py_capture_wish {
    PY_CAPTURE_IN_PLACE = 1, /* in any case not in a twin */
    PY_CAPTURE_HOLDERS = 2 /* with the holders of `retention_classes`, which only a twin can tell */
};

/* Starts a snapshot with all of `wishes`, of which the first goes before the second. Must not be
 * called while one is under way. GIL. */
void py_capture_start(unsigned wishes);

/* From py_capture_start() to py_capture_finish(). Any thread. */
bool py_capture_is_under_way(void);

/* Goes on with the snapshot under way, waiting for its twin at most `wait_ms`. Returns whether
 * py_capture_finish() is to be called. On the thread that has started it; no GIL. */
bool py_capture_attend(int wait_ms);

/* Ends the snapshot under way: takes it in place if its twin has failed. Returns it with its text,
 * until py_capture_clear(); false where memory was short, which has been said then. GIL. */
bool py_capture_finish(const struct snapshot **snapshot, const struct text **text);

/* What is to be said after that of classes that leak, a line each: the `place`th one, or NULL where
 * there are no more. Valid as long. Any thread. */
const struct text *py_capture_verdict(size_t place, bool *is_warning);

/* The next class that is suspected of a leak now, from `*position` on, which starts at 0; NULL
 * after the last one. Valid as long. Any thread. */
const char *py_capture_next_suspect(size_t *position);

/* The same snapshot and verdicts as a line of JSON (snapshot_line.h), for `snapshot_file`; empty
 * without that option. Valid as long. Any thread. */
const struct text *py_capture_line(void);

/* Frees the snapshot and the verdicts, or gives up the one under way. Needs no GIL, but that no
 * other thread is in here. */
void py_capture_clear(void);

/* The interpreter ends: gives up what is kept. The profiler's thread is not to be there any more.
 */
void py_capture_end(void);

/* In a forked child: what is under way is the parent's. Its memory is lost: the fork may have come
 * at any moment. Needs no GIL. */
void py_capture_forget(void);

#endif
