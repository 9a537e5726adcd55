/* SPDX-License-Identifier: MIT
 *
 * The footprint of the process as text, in the layout that the README specifies.
 */
#ifndef MEMPROF_FOOTPRINT_REPORT_H
#define MEMPROF_FOOTPRINT_REPORT_H

#include "footprint.h"
#include "text.h"

/* Appends a line on the newest footprint and its change since the first, from two newlines on, and
 * where the process and Python disagree a second one that says so. Nothing for NULL.
 * `counts_untracked` says that snapshots hold also what the collector does not track. */
void footprint_report_add(struct text *text, const struct footprints *footprints,
                          bool counts_untracked);

#endif
