/* SPDX-License-Identifier: MIT
 *
 * What a history says, as text for the log, in the layout that the README specifies.
 */
#ifndef MEMPROF_GROWTH_TEXT_H
#define MEMPROF_GROWTH_TEXT_H

#include "growth/suspects.h"

#include <time.h>

/* Appends the section on growth of a snapshot's record, from two newlines on: at most `rows`
 * classes (`rows` is 1 or more) by memory and as many by count. Nothing after a single snapshot. */
void growth_text_add(struct text *text, const struct history *history,
                     const struct snapshot *snapshot, size_t rows);

/* Appends what is to be said of one class, in one line. `now` is the time of its last sample. */
void growth_text_add_suspect(struct text *text, const struct suspect *suspect, time_t now);

#endif
