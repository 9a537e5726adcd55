/* SPDX-License-Identifier: MIT
 *
 * The storage of a history: which classes are known, and which of them are followed closely. Keeps
 * the books of the memory that both take.
 */
#ifndef MEMPROF_HISTORY_TABLE_H
#define MEMPROF_HISTORY_TABLE_H

#include "growth/history.h"
#include "growth/series.h"

/* A class. Names are not kept: 64 bits of hash tell thousands of classes apart. */
struct history_entry {
    uint64_t hash;
    uint64_t bytes : 40; /* of a quiet class: what it has always had */
    uint64_t track : 24; /* of a moving class: its position in tracks, plus 1; else 0 */
    uint32_t count;
    uint32_t seen; /* the last snapshot that had it */
};

/* One with a series. */
struct history_track {
    uint64_t hash;
    struct series series;
    struct history_suspect *suspect; /* owned, or NULL */
    uint32_t index;                  /* in the last snapshot, or UINT32_MAX */
};

struct history_suspect {
    struct trend_watch watch;
    struct history_remark remark;
    char name[];
};

enum { SHELF_COUNT = 256 };

/* Entries whose hash begins with the same byte: a full shelf grows by moving little. */
struct history_shelf {
    struct history_entry *entries;
    uint16_t count;
    uint16_t capacity;
};

struct history {
    struct history_shelf shelves[SHELF_COUNT];
    struct history_track **tracks;
    size_t track_count;
    size_t track_capacity;
    size_t entry_bytes; /* of the shelves */
    size_t bytes;       /* of everything */
    uint64_t first_ms;
    uint64_t span_ms;
    uint32_t snapshots;
    struct series_sample first;    /* with the times of the first snapshot, ... */
    struct series_sample previous; /* ... and of the one before this one */
    unsigned samples_max;          /* per series */
    unsigned least_bytes;          /* magnitudes that a newcomer, ... */
    unsigned least_change;         /* ... and a change have to exceed */
    bool is_crowded;               /* there was no room for a class, */
    bool is_short;                 /* for a series, or for a sample, */
    bool has_refused;              /* in particular for a series */
    bool has_forgotten;            /* a newcomer may be an old acquaintance */
};

/* The number of binary digits. */
unsigned magnitude_of(uint64_t value);

/* NULL if there is none. Valid until an entry is added or room is made. */
struct history_entry *history_find(const struct history *history, uint64_t hash);

/* Adds an empty entry. NULL when there is no room, or no memory. */
struct history_entry *history_enter(struct history *history, uint64_t hash);

/* Makes a quiet class a moving one, with one sample for now. NULL as above. */
struct history_track *history_follow(struct history *history, struct history_entry *entry,
                                     struct series_sample first);

/* Adds a sample; when there is no room an older one goes. */
void history_append(struct history *history, struct history_track *track,
                    struct series_sample sample);

/* Starts to remember a suspect. NULL as above. */
struct history_suspect *history_remember(struct history *history, struct history_track *track,
                                         const char *name);

/* If there was no room lately: lets go of what is least interesting. */
void history_make_room(struct history *history);

#endif
