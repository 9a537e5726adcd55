/* SPDX-License-Identifier: MIT
 *
 * A snapshot as the text that goes to the log, in the layout that the README specifies.
 */
#ifndef MEMPROF_REPORT_H
#define MEMPROF_REPORT_H

#include "snapshot.h"
#include "text.h"

/* Appends the whole record, without a newline at its end. `growth`, or NULL, comes after the
 * tables. `pid` names the process in the first line; 0 leaves it out. Out of memory shows in
 * text->failed. */
void report_write(struct text *text, const struct snapshot *snapshot, const struct text *growth,
                  size_t top, long pid);

/* Appends who holds the objects of a class, from two newlines on. */
void report_add_held(struct text *text, const struct held_class *class);

/* Appends one holder: the expression, and what there is to say of where they fan out. */
void report_add_holder(struct text *text, const struct holder *holder);

/* Appends a number with commas between its thousands: 1,234,567. */
void report_add_count(struct text *text, uint64_t count);

/* Appends how many of how many: `48 of 50`. */
void report_add_share(struct text *text, uint64_t share, uint64_t whole);

/* Appends a size as B (no decimal), KB, MB or GB (one decimal, 1024-based): 512 B, 45.2 MB. */
void report_add_size(struct text *text, uint64_t bytes);

/* Appends milliseconds with one decimal below 100: 8.1 ms, 412 ms; or seconds likewise: 17 s. */
void report_add_milliseconds(struct text *text, double milliseconds);
void report_add_seconds(struct text *text, uint64_t milliseconds);

#endif
