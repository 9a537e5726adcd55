/* SPDX-License-Identifier: MIT
 *
 * What was read of one snapshot, from a JSON line or from the text in a log. Amounts are objects or
 * bytes, times are milliseconds; what the input does not say is READING_UNKNOWN.
 */
#ifndef MEMPROF_REPORT_READING_H
#define MEMPROF_REPORT_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READING_UNKNOWN (-1)

/* What is known of the process as a whole. */
enum figure {
    FIGURE_OBJECTS,
    FIGURE_BYTES,
    FIGURE_RESIDENT,
    FIGURE_ANONYMOUS,
    FIGURE_SWAPPED,
    FIGURE_BLOCKS,
    FIGURE_ALLOCATOR_USED,
    FIGURE_ALLOCATOR_FREE,
    FIGURES,
};

/* As they are shown. */
extern const char *const figure_names[FIGURES];

/* False: a number of things. */
bool figure_is_bytes(enum figure figure);

struct reading_class {
    char *name;
    int64_t count, bytes;
};

struct reading {
    int64_t pid;
    int64_t time_ms; /* since 1970; a log without a zone is taken as it stands */
    bool is_utc;
    int64_t elapsed_ms; /* since the process was first seen, or since its first snapshot */
    int64_t sequence;   /* 1 is the first of the process */
    bool is_exact;      /* false: sizes are rounded to a tenth of their unit */
    int64_t figures[FIGURES];
    struct reading_class *classes; /* by name, each once; owned, as the names are */
    size_t class_count, class_capacity;
    char *held; /* who holds what, in lines; owned, NULL if that is not said */
    char *note; /* on the process; owned, NULL if there is none */
};

void reading_start(struct reading *reading);

/* Adds what one table says of a class. -1 when out of memory. */
int reading_add(struct reading *reading, const char *name, size_t size, int64_t count,
                int64_t bytes);

/* Orders the classes and makes one entry of each name's. */
void reading_settle(struct reading *reading);

/* All but who holds what; `to` owns nothing before. -1, and then too, when out of memory. */
int reading_copy(struct reading *to, const struct reading *from);

void reading_clear(struct reading *reading);

enum verdict_kind { VERDICT_SUSPECTED, VERDICT_CLEARED };

/* Of the class `name`; the texts belong to the caller. */
struct verdict {
    enum verdict_kind kind;
    const char *name;
    const char *text;
    int64_t time_ms;
};

#endif
