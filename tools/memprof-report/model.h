/* SPDX-License-Identifier: MIT
 *
 * All processes that were read of, each as a table: a column (frame) per snapshot and a row per
 * class. Memory is bounded: of a long run every second frame is given up, again and again, so what
 * is left covers all of it evenly; the first and the newest always stay, and every frame is whole.
 */
#ifndef MEMPROF_REPORT_MODEL_H
#define MEMPROF_REPORT_MODEL_H

#include "receiver.h"

struct frame {
    uint32_t index; /* of the snapshot, from 0 */
    int64_t time_ms;
    int64_t figures[FIGURES];
};

struct point {
    uint32_t frame;       /* its index */
    int64_t count, bytes; /* or READING_UNKNOWN */
};

struct class
{
    char *name;
    struct point *points;
    size_t point_count, point_capacity;
    int64_t peak_bytes, peak_count;
};

struct suspicion {
    char *name, *text;
    enum verdict_kind kind;
    int64_t time_ms;
};

/* How far apart two frames are: known by the clock, by what the snapshots say of the time since the
 * first, or not at all. */
enum clock { CLOCK_WALL, CLOCK_ELAPSED, CLOCK_NONE };

/* One run of one process; owns all it has. */
struct process {
    char *source;
    int64_t pid;
    unsigned run;     /* from 1: the process number may be that of several, one after the other */
    bool has_started; /* again, perhaps: a start was logged since its newest snapshot */
    bool is_exact;
    bool is_utc;
    enum clock clock;
    uint32_t snapshots;
    uint64_t spoken_at; /* its newest one's place among all that were read */
    uint32_t stride;
    int64_t last_sequence;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    struct class **classes; /* by name */
    size_t class_count;
    struct suspicion *suspicions; /* one per class, the newest */
    size_t suspicion_count;
    char *held, *note; /* of the newest snapshot, or NULL */
};

/* A process that is left out: what is said of it is not to be taken for another's. */
struct left_out {
    char *source;
    int64_t pid;
    uint64_t spoken_at;
};

struct model {
    struct process **processes; /* as they came */
    size_t process_count;
    struct left_out *left_out;
    size_t left_out_count;
    uint64_t points, classes; /* of all together */
    uint64_t classes_let_go;
    uint64_t snapshots;
    uint64_t spoken;              /* snapshots, those that are left out too */
    uint64_t snapshots_of_others; /* of processes above the limit */
    uint64_t generation;          /* changes with every change */
    int64_t
        only_pid; /* the only process number that counts, or READING_UNKNOWN; 0 counts as that */
};

/* What the model does with what is read; it is its `self`. */
struct receiver model_receiver(struct model *model);

/* The last point, if it is of the newest snapshot, else NULL. */
const struct point *model_last(const struct process *process, const struct class *class);

/* The frame of a point, which is there. */
const struct frame *model_frame(const struct process *process, uint32_t index);

int64_t model_value(const struct point *point, bool is_bytes);

void model_clear(struct model *model);

#endif
