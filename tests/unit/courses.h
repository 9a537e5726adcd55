/* SPDX-License-Identifier: MIT
 *
 * Labelled courses: what the numbers of one class do over time in programs that leak, and in
 * programs that do not.
 */
#ifndef MEMPROF_TEST_COURSES_H
#define MEMPROF_TEST_COURSES_H

#include "growth/trend_watch.h"

enum { COURSE_MAX = 2000 };

enum course_label {
    COURSE_LEAK,     /* has to be named when it is due */
    COURSE_INNOCENT, /* must never be suspected */
    COURSE_FILL,     /* grows for long, towards a bound: if suspected, then cleared in time */
    COURSE_WANDERER, /* returns to its mean slowly: whether it is suspected is chance */
};

struct course {
    size_t length; /* as asked for */
    uint64_t count[COURSE_MAX];
    uint64_t bytes[COURSE_MAX];
    size_t starts;      /* of a leak: the last snapshot before it can show */
    size_t due;         /* of a leak: the last snapshot in which it may still be unnamed, plus 1 */
    size_t stops;       /* of a fill: the last snapshot with growth */
    uint64_t generator; /* the state of the random numbers */
};

struct course_kind {
    const char *name;
    enum course_label label;
    void (*make)(struct course *course);
};

extern const struct course_kind course_kinds[];
extern const size_t course_kind_count;

/* Fills all of a course: the same for the same seed. */
void course_make(struct course *course, const struct course_kind *kind, size_t length,
                 uint64_t seed);

/* What the watch said along a course. */
struct course_result {
    size_t warnings;
    size_t repeats;
    size_t clearings;
    size_t first_warning; /* snapshots from 0; SIZE_MAX if there was none */
    size_t last_clearing; /* as above */
    bool suspected;       /* at the end */
    enum trend_verdict verdict;
};

struct course_result course_watch(const struct course *course);

#endif
