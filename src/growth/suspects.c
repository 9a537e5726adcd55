/* SPDX-License-Identifier: MIT
 *
 * A leak shows in many classes at once: in what is held, in its parts, and in the container that
 * holds it. They are of one family if they are found at the same point (struct holder), where they
 * fan out; its head is the class that somebody would look for, all others are mentioned with it.
 * What is made along with objects of any class, as their dicts are, is of the family too if it
 * grows by the same number; and where nobody could ask for holders, if it grows no faster.
 */
#include "growth/suspects.h"

#include <string.h>

enum {
    CANDIDATES_LIMIT = 128,
    MOSTLY_PERCENT = 80,  /* of a sample: held by what is bounded */
    POSTPONED_LIMIT = 3,  /* snapshots in which the whole may follow its part, */
    CONTAINER_LIMIT = 30, /* and what fills a container, that: by so many bytes an item, */
    FILLING_BYTES_MIN = 4,
    FILLING_BYTES_MAX = 32,
    ITEM_BYTES_LIMIT = 128, /* what an item takes in a container, room to grow included */
    PARTS_PER_OBJECT = 8,   /* of a class, where holders are not known */
    ALIKE = 4,              /* numbers that differ by no more than a quarter */
    PARTS_BYTES_LIMIT = 400 /* of their names */
};

#define NOBODY SIZE_MAX

/* A class of which there is something to say, unless it turns out to be a part. */
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
    size_t head;           /* the candidate of which it is a part, or NOBODY */
    bool is_silent;
};

struct search {
    struct history *history;
    const struct snapshot *snapshot;
    struct candidate candidates[CANDIDATES_LIMIT];
    size_t count;
};

