/* SPDX-License-Identifier: MIT
 *
 * Of each family of classes that grow together (candidate.h) only the head is accused, all others
 * are mentioned with it. A class whose family is bounded is let go, up to the level at which that
 * is full; one that may only be the first of its family to be seen has to wait for a few snapshots.
 */
#include "growth/suspects.h"

#include "growth/candidate.h"

#include <string.h>

enum {
    CANDIDATES_LIMIT = 128,
    POSTPONED_LIMIT = 3,  /* snapshots in which the whole may follow its part, */
    CONTAINER_LIMIT = 30, /* and what fills a container, that: by so many bytes an item, */
    FILLING_BYTES_MIN = 4,
    FILLING_BYTES_MAX = 32,
    PARTS_BYTES_LIMIT = 400 /* of their names */
};

struct search {
    struct history *history;
    const struct snapshot *snapshot;
    struct candidate candidates[CANDIDATES_LIMIT];
    size_t count;
};

static const struct held_class *held_of(const struct snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->holders.class_count; i++) {
        const struct held_class *class = &snapshot->holders.classes[i];
        if ((class->reasons & HELD_SUSPECTED) && strcmp(class->name, name) == 0)
            return class;
    }
    return NULL;
}

/* ---- What is bounded ---- */

static uint64_t full_level(uint64_t level, int64_t growth, const struct candidate *candidate,
                           double times)
{
    /* Of a class whose objects become larger only what was gained is known to be bounded. */
    double full = candidate_grows_by_size(candidate) ? (double)level + (double)growth * times
                                                     : (double)level * times + 1;
    return full < 1e18 ? (uint64_t)full : (uint64_t)1e18;
}

/* Whoever was told of it waits for the word that it has stopped. */
static void let_go(struct search *search, const struct candidate *candidate, double times)
{
    struct history_remark *remark = history_remark(search->history, candidate->position);
    if (remark->is_told)
        return;
    int64_t objects = trend_watch_growth(&candidate->watch, &candidate->now, TREND_COUNT);
    int64_t bytes = trend_watch_growth(&candidate->watch, &candidate->now, TREND_BYTES);
    const struct trend_level level = {
        full_level(candidate->now.count, objects, candidate, times),
        full_level(candidate->now.bytes, bytes, candidate, times),
    };
    history_forgive(search->history, candidate->position, level);
    remark->times = times;
}

/* ---- Who is a part of whom ---- */

static bool is_told(const struct history *history, size_t position)
{
    const struct history_remark *remark = history_remark(history, position);
    const struct trend_watch *watch = history_watch(history, position);
    return remark != NULL && watch->suspected && remark->is_told;
}

static void find_whole(struct search *search, struct candidate *part)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *whole = &search->candidates[i];
        if (!candidate_is_part_of(part, whole))
            continue;
        if (part->head == CANDIDATE_NONE ||
            candidate_comes_before(whole, &search->candidates[part->head]))
            part->head = i;
    }
}

/* Of a part of a part the head is that of the whole. */
static void find_heads(struct search *search)
{
    for (size_t i = 0; i < search->count; i++)
        find_whole(search, &search->candidates[i]);
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *part = &search->candidates[i];
        while (part->head != CANDIDATE_NONE &&
               search->candidates[part->head].head != CANDIDATE_NONE)
            part->head = search->candidates[part->head].head;
        if (part->head != CANDIDATE_NONE)
            search->candidates[part->head].bytes_per_hour += part->bytes_per_hour;
    }
}

/* A class of an earlier snapshot, of which there are notes. */
static struct candidate whole_at(const struct search *search, size_t position)
{
    struct history_class class;
    const struct history_remark *remark = history_remark(search->history, position);
    history_read(search->history, position, &class);
    return (struct candidate){
        .name = history_suspect_name(search->history, position),
        .now = class.samples[class.sample_count - 1],
        .watch = *history_watch(search->history, position),
        .point = remark->point,
        .container = remark->container,
    };
}

/* Whether it is a part of a suspect of an earlier snapshot. */
static bool is_part_of_told(const struct search *search, const struct candidate *part)
{
    for (size_t i = 0; i < history_moving(search->history); i++) {
        if (i == part->position || !is_told(search->history, i))
            continue;
        const struct candidate whole = whole_at(search, i);
        if (candidate_may_be_container_of(part, &whole) ||
            candidate_is_companion_of(part, &whole) ||
            (part->point != 0 && part->point == whole.point))
            return true;
    }
    return false;
}

