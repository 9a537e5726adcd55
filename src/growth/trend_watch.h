/* SPDX-License-Identifier: MIT
 *
 * When to speak of a class: the memory beside trend_judge(), which has none. Pure as that is.
 */
#ifndef MEMPROF_TREND_WATCH_H
#define MEMPROF_TREND_WATCH_H

#include "growth/trend.h"

enum trend_event {
    TREND_NO_EVENT,
    TREND_SUSPECTED, /* say so, once */
    TREND_DOUBLED,   /* the growth since its start is twice what it was when last spoken of */
    TREND_CLEARED,   /* growth has stopped: take it back, once */
};

/* One per class. Zero is a class of which nothing is known yet. */
struct trend_watch {
    bool suspected;
    unsigned measures;        /* in which growth was seen: flags of enum trend_measure */
    struct trend_sample base; /* the last sample before the growth */
    int64_t told;             /* growth when last spoken of, in the first of the measures */
    struct trend_level forgiven;
};

/* Takes note of a new snapshot, the last of `samples`, and fills `trend`. Of a suspect the verdict
 * stays TREND_LEAK and `since` the last sample that is not later than base, until it is cleared. */
enum trend_event trend_watch_step(struct trend_watch *watch, const struct trend_sample *samples,
                                  size_t count, struct trend *trend);

/* What a suspect has gained since watch->base, and how much that is per hour: exact also when old
 * samples have been thinned out. */
int64_t trend_watch_growth(const struct trend_watch *watch, const struct trend_sample *now,
                           enum trend_measure measure);
double trend_watch_rate_per_hour(const struct trend_watch *watch, const struct trend_sample *now,
                                 enum trend_measure measure);

/* Whether a suspect has grown because objects became larger, not because there are more of them. */
bool trend_watch_is_by_size(const struct trend_watch *watch, const struct trend_sample *now);

#endif