/* What objects of other classes are made with. */
static bool is_companion(const char *name)
{
    static const char *const names[] = {"dict",
                                        "list",
                                        "tuple",
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

static bool grows_by_size_only(const struct candidate *candidate)
{
    return trend_watch_is_by_size(&candidate->watch, &candidate->now);
}

/* The lower, the more it is what somebody would look for: not what holds them all, then not what
 * objects of others are made with, then what is nearest to where they fan out. */
static unsigned rank_of(const struct candidate *candidate)
{
    unsigned depth = candidate->depth < 1000 ? candidate->depth : 1000;
    if (grows_by_size_only(candidate))
        return 4000 + depth; /* what holds them all */
    return (is_companion(candidate->name) ? 2000 : 0) + depth;
}

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

static bool is_bounded(const struct holder *holder)
{
    return holder->bound > 0 || holder->inner_bound > 0;
}

static bool is_mostly_bounded(const struct held_class *held)
{
    if (held == NULL)
        return false;
    uint32_t bounded = 0;
    for (size_t i = 0; i < held->holder_count; i++)
        bounded += is_bounded(&held->holders[i]) ? held->holders[i].share : 0;
    return bounded > 0 && bounded * 100 >= held->sample * MOSTLY_PERCENT;
}

/* How many times as much there is once all of them are full. */
static double times_when_full(const struct held_class *held)
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

static uint64_t full_level(uint64_t level, int64_t growth, const struct candidate *candidate,
                           double times)
{
    /* Of a class whose objects become larger only what was gained is known to be bounded. */
    double full = grows_by_size_only(candidate) ? (double)level + (double)growth * times
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

/* The class of what becomes larger with a container. */
static const char *storage_of(const char *container)
{
    return strcmp(container, "functools._lru_cache_wrapper") == 0 ? "dict" : container;
}

static void find_point(struct candidate *candidate)
{
    const struct held_class *held = candidate->held;
    if (held == NULL || held->holder_count == 0 || held->holders[0].share * 2 < held->sample)
        return;
    candidate->point = held->holders[0].point;
    if (held->holders[0].container != NULL && !grows_by_size_only(candidate))
        candidate->container = history_hash(storage_of(held->holders[0].container));
    candidate->depth = held->holders[0].depth;
}

static bool is_told(const struct history *history, size_t position)
{
    const struct history_remark *remark = history_remark(history, position);
    const struct trend_watch *watch = history_watch(history, position);
    return remark != NULL && watch->suspected && remark->is_told;
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

static bool is_companion_of(const struct candidate *part, const struct candidate *whole)
{
    return is_companion(part->name) && !is_companion(whole->name) && grow_alike(part, whole);
}

/* Which of many containers has become larger nobody knows. */
static bool may_be_container_of(const struct candidate *container, const struct candidate *whole)
{
    int64_t objects = trend_watch_growth(&whole->watch, &whole->now, TREND_COUNT);
    return grows_by_size_only(container) && whole->container != 0 &&
           history_hash(container->name) == whole->container &&
           trend_watch_growth(&container->watch, &container->now, TREND_BYTES) <=
               objects * ITEM_BYTES_LIMIT;
}

/* Of two of one family: whether the first is nearer to its head. An order, so nobody is a part of
 * its own part. */
static bool comes_before(const struct candidate *a, const struct candidate *b)
{
    if (rank_of(a) != rank_of(b))
        return rank_of(a) < rank_of(b);
    int64_t more = trend_watch_growth(&a->watch, &a->now, TREND_BYTES);
    int64_t less = trend_watch_growth(&b->watch, &b->now, TREND_BYTES);
    return more != less ? more > less : strcmp(a->name, b->name) < 0;
}

static bool is_part_of(const struct candidate *part, const struct candidate *whole)
{
    if (!comes_before(whole, part))
        return false;
    /* What is held elsewhere too is not bounded with it. */
    if (whole->is_bounded && part->held != NULL)
        return may_be_container_of(part, whole);
    return may_be_container_of(part, whole) || is_companion_of(part, whole) ||
           (part->point != 0 && part->point == whole->point);
}

static void find_whole(struct search *search, struct candidate *part)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *whole = &search->candidates[i];
        if (!is_part_of(part, whole))
            continue;
        if (part->head == NOBODY || comes_before(whole, &search->candidates[part->head]))
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
        while (part->head != NOBODY && search->candidates[part->head].head != NOBODY)
            part->head = search->candidates[part->head].head;
        if (part->head != NOBODY)
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
        if (may_be_container_of(part, &whole) || is_companion_of(part, &whole) ||
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
        if (may_be_container_of(part, &whole) ||
            (part->held == NULL && is_companion_of(part, &whole)))
            return remark->times;
    }
    return 0;
}

/* As many times as much there may be of it, if it or what it is a part of is bounded; else 0. */
static double times_if_bounded(const struct search *search, const struct candidate *candidate)
{
    const struct candidate *head =
        candidate->head != NOBODY ? &search->candidates[candidate->head] : candidate;
    if (candidate->is_bounded)
        return times_when_full(candidate->held);
    return head->is_bounded ? times_when_full(head->held)
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
    if (remark->is_told || !is_companion(candidate->name))
        return false;
    if (grows_by_size_only(candidate))
        return remark->postponed < CONTAINER_LIMIT && is_filled_by_some_class(search, candidate);
    return remark->postponed < POSTPONED_LIMIT && candidate->point != 0 && candidate->depth > 1;
}

/* Takes back what is suspected of a whole family: the next snapshot may speak of it. */
static void withdraw(struct search *search, const struct candidate *head)
{
    history_retract(search->history, head->position);
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *part = &search->candidates[i];
        if (part->head != NOBODY && &search->candidates[part->head] == head)
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
    if (candidate->head != NOBODY || (!remark->is_told && is_part_of_told(search, candidate)))
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

/* The dearest of those that are still to be accused, or NOBODY. */
static size_t find_dearest(const struct search *search)
{
    size_t dearest = NOBODY;
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *candidate = &search->candidates[i];
        if (!candidate->is_silent &&
            (dearest == NOBODY ||
             candidate->bytes_per_hour > search->candidates[dearest].bytes_per_hour))
            dearest = i;
    }
    return dearest;
}

/* Of those for whom there is no room the next snapshot speaks. */
static void accuse_all(struct suspects *suspects, struct search *search)
{
    size_t place;
    while ((place = find_dearest(search)) != NOBODY) {
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
        .head = NOBODY,
    };
    candidate->bytes_per_hour =
        trend_watch_rate_per_hour(&candidate->watch, &candidate->now, TREND_BYTES);
    candidate->is_bounded = is_mostly_bounded(candidate->held);
    find_point(candidate);
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