/* Of a class that was let go, and to which this one belongs: `times` of its remark, else 0. */
static double times_of_bounded_whole(const struct search *search, const struct candidate *part)
{
    for (size_t i = 0; i < history_moving(search->history); i++) {
        const struct history_remark *remark = history_remark(search->history, i);
        if (i == part->position || remark == NULL || remark->times == 0 ||
            history_watch(search->history, i)->suspected)
            continue;
        const struct candidate whole = whole_at(search, i);
        if (candidate_may_be_container_of(part, &whole) ||
            (part->held == NULL && candidate_is_companion_of(part, &whole)))
            return remark->times;
    }
    return 0;
}

/* As many times as much there may be of it, if it or what it is a part of is bounded; else 0. */
static double times_if_bounded(const struct search *search, const struct candidate *candidate)
{
    const struct candidate *head =
        candidate->head != CANDIDATE_NONE ? &search->candidates[candidate->head] : candidate;
    if (candidate->is_bounded)
        return candidate_times_when_full(candidate->held);
    return head->is_bounded ? candidate_times_when_full(head->held)
                            : times_of_bounded_whole(search, candidate);
}

static int64_t objects_since(const struct history_class *class, uint32_t snapshot)
{
    size_t since = 0;
    while (since + 1 < class->sample_count && class->samples[since + 1].snapshot <= snapshot)
        since++;
    return trend_growth(class->samples, class->sample_count, TREND_COUNT, since);
}

/* Whether a class has gained about as many objects as containers have gained room for. */
static bool is_filled_by_some_class(const struct search *search, const struct candidate *container)
{
    int64_t bytes = trend_watch_growth(&container->watch, &container->now, TREND_BYTES);
    for (size_t i = 0; i < history_moving(search->history); i++) {
        struct history_class class;
        history_read(search->history, i, &class);
        int64_t objects = objects_since(&class, container->watch.base.snapshot);
        if (objects * FILLING_BYTES_MAX >= bytes && objects * FILLING_BYTES_MIN <= bytes)
            return true;
    }
    return false;
}

/* The whole may become a suspect a snapshot later than its part. */
static bool is_to_be_postponed(const struct search *search, const struct candidate *candidate)
{
    struct history_remark *remark = history_remark(search->history, candidate->position);
    if (remark->is_told || !candidate_is_companion(candidate->name))
        return false;
    if (candidate_grows_by_size(candidate))
        return remark->postponed < CONTAINER_LIMIT && is_filled_by_some_class(search, candidate);
    return remark->postponed < POSTPONED_LIMIT && candidate->point != 0 && candidate->depth > 1;
}

/* Takes back what is suspected of a whole family: the next snapshot may speak of it. */
static void withdraw(struct search *search, const struct candidate *head)
{
    history_retract(search->history, head->position);
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *part = &search->candidates[i];
        if (part->head != CANDIDATE_NONE && &search->candidates[part->head] == head)
            history_retract(search->history, part->position);
    }
}

static void sort_out(struct search *search, struct candidate *candidate)
{
    struct history_remark *remark = history_remark(search->history, candidate->position);
    double times = times_if_bounded(search, candidate);
    candidate->is_silent = true;
    if (candidate->point != 0) {
        remark->point = candidate->point;
        remark->container = candidate->container;
    }
    if (times > 0) {
        let_go(search, candidate, times);
        return;
    }
    remark->times = 0;
    if (candidate->head != CANDIDATE_NONE ||
        (!remark->is_told && is_part_of_told(search, candidate)))
        return;
    candidate->is_silent = is_to_be_postponed(search, candidate);
    if (candidate->is_silent) {
        remark->postponed++;
        withdraw(search, candidate);
    }
}

/* ---- What is said ---- */

static void add_name(struct text *names, const char *name)
{
    if (names->size + strlen(name) > PARTS_BYTES_LIMIT)
        return;
    text_add(names, "%s%s", names->size > 0 ? ", " : "", name);
}

static void accuse(struct suspects *suspects, struct search *search, size_t place)
{
    const struct candidate *candidate = &search->candidates[place];
    struct history_remark *remark = history_remark(search->history, candidate->position);
    struct suspect *suspect = &suspects->list[suspects->count++];
    *suspect = (struct suspect){
        .event = remark->is_told ? TREND_DOUBLED : TREND_SUSPECTED,
        .name = candidate->name,
        .watch = candidate->watch,
        .now = candidate->now,
        .held = candidate->held,
        .bytes_per_hour = candidate->bytes_per_hour,
    };
    for (size_t i = 0; i < search->count; i++) {
        if (search->candidates[i].head == place)
            add_name(&suspect->parts, search->candidates[i].name);
    }
    remark->is_told = true;
}

