/* SPDX-License-Identifier: MIT
 *
 * Invariant after history_add(): each class that was in a snapshot has an entry, unless there was
 * no room; it is quiet as long as it has been the same in all of them, and from its first change on
 * moving, with a series whose last sample is of the last snapshot.
 */
#include "growth/history.h"

#include "growth/history_table.h"
#include "memory.h"

#include <string.h>

enum { ASKED_MIN = 8 };

/* Time never falls, whatever the caller's clock does. */
static uint64_t time_since_first(const struct history *history, uint64_t time_ms)
{
    return time_ms > history->first_ms + history->span_ms ? time_ms - history->first_ms
                                                          : history->span_ms;
}

static struct series_sample sample_of(const struct history *history, uint64_t count, uint64_t bytes)
{
    return series_pack(&(struct trend_sample){
        .time_ms = history->span_ms,
        .count = count,
        .bytes = bytes,
        .snapshot = history->snapshots,
    });
}

static bool has_changed(const struct history *history, const struct history_entry *entry,
                        const struct series_sample *now)
{
    if (entry->count == now->count && entry->bytes == now->bytes)
        return false;
    uint64_t more = now->bytes, less = entry->bytes;
    unsigned change = magnitude_of(more > less ? more - less : less - more);
    return history->least_change == 0 || change > history->least_change;
}

/* The series of a class that has been the same up to now. */
static struct history_track *start_track(struct history *history, struct history_entry *entry)
{
    struct series_sample first = history->first, previous = history->previous;
    first.count = previous.count = entry->count;
    first.bytes = previous.bytes = entry->bytes;
    struct history_track *track = history_follow(history, entry, first);
    if (track != NULL && history->snapshots > 2)
        history_append(history, track, previous);
    return track;
}

static int note_sample(struct history *history, struct history_entry *entry,
                       struct series_sample now, uint32_t index)
{
    if (entry->track == 0 && !has_changed(history, entry, &now))
        return 0;
    struct history_track *track =
        entry->track != 0 ? history->tracks[entry->track - 1] : start_track(history, entry);
    if (track == NULL) {
        history->is_short = history->has_refused = true;
        return -1;
    }
    track->index = index;
    history_append(history, track, now);
    return 0;
}

/* A class that is new to us was not there before, unless it may have been forgotten. */
static int note_newcomer(struct history *history, uint64_t hash, struct series_sample now,
                         uint32_t index)
{
    if (history->has_forgotten && magnitude_of(now.bytes) <= history->least_bytes)
        return 0;
    struct history_entry *entry = history_enter(history, hash);
    if (entry == NULL) {
        history->is_crowded = true;
        return -1;
    }
    entry->seen = history->snapshots;
    if (history->snapshots > 1 && !history->has_forgotten &&
        note_sample(history, entry, now, index) == 0)
        return 0;
    entry->count = now.count;
    entry->bytes = now.bytes;
    return 0;
}

static int note_class(struct history *history, const struct snapshot_class *class, uint32_t index)
{
    struct series_sample now = sample_of(history, class->count, class->bytes);
    uint64_t hash = history_hash(class->name);
    struct history_entry *entry = history_find(history, hash);
    if (entry == NULL)
        return note_newcomer(history, hash, now, index);
    if (entry->seen == history->snapshots)
        return 0; /* two names of one hash */
    entry->seen = history->snapshots;
    return note_sample(history, entry, now, index);
}

static int note_absent(struct history *history)
{
    int result = 0;
    for (size_t i = 0; i < SHELF_COUNT; i++) {
        struct history_shelf *shelf = &history->shelves[i];
        for (size_t k = 0; k < shelf->count; k++) {
            if (shelf->entries[k].seen != history->snapshots &&
                note_sample(history, &shelf->entries[k], sample_of(history, 0, 0), UINT32_MAX) != 0)
                result = -1;
        }
    }
    return result;
}

