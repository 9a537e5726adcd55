/* SPDX-License-Identifier: MIT
 *
 * What is to be said of the classes that a history suspects after one more snapshot: who is
 * accused, who grows only as a part of another, and who is let go because what holds it is bounded.
 * Pure: no clock, no I/O, no Python.
 */
#ifndef MEMPROF_SUSPECTS_H
#define MEMPROF_SUSPECTS_H

#include "growth/history.h"
#include "text.h"

/* One class to speak of. */
struct suspect {
    enum trend_event event;        /* TREND_DOUBLED for whoever was told of before */
    const char *name;              /* the history's own, until its next history_add() */
    struct trend_watch watch;      /* as of before it was cleared */
    struct trend_sample now;       /* zeros where the class is gone */
    const struct held_class *held; /* the snapshot's own, or NULL */
    double bytes_per_hour;         /* its parts' included */
    struct text parts;             /* the classes that grow as parts of it: `dict, list` */
};

enum { SUSPECTS_LIMIT = 32 };

/* Those accused first, the dearest per hour before others; then those that are cleared. Zero is
 * empty. */
struct suspects {
    struct suspect list[SUSPECTS_LIMIT];
    size_t count;
};

/* Judges every class after history_add(), with the holders that the snapshot may have. Call it once
 * for each. Where memory is short something may be left out, and comes the next time. */
void suspects_find(struct suspects *suspects, struct history *history,
                   const struct snapshot *snapshot);

void suspects_clear(struct suspects *suspects);

/* The next class that has been told of and not cleared since, from `*position` on, which starts at
 * 0; NULL after the last one. The name is the history's own, until its next history_add(). */
const char *suspects_next_told(const struct history *history, size_t *position);

#endif
