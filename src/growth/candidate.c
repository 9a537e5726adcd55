/* SPDX-License-Identifier: MIT
 *
 * A leak shows in many classes at once: in what is held, in its parts, and in the container that
 * holds it. They are of one family if they are found at the same point (struct holder), where they
 * fan out; its head is the class that somebody would look for. What is made along with objects of
 * any class, as their dicts are, is of the family too if it grows by the same number; and where
 * nobody could ask for holders, if it grows no faster.
 */
#include "growth/candidate.h"

#include "growth/history.h"

#include <string.h>

enum {
    MOSTLY_PERCENT = 80,    /* of a sample: held by what is bounded */
    PARTS_OF_GROWTH = 4,    /* held by one holder at least, if it may be where they grow */
    ITEM_BYTES_LIMIT = 128, /* what an item takes in a container, room to grow included */
    PARTS_PER_OBJECT = 8,   /* of a class, where holders are not known */
    ALIKE = 4               /* numbers that differ by no more than a quarter */
};

/* What objects of other classes are made with. */
bool candidate_is_companion(const char *name)
{
    static const char *const names[] = {"dict",
                                        "list",
                                        "tuple",
                                        "str",
                                        "bytes",
                                        "int",
                                        "float",
                                        "set",
                                        "frozenset",
                                        "cell",
                                        "weakref",
                                        "weakref.ReferenceType",
                                        "getset_descriptor",
                                        "member_descriptor",
                                        "frame",
                                        "traceback",
                                        "builtin_function_or_method"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

bool candidate_grows_by_size(const struct candidate *candidate)
{
    return trend_watch_is_by_size(&candidate->watch, &candidate->now);
}

/* The lower, the more it is what somebody would look for: not what holds them all, then not what
 * objects of others are made with, then what is nearest to where they fan out. */
static unsigned rank_of(const struct candidate *candidate)
{
    unsigned depth = candidate->depth < 1000 ? candidate->depth : 1000;
    if (candidate_grows_by_size(candidate))
        return 4000 + depth; /* what holds them all */
    return (candidate_is_companion(candidate->name) ? 2000 : 0) + depth;
}

/* ---- What is bounded ---- */

static bool is_bounded(const struct holder *holder)
{
    return holder->bound > 0 || holder->inner_bound > 0;
}

/* Of how many objects the holders are to be told. Where all were counted, most may be old. */
static uint64_t asked_of(const struct candidate *candidate)
{
    const struct held_class *held = candidate->held;
    int64_t growth = trend_watch_growth(&candidate->watch, &candidate->now, TREND_COUNT);
    bool is_less = held->is_counted && growth > 0 && (uint64_t)growth < held->sample;
    return is_less ? (uint64_t)growth : held->sample;
}

/* What is counted may have grown in any of them, unless that has far too little. */
static bool may_have_grown(const struct held_class *held, const struct holder *holder,
                           uint64_t asked)
{
    return !held->is_counted || holder->share * PARTS_OF_GROWTH >= asked;
}

bool candidate_is_bounded(const struct candidate *candidate)
{
    const struct held_class *held = candidate->held;
    if (held == NULL)
        return false;
    uint64_t asked = asked_of(candidate), bounded = 0, others = 0;
    for (size_t i = 0; i < held->holder_count; i++) {
        const struct holder *holder = &held->holders[i];
        if (is_bounded(holder))
            bounded += holder->share;
        else if (may_have_grown(held, holder, asked))
            others += holder->share;
    }
    return bounded > 0 && bounded * 100 >= asked * MOSTLY_PERCENT &&
           (!held->is_counted || others * 2 < asked);
}

/* How many times as much there is once all of them are full. */
double candidate_times_when_full(const struct held_class *held)
{
    double times = 1;
    for (size_t i = 0; i < held->holder_count; i++) {
        const struct holder *holder = &held->holders[i];
        uint64_t bound = holder->bound > 0 ? holder->bound : holder->inner_bound;
        uint64_t length = holder->bound > 0 ? holder->length : holder->inner_length;
        if (length > 0 && (double)bound / (double)length > times)
            times = (double)bound / (double)length;
    }
    return times;
}

/* ---- Who is a part of whom ---- */

/* The class of what becomes larger with a container. */
static const char *storage_of(const char *container)
{
    return strcmp(container, "functools._lru_cache_wrapper") == 0 ? "dict" : container;
}

void candidate_find_point(struct candidate *candidate)
{
    const struct held_class *held = candidate->held;
    if (held == NULL || held->holder_count == 0 || held->holders[0].share * 2 < asked_of(candidate))
        return;
    candidate->point = held->holders[0].point;
    if (held->holders[0].container != NULL && !candidate_grows_by_size(candidate))
        candidate->container = history_hash(storage_of(held->holders[0].container));
    candidate->depth = held->holders[0].depth;
}

static bool grow_alike(const struct candidate *part, const struct candidate *whole)
{
    int64_t more = trend_watch_growth(&part->watch, &part->now, TREND_COUNT);
    int64_t objects = trend_watch_growth(&whole->watch, &whole->now, TREND_COUNT);
    if (part->held == NULL)
        return more <= objects * PARTS_PER_OBJECT;
    return objects > 0 && (more - objects) * ALIKE <= objects &&
           (objects - more) * ALIKE <= objects;
}

bool candidate_is_companion_of(const struct candidate *part, const struct candidate *whole)
{
    return candidate_is_companion(part->name) && !candidate_is_companion(whole->name) &&
           grow_alike(part, whole);
}

/* Which of many containers has become larger nobody knows. */
bool candidate_may_be_container_of(const struct candidate *container, const struct candidate *whole)
{
    int64_t objects = trend_watch_growth(&whole->watch, &whole->now, TREND_COUNT);
    return candidate_grows_by_size(container) && whole->container != 0 &&
           history_hash(container->name) == whole->container &&
           trend_watch_growth(&container->watch, &container->now, TREND_BYTES) <=
               objects * ITEM_BYTES_LIMIT;
}

/* Of two of one family: whether the first is nearer to its head. An order, so nobody is a part of
 * its own part. */
bool candidate_comes_before(const struct candidate *a, const struct candidate *b)
{
    if (rank_of(a) != rank_of(b))
        return rank_of(a) < rank_of(b);
    int64_t more = trend_watch_growth(&a->watch, &a->now, TREND_BYTES);
    int64_t less = trend_watch_growth(&b->watch, &b->now, TREND_BYTES);
    return more != less ? more > less : strcmp(a->name, b->name) < 0;
}

bool candidate_is_part_of(const struct candidate *part, const struct candidate *whole)
{
    if (!candidate_comes_before(whole, part))
        return false;
    /* What is held elsewhere too is not bounded with it. */
    if (whole->is_bounded && part->held != NULL)
        return candidate_may_be_container_of(part, whole);
    return candidate_may_be_container_of(part, whole) || candidate_is_companion_of(part, whole) ||
           (part->point != 0 && part->point == whole->point);
}