int history_add(struct history *history, const struct snapshot *snapshot, uint64_t time_ms)
{
    int result = 0;
    history_make_room(history);
    if (history->snapshots == 0)
        history->first_ms = time_ms;
    history->previous = sample_of(history, 0, 0);
    history->snapshots++;
    history->span_ms = time_since_first(history, time_ms);
    if (history->snapshots == 1)
        history->first = sample_of(history, 0, 0);
    /* The largest first: if there is no room for all, the smallest are left out. */
    for (size_t i = 0; i < snapshot->class_count; i++) {
        uint32_t index = snapshot->by_bytes[i];
        if (note_class(history, &snapshot->classes[index], index) != 0)
            result = -1;
    }
    return note_absent(history) != 0 ? -1 : result;
}

uint32_t history_snapshots(const struct history *history)
{
    return history->snapshots;
}

uint64_t history_span_ms(const struct history *history)
{
    return history->span_ms;
}

size_t history_bytes(const struct history *history)
{
    return history->bytes;
}

size_t history_moving(const struct history *history)
{
    return history->track_count;
}

/* The sample of the previous snapshot: in a run that goes on it is not kept, but the same. */
static const struct trend_sample *previous_of(const struct history_class *class)
{
    const struct trend_sample *now = &class->samples[class->sample_count - 1];
    return class->sample_count > 1 && now[-1].snapshot + 1 == now->snapshot ? now - 1 : now;
}

void history_read(const struct history *history, size_t position, struct history_class *class)
{
    const struct history_track *track = history->tracks[position];
    size_t count = series_read(&track->series, class->samples);
    class->sample_count = count;
    class->index = track->index == UINT32_MAX ? HISTORY_GONE : track->index;
    class->count_since_first = trend_growth(class->samples, count, TREND_COUNT, 0);
    class->bytes_since_first = trend_growth(class->samples, count, TREND_BYTES, 0);
    class->count_per_hour = trend_rate_per_hour(class->samples, count, TREND_COUNT, 0);
    class->bytes_per_hour = trend_rate_per_hour(class->samples, count, TREND_BYTES, 0);
    const struct trend_sample *now = &class->samples[count - 1], *previous = previous_of(class);
    class->count_since_previous = (int64_t)(now->count - previous->count);
    class->bytes_since_previous = (int64_t)(now->bytes - previous->bytes);
}

enum trend_event history_judge(struct history *history, size_t position, const char *name,
                               struct trend *trend)
{
    struct history_track *track = history->tracks[position];
    struct trend_sample samples[TREND_SAMPLES_MAX];
    size_t count = series_read(&track->series, samples);
    if (track->suspect != NULL)
        return trend_watch_step(&track->suspect->watch, samples, count, trend);
    struct trend_watch watch = {0};
    enum trend_event event = trend_watch_step(&watch, samples, count, trend);
    if (event == TREND_NO_EVENT)
        return event;
    if (name == NULL || history_remember(history, track, name) == NULL)
        return TREND_NO_EVENT;
    track->suspect->watch = watch;
    return event;
}

const struct trend_watch *history_watch(const struct history *history, size_t position)
{
    const struct history_suspect *suspect = history->tracks[position]->suspect;
    return suspect != NULL ? &suspect->watch : NULL;
}

const char *history_suspect_name(const struct history *history, size_t position)
{
    const struct history_suspect *suspect = history->tracks[position]->suspect;
    return suspect != NULL ? suspect->name : NULL;
}

struct history_remark *history_remark(const struct history *history, size_t position)
{
    struct history_suspect *suspect = history->tracks[position]->suspect;
    return suspect != NULL ? &suspect->remark : NULL;
}

void history_retract(struct history *history, size_t position)
{
    struct history_suspect *suspect = history->tracks[position]->suspect;
    if (suspect == NULL)
        return;
    suspect->watch.suspected = false;
    suspect->watch.measures = 0;
}

void history_forgive(struct history *history, size_t position, struct trend_level level)
{
    struct history_suspect *suspect = history->tracks[position]->suspect;
    if (suspect == NULL)
        return;
    history_retract(history, position);
    if (level.count > suspect->watch.forgiven.count)
        suspect->watch.forgiven.count = level.count;
    if (level.bytes > suspect->watch.forgiven.bytes)
        suspect->watch.forgiven.bytes = level.bytes;
}

/* ---- What would be ---- */

