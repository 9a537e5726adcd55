/* SPDX-License-Identifier: MIT
 *
 * A frozen, ranked picture of the heap: what one census found, by class name.
 */
#ifndef MEMPROF_SNAPSHOT_H
#define MEMPROF_SNAPSHOT_H

#include "footprint.h"
#include "holders.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snapshot_class {
    char *name; /* UTF-8, printable, owned */
    uint64_t count;
    uint64_t bytes;
};

/* Zero is the empty snapshot. Fill with snapshot_add(), then call snapshot_rank() once. */
struct snapshot {
    struct snapshot_class *classes; /* ordered by name once ranked, no name twice */
    size_t class_count;
    size_t capacity;
    uint32_t *by_count; /* indices into classes: largest first, ties by name */
    uint32_t *by_bytes;
    uint64_t objects; /* sums over all classes */
    uint64_t bytes;
    uint64_t sequence; /* 1 for the first snapshot of a process */
    double duration_ms;
    double pause_ms;         /* the part of it in which no thread could run Python */
    double longest_pause_ms; /* the longest stretch of that */
    int is_forked;           /* taken in a copy of the process */
    bool has_untracked;      /* what the collector does not track is in it */
    struct holders holders;  /* of the classes that were asked for */
    struct footprint footprint;
    const struct footprints *footprints; /* this one and those before, borrowed, or NULL */
};

/* Adds a class. Takes `name` (of memory.h) over, also when it fails. 0, or -1 when out of memory.
 */
int snapshot_add(struct snapshot *snapshot, char *name, uint64_t count, uint64_t bytes);

/* Merges classes of the same name, sums up, ranks. 0, or -1 when out of memory. */
int snapshot_rank(struct snapshot *snapshot);

/* Appends the classes, their holders and the footprint as bytes for snapshot_decode(). */
void snapshot_encode(const struct snapshot *snapshot, struct text *bytes);

/* Adds what `bytes` holds. 0, or -1 when out of memory or where they make
 * no sense. */
int snapshot_decode(struct snapshot *snapshot, const char *bytes, size_t size);

void snapshot_clear(struct snapshot *snapshot);

#endif
