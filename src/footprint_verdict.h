/* SPDX-License-Identifier: MIT
 *
 * Whether the process and Python disagree about its memory over time. Pure: no clock, no I/O.
 */
#ifndef MEMPROF_FOOTPRINT_VERDICT_H
#define MEMPROF_FOOTPRINT_VERDICT_H

#include "footprint.h"

enum footprint_verdict_kind {
    FOOTPRINT_AGREED, /* or too little is known */
    FOOTPRINT_GREW,   /* the process grows, and Python's objects are a third of it at most */
    FOOTPRINT_KEPT,   /* Python's objects have become less for good, and the process has not */
};

/* Both footprints are those of `footprints`: the last one before the growth, or the one of the
 * peak, and the newest one. */
struct footprint_verdict {
    enum footprint_verdict_kind kind;
    const struct footprint *since;
    const struct footprint *now;
};

/* Not from the first snapshots, nor from a single jump or peak: FOOTPRINT_GREW is growth that
 * trend.h calls a leak, of at least 8 MB and a sixteenth of the process. */
struct footprint_verdict footprint_verdict(const struct footprints *footprints);

#endif