/* The series of a class with one more sample; history_append() does the same. */
static size_t read_with(const struct history *history, const struct history_track *track,
                        struct series_sample now, struct trend_sample *samples)
{
    struct series_sample room[TREND_SAMPLES_MAX];
    struct series series = {room, track->series.count, TREND_SAMPLES_MAX};
    memcpy(room, track->series.samples, track->series.count * sizeof(room[0]));
    series_add(&series, now, history->samples_max);
    return series_read(&series, samples);
}

/* As many objects as there are more of them now, so that it is those that are asked. */
static uint32_t newest_of(const struct trend_watch *watch, const struct trend_sample *now)
{
    int64_t growth = trend_watch_growth(watch, now, TREND_COUNT);
    if (growth < ASKED_MIN)
        return ASKED_MIN;
    return growth < UINT32_MAX ? (uint32_t)growth : UINT32_MAX;
}

/* Bytes per hour if there would be something to say, else a negative number. */
static double foresee_track(const struct history *history, const struct history_track *track,
                            struct series_sample now, struct held_wish *wish)
{
    struct trend_sample samples[TREND_SAMPLES_MAX];
    struct trend_watch watch = {0};
    struct trend trend;
    size_t count = read_with(history, track, now, samples);
    if (track->suspect != NULL)
        watch = track->suspect->watch;
    enum trend_event event = trend_watch_step(&watch, samples, count, &trend);
    if (event != TREND_SUSPECTED && event != TREND_DOUBLED)
        return -1;
    wish->by_size = trend_watch_is_by_size(&watch, &samples[count - 1]);
    wish->newest = newest_of(&watch, &samples[count - 1]);
    double rate = trend_watch_rate_per_hour(&watch, &samples[count - 1], TREND_BYTES);
    return rate > 0 ? rate : 0;
}

/* A moving class as a snapshot has it: several classes may be of one name. */
struct sum {
    uint64_t count, bytes;
    const char *name;
};

static void sum_up(const struct history *history, const struct snapshot *snapshot, struct sum *sums)
{
    for (size_t i = 0; i < snapshot->class_count; i++) {
        const struct snapshot_class *class = &snapshot->classes[i];
        const struct history_entry *entry = history_find(history, history_hash(class->name));
        if (entry == NULL || entry->track == 0)
            continue;
        struct sum *sum = &sums[entry->track - 1];
        sum->count += class->count;
        sum->bytes += class->bytes;
        sum->name = class->name;
    }
}

/* Keeps the `limit` wishes of the highest rates in order; returns their number. */
static size_t insert_wish(struct held_wish *wishes, double *rates, size_t count, size_t limit,
                          struct held_wish wish, double rate)
{
    size_t at = count < limit ? count : limit;
    while (at > 0 && rates[at - 1] < rate)
        at--;
    if (at == limit)
        return count;
    size_t kept = count < limit ? count : limit - 1;
    memmove(&wishes[at + 1], &wishes[at], (kept - at) * sizeof(*wishes));
    memmove(&rates[at + 1], &rates[at], (kept - at) * sizeof(*rates));
    wishes[at] = wish;
    rates[at] = rate;
    return kept + 1;
}

size_t history_foresee(const struct history *history, const struct snapshot *snapshot,
                       uint64_t time_ms, struct held_wish *wishes, size_t limit)
{
    double rates[HISTORY_FORESEE_LIMIT];
    size_t count = 0;
    struct sum *sums = memory_allocate_zeroed(history->track_count + 1, sizeof(*sums));
    if (sums == NULL || limit > HISTORY_FORESEE_LIMIT)
        limit = 0;
    if (limit > 0)
        sum_up(history, snapshot, sums);
    for (size_t i = 0; i < history->track_count && limit > 0; i++) {
        if (sums[i].name == NULL)
            continue;
        const struct trend_sample now = {
            .time_ms = time_since_first(history, time_ms),
            .count = sums[i].count,
            .bytes = sums[i].bytes,
            .snapshot = history->snapshots + 1,
        };
        struct held_wish wish = {.name = sums[i].name, .reasons = HELD_SUSPECTED};
        double rate = foresee_track(history, history->tracks[i], series_pack(&now), &wish);
        if (rate >= 0)
            count = insert_wish(wishes, rates, count, limit, wish, rate);
    }
    memory_free(sums);
    return count;
}
