/* SPDX-License-Identifier: MIT
 *
 * What the numbers of one class over time say of it. Pure: no clock, no I/O, no allocation, no
 * Python.
 */
#ifndef MEMPROF_TREND_H
#define MEMPROF_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a longer series only the newest samples are looked at. */
enum { TREND_SAMPLES_MAX = 64 };

/* In the order in which the worse of two verdicts is the greater. */
enum trend_verdict {
    TREND_STEADY,    /* flat, or noise around a mean */
    TREND_SAWTOOTH,  /* rises and falls again and again */
    TREND_SPIKE,     /* jumped up, just now, or once and came down again */
    TREND_PLATEAU,   /* grew, and holds its level since */
    TREND_UNDECIDED, /* too few samples, or growth that is not enough to accuse anybody */
    TREND_LEAK,      /* grows, and gives nothing back */
};

/* Flags: a leak can show in one of them only. */
enum trend_measure { TREND_COUNT = 1, TREND_BYTES = 2 };

/* One class in one snapshot: a class that was not there has zeros. Snapshots in between may have
 * been left out: samples of the same value at both ends of a run stand for the whole of it. */
struct trend_sample {
    uint64_t time_ms; /* any epoch, never falling */
    uint64_t count;
    uint64_t bytes;
    uint32_t snapshot; /* its number, rising */
};

/* Levels up to which growth is not counted, as it has proved harmless before. */
struct trend_level {
    uint64_t count;
    uint64_t bytes;
};

struct trend {
    enum trend_verdict verdict;
    unsigned measures; /* in which a leak shows: flags of enum trend_measure, else 0 */
    size_t since;      /* a leak's last sample before the growth, else 0 */
};

/* The verdict on `samples`, oldest first. `forgiven` may be NULL. */
struct trend trend_judge(const struct trend_sample *samples, size_t count,
                         const struct trend_level *forgiven);

/* Whether the growth in `measure` that began at samples[since] goes on: it has neither ended, nor
 * slowed down to a trickle, nor been given back. */
bool trend_grows(const struct trend_sample *samples, size_t count, enum trend_measure measure,
                 size_t since);

/* What has been gained since samples[since], in objects or bytes; negative when it was lost. */
int64_t trend_growth(const struct trend_sample *samples, size_t count, enum trend_measure measure,
                     size_t since);

/* The same per hour; 0 when no time has passed. */
double trend_rate_per_hour(const struct trend_sample *samples, size_t count,
                           enum trend_measure measure, size_t since);

#endif
