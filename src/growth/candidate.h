/* SPDX-License-Identifier: MIT
 *
 * A class of which there may be something to say, and what it has to do with another one. Pure.
 */
#ifndef MEMPROF_CANDIDATE_H
#define MEMPROF_CANDIDATE_H

#include "growth/trend_watch.h"
#include "holders.h"

#define CANDIDATE_NONE SIZE_MAX

struct candidate {
    size_t position;
    const char *name;
    struct trend_sample now;
    struct trend_watch watch;
    const struct held_class *held;
    uint64_t point;     /* where they fan out, or 0 */
    uint64_t container; /* history_hash() of the class of that, or 0 */
    uint32_t depth;
    double bytes_per_hour; /* its parts' included, once heads are found */
    bool is_bounded;       /* as of its holders */
    size_t head;           /* the candidate of which it is a part, or CANDIDATE_NONE */
    bool is_silent;
};

/* Whether objects of other classes are made with one of this name, as with a dict. */
bool candidate_is_companion(const char *name);

/* Whether its objects have become larger, not more. */
bool candidate_grows_by_size(const struct candidate *candidate);

/* Fills point, container and depth from its holders, if most of its objects have one of them. */
void candidate_find_point(struct candidate *candidate);

/* Whether what holds most of the objects states its bound; and as many times as much there is once
 * all of that is full. */
bool candidate_is_bounded(const struct candidate *candidate);
double candidate_times_when_full(const struct held_class *held);

/* Whether one may be the container of the other, of which many have become larger; or is what it is
 * made with. */
bool candidate_may_be_container_of(const struct candidate *container,
                                   const struct candidate *whole);
bool candidate_is_companion_of(const struct candidate *part, const struct candidate *whole);

/* Of two of one family: whether the first is nearer to its head. An order. */
bool candidate_comes_before(const struct candidate *a, const struct candidate *b);

/* Whether both are of one family, and the whole nearer to its head. An order too, so nobody is a
 * part of its own part. */
bool candidate_is_part_of(const struct candidate *part, const struct candidate *whole);

#endif
