/* SPDX-License-Identifier: MIT
 *
 * What all classes looked like over the life of the process, and who of them is suspected of a
 * leak.
 */
#ifndef MEMPROF_HISTORY_H
#define MEMPROF_HISTORY_H

#include "snapshot.h"
#include "growth/trend_watch.h"

/* However many classes there are, and however long it goes on. What malloc() adds is included. */
enum { HISTORY_BYTES_MAX = 1 << 20 };

#define HISTORY_GONE SIZE_MAX

struct history;

/* NULL when out of memory. */
struct history *history_create(void);
void history_destroy(struct history *history);

/* Takes note of a ranked snapshot; `time_ms` is of any epoch and never falls. 0, or -1 when memory,
 * its own or the machine's, was too short to follow everything: the next call makes room by letting
 * go of what is least interesting. */
int history_add(struct history *history, const struct snapshot *snapshot, uint64_t time_ms);

/* How many snapshots it has seen, and the time from the first to the last. */
uint32_t history_snapshots(const struct history *history);
uint64_t history_span_ms(const struct history *history);

/* What it takes, in bytes. */
size_t history_bytes(const struct history *history);

/* How many classes have changed at all and are followed closely: all others have had the same count
 * and the same bytes in every snapshot. The order of the former holds until the next history_add().
 */
size_t history_moving(const struct history *history);

/* One of them. A class that appeared later, or is gone, counts as nothing in between. */
struct history_class {
    size_t index; /* in the snapshot added last, or HISTORY_GONE */
    int64_t count_since_first, bytes_since_first;
    int64_t count_since_previous, bytes_since_previous;
    double count_per_hour, bytes_per_hour; /* since the first snapshot */
    size_t sample_count;
    struct trend_sample samples[TREND_SAMPLES_MAX]; /* oldest first; times count from the first */
};

void history_read(const struct history *history, size_t position, struct history_class *class);

/* Judges one of them; call it once after each history_add(). `name` is its name, copied when it
 * becomes a suspect; NULL will do for a class that is gone. Without memory for a suspect nothing is
 * said of it, until there is some. */
enum trend_event history_judge(struct history *history, size_t position, const char *name,
                               struct trend *trend);

/* What the next history_add() and history_judge() would find, nothing being changed: fills `wishes`
 * with at most `limit` classes that become suspects or are to be spoken of again, those that cost
 * most per hour first, and returns how many. The snapshot need not be ranked; the names are its
 * own. Takes memory of memory.h and nothing else, so that it can be asked in a copy of the process.
 * None when out of memory. */
enum { HISTORY_FORESEE_LIMIT = 16 };

size_t history_foresee(const struct history *history, const struct snapshot *snapshot,
                       uint64_t time_ms, struct held_wish *wishes, size_t limit);

/* Notes on a suspect, of whoever speaks of it; zeros at first. */
struct history_remark {
    uint64_t point;     /* where they are held, as of struct holder */
    uint64_t container; /* history_hash() of the class of that, or 0 */
    double times;       /* as many times as much there may be in bounded containers; else 0 */
    bool is_told;
    unsigned postponed;
};

uint64_t history_hash(const char *name);

/* NULL for a class that was never suspected. Valid until the next history_add(). */
struct history_remark *history_remark(const struct history *history, size_t position);

/* Takes a suspicion back, as if it had not been: the next history_judge() may raise it again... */
void history_retract(struct history *history, size_t position);

/* ... but only once the class has grown beyond `level`. */
void history_forgive(struct history *history, size_t position, struct trend_level level);

/* What history_judge() remembers of a class that is or was suspected, else NULL; and its name.
 * Valid until the next history_add(). */
const struct trend_watch *history_watch(const struct history *history, size_t position);
const char *history_suspect_name(const struct history *history, size_t position);

#endif
