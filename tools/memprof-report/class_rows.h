/* SPDX-License-Identifier: MIT
 *
 * The rows of one process: its classes, ordered by name, each with its points in time.
 */
#ifndef MEMPROF_REPORT_CLASS_ROWS_H
#define MEMPROF_REPORT_CLASS_ROWS_H

#include "model.h"

/* Adds one point to each class of the reading, and rows for those that are new. *points becomes how
 * many points were added. -1 when out of memory: the rows are then as they were, or have some of
 * the new points. */
int class_rows_add(struct class ***rows, size_t *count, const struct reading *reading,
                   uint32_t frame, uint64_t *points);

/* Lets go the half of the classes that were smallest at their largest. Returns how many points. */
uint64_t class_rows_halve(struct class **rows, size_t *count);

/* Keeps the points of frames that are multiples of `stride`, and of `newest`; drops that of
 * `frame`. Both return how many points have gone. */
size_t class_thin(struct class *class, uint32_t stride, uint32_t newest);
size_t class_drop(struct class *class, uint32_t frame);

void class_destroy(struct class *class);

#endif