/* The dearest of those that are still to be accused, or CANDIDATE_NONE. */
static size_t find_dearest(const struct search *search)
{
    size_t dearest = CANDIDATE_NONE;
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *candidate = &search->candidates[i];
        if (!candidate->is_silent &&
            (dearest == CANDIDATE_NONE ||
             candidate->bytes_per_hour > search->candidates[dearest].bytes_per_hour))
            dearest = i;
    }
    return dearest;
}

/* Of those for whom there is no room the next snapshot speaks. */
static void accuse_all(struct suspects *suspects, struct search *search)
{
    size_t place;
    while ((place = find_dearest(search)) != CANDIDATE_NONE) {
        if (suspects->count < SUSPECTS_LIMIT / 2)
            accuse(suspects, search, place);
        else
            withdraw(search, &search->candidates[place]);
        search->candidates[place].is_silent = true;
    }
}

static void note_candidate(struct search *search, size_t position,
                           const struct history_class *class)
{
    if (search->count == CANDIDATES_LIMIT) {
        history_retract(search->history, position);
        return;
    }
    const char *name = history_suspect_name(search->history, position);
    struct candidate *candidate = &search->candidates[search->count++];
    *candidate = (struct candidate){
        .position = position,
        .name = name,
        .now = class->samples[class->sample_count - 1],
        .watch = *history_watch(search->history, position),
        .held = held_of(search->snapshot, name),
        .head = CANDIDATE_NONE,
    };
    candidate->bytes_per_hour =
        trend_watch_rate_per_hour(&candidate->watch, &candidate->now, TREND_BYTES);
    candidate->is_bounded = candidate_is_bounded(candidate);
    candidate_find_point(candidate);
}

static void note_cleared(struct suspects *suspects, struct search *search, size_t position,
                         const struct trend_watch *before, const struct history_class *class)
{
    struct history_remark *remark = history_remark(search->history, position);
    bool was_told = remark->is_told;
    remark->is_told = false;
    remark->postponed = 0;
    if (!was_told || suspects->count == SUSPECTS_LIMIT)
        return;
    suspects->list[suspects->count++] = (struct suspect){
        .event = TREND_CLEARED,
        .name = history_suspect_name(search->history, position),
        .watch = *before,
        .now = class->samples[class->sample_count - 1],
    };
}

static const char *name_of(const struct search *search, const struct history_class *class)
{
    return class->index != HISTORY_GONE ? search->snapshot->classes[class->index].name : NULL;
}

static void judge(struct suspects *cleared, struct search *search, size_t position)
{
    struct history_class class;
    struct trend trend;
    struct trend_watch before = {0};
    const struct trend_watch *watch = history_watch(search->history, position);
    history_read(search->history, position, &class);
    if (watch != NULL)
        before = *watch;
    enum trend_event event =
        history_judge(search->history, position, name_of(search, &class), &trend);
    if (event == TREND_CLEARED)
        note_cleared(cleared, search, position, &before, &class);
    else if (event != TREND_NO_EVENT)
        note_candidate(search, position, &class);
}

void suspects_find(struct suspects *suspects, struct history *history,
                   const struct snapshot *snapshot)
{
    struct suspects cleared = {.count = 0};
    struct search search = {.history = history, .snapshot = snapshot};
    for (size_t i = 0; i < history_moving(history); i++)
        judge(&cleared, &search, i);
    find_heads(&search);
    for (size_t i = 0; i < search.count; i++)
        sort_out(&search, &search.candidates[i]);
    accuse_all(suspects, &search);
    for (size_t i = 0; i < cleared.count && suspects->count < SUSPECTS_LIMIT; i++)
        suspects->list[suspects->count++] = cleared.list[i];
}

void suspects_clear(struct suspects *suspects)
{
    for (size_t i = 0; i < suspects->count; i++)
        text_clear(&suspects->list[i].parts);
    suspects->count = 0;
}

const char *suspects_next_told(const struct history *history, size_t *position)
{
    while (*position < history_moving(history)) {
        size_t at = (*position)++;
        if (is_told(history, at))
            return history_suspect_name(history, at);
    }
    return NULL;
}
