/* SPDX-License-Identifier: MIT
 *
 * Where what was read goes: parsers hand it on the moment it is whole.
 */
#ifndef MEMPROF_REPORT_SINK_H
#define MEMPROF_REPORT_SINK_H

#include "reading.h"

/* What is wrong with input that is left out, each counted by itself. */
enum skipped {
    SKIPPED_DAMAGED,   /* a line that says it is ours, and is not what it should be */
    SKIPPED_SCHEMA,    /* of a later version than this program's */
    SKIPPED_LONG,      /* a line above the limit */
    SKIPPED_CUT,       /* a snapshot without its end, of which nothing is used */
    SKIPPED_SHORTENED, /* a snapshot without its end, whose tables were whole: it is used */
    SKIPPED_KINDS,
};

/* Each function belongs to `self`. What they are given is the caller's, and they return 0, or -1
 * when out of memory: the caller then gives up. */
struct sink {
    void *self;
    int (*snapshot)(void *self, const struct reading *reading);
    int (*verdict)(void *self, const struct verdict *verdict);
    /* `text` says what was found and what is allowed; NULL where the count alone is of interest. */
    void (*skip)(void *self, enum skipped what, const char *text);
    /* A profiler has been started in this stream. */
    void (*start)(void *self);
};

#endif
