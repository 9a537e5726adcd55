/* SPDX-License-Identifier: MIT
 *
 * Invariant: `bytes` is what all blocks take together, malloc's own part included, and stays below
 * BYTES_LIMIT: nothing is allocated that would exceed it. What is between that and
 * HISTORY_BYTES_MAX is for the moment in which a block and its larger copy exist both.
 */
#include "growth/history_table.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 16, /* what a block takes beside what was asked for */
    BYTES_LIMIT = HISTORY_BYTES_MAX - 32 * 1024,
    ENTRY_BYTES_LIMIT = BYTES_LIMIT / 8 * 5,
    /* What is freed at a time. */
    ROOM_BYTES = HISTORY_BYTES_MAX / 8,
    SHELF_STEP = 8,
    TRACK_STEP = 64,
};

unsigned magnitude_of(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

uint64_t history_hash(const char *name)
{
    size_t left = strlen(name);
    uint64_t hash = left;
    for (; left > 0; name += left < 8 ? left : 8, left -= left < 8 ? left : 8) {
        uint64_t word = 0;
        memcpy(&word, name, left < 8 ? left : 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    hash *= 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

/* Whether `bytes` more may be taken. */
static bool has_room(const struct history *history, size_t bytes)
{
    return history->bytes + bytes <= BYTES_LIMIT;
}

struct history *history_create(void)
{
    struct history *history = calloc(1, sizeof(*history));
    if (history == NULL)
        return NULL;
    history->bytes = sizeof(*history) + BLOCK_BYTES;
    history->samples_max = TREND_SAMPLES_MAX;
    return history;
}

static struct history_shelf *shelf_of(struct history *history, uint64_t hash)
{
    return &history->shelves[hash >> 56];
}

struct history_entry *history_find(const struct history *history, uint64_t hash)
{
    const struct history_shelf *shelf = &history->shelves[hash >> 56];
    for (size_t i = 0; i < shelf->count; i++) {
        if (shelf->entries[i].hash == hash)
            return &shelf->entries[i];
    }
    return NULL;
}

struct history_entry *history_enter(struct history *history, uint64_t hash)
{
    struct history_shelf *shelf = shelf_of(history, hash);
    if (shelf->count == shelf->capacity) {
        size_t capacity = shelf->capacity + (size_t)SHELF_STEP;
        size_t more = SHELF_STEP * sizeof(*shelf->entries);
        more += shelf->capacity == 0 ? BLOCK_BYTES : 0;
        if (!has_room(history, more) || history->entry_bytes + more > ENTRY_BYTES_LIMIT ||
            capacity > UINT16_MAX)
            return NULL;
        void *entries = realloc(shelf->entries, capacity * sizeof(*shelf->entries));
        if (entries == NULL)
            return NULL;
        shelf->entries = entries;
        shelf->capacity = (uint16_t)capacity;
        history->entry_bytes += more;
        history->bytes += more;
    }
    struct history_entry *entry = &shelf->entries[shelf->count++];
    *entry = (struct history_entry){.hash = hash};
    return entry;
}

static int reserve_track(struct history *history)
{
    if (history->track_count < history->track_capacity)
        return 0;
    size_t more = TRACK_STEP * sizeof(*history->tracks);
    more += history->track_capacity == 0 ? BLOCK_BYTES : 0;
    size_t capacity = history->track_capacity + TRACK_STEP;
    if (!has_room(history, more))
        return -1;
    void *tracks = realloc(history->tracks, capacity * sizeof(*history->tracks));
    if (tracks == NULL)
        return -1;
    history->tracks = tracks;
    history->track_capacity = capacity;
    history->bytes += more;
    return 0;
}

/* The first of its samples included. */
static size_t bytes_of_track(const struct history_track *track)
{
    size_t bytes = sizeof(*track) + 2 * BLOCK_BYTES;
    bytes +=
        (track->series.capacity > 4 ? track->series.capacity : 4) * sizeof(struct series_sample);
    if (track->suspect != NULL)
        bytes += sizeof(*track->suspect) + strlen(track->suspect->name) + 1 + BLOCK_BYTES;
    return bytes;
}

struct history_track *history_follow(struct history *history, struct history_entry *entry,
                                     struct series_sample first)
{
    struct history_track empty = {.hash = entry->hash, .index = UINT32_MAX};
    if (reserve_track(history) != 0 || !has_room(history, bytes_of_track(&empty)))
        return NULL;
    struct history_track *track = malloc(sizeof(*track));
    if (track == NULL)
        return NULL;
    *track = empty;
    if (series_add(&track->series, first, history->samples_max) != 0) {
        free(track);
        return NULL;
    }
    history->bytes += bytes_of_track(track);
    history->tracks[history->track_count++] = track;
    entry->track = history->track_count & 0xffffff;
    return track;
}

void history_append(struct history *history, struct history_track *track,
                    struct series_sample sample)
{
    size_t before = bytes_of_track(track);
    size_t limit = history->samples_max;
    bool is_full = track->series.count == track->series.capacity && track->series.count < limit;
    if (is_full && track->series.count >= 4 && !has_room(history, 4 * sizeof(sample))) {
        history->is_short = true;
        limit = track->series.count;
    }
    /* Cannot fail: there is a sample to give up. */
    series_add(&track->series, sample, limit);
    history->bytes += bytes_of_track(track) - before;
}

struct history_suspect *history_remember(struct history *history, struct history_track *track,
                                         const char *name)
{
    size_t size = sizeof(*track->suspect) + strlen(name) + 1;
    if (!has_room(history, size + BLOCK_BYTES)) {
        history->is_short = true;
        return NULL;
    }
    struct history_suspect *suspect = malloc(size);
    if (suspect == NULL)
        return NULL;
    suspect->watch = (struct trend_watch){0};
    suspect->remark = (struct history_remark){0};
    memcpy(suspect->name, name, strlen(name) + 1);
    track->suspect = suspect;
    history->bytes += size + BLOCK_BYTES;
    return suspect;
}

static void free_track(struct history *history, struct history_track *track)
{
    history->bytes -= bytes_of_track(track);
    series_clear(&track->series);
    free(track->suspect);
    free(track);
}

/* Its class goes on as a quiet one, as if it had always been what it is now. */
static void drop_track(struct history *history, size_t position)
{
    struct history_track *track = history->tracks[position];
    struct history_entry *entry = history_find(history, track->hash);
    const struct series_sample *now = &track->series.samples[track->series.count - 1];
    entry->track = 0;
    entry->count = now->count;
    entry->bytes = now->bytes;
    free_track(history, track);
    struct history_track *moved = history->tracks[--history->track_count];
    if (position == history->track_count)
        return;
    history->tracks[position] = moved;
    history_find(history, moved->hash)->track = (position + 1) & 0xffffff;
}

/* How much there is to say of it: suspects are never let go. */
static unsigned interest_of(const struct history_track *track)
{
    if (track->suspect != NULL && track->suspect->watch.suspected)
        return 64;
    const struct series_sample *first = &track->series.samples[0];
    const struct series_sample *now = &track->series.samples[track->series.count - 1];
    uint64_t more = now->bytes, less = first->bytes;
    return magnitude_of(more > less ? more - less : less - more);
}

/* Drops the tracks of least interest until `bytes` are free. */
static void drop_tracks(struct history *history, size_t bytes)
{
    size_t costs[65] = {0}, sum = 0;
    unsigned least = 0;
    for (size_t i = 0; i < history->track_count; i++)
        costs[interest_of(history->tracks[i])] += bytes_of_track(history->tracks[i]);
    while (least < 63 && sum + costs[least] < bytes)
        sum += costs[least++];
    size_t target = history->bytes > bytes ? history->bytes - bytes : 0;
    for (size_t i = history->track_count; i-- > 0 && history->bytes > target;) {
        if (interest_of(history->tracks[i]) <= least)
            drop_track(history, i);
    }
    if (least > history->least_change)
        history->least_change = least;
    else if (history->has_refused)
        history->least_change++;
}

static void thin_tracks(struct history *history)
{
    history->samples_max = TREND_SAMPLES_MAX / 2;
    for (size_t i = 0; i < history->track_count; i++) {
        struct history_track *track = history->tracks[i];
        history->bytes -= bytes_of_track(track);
        series_thin(&track->series, history->samples_max);
        history->bytes += bytes_of_track(track);
    }
}

/* Lets go of quiet classes: those that are gone, then the smallest, at least an eighth of all. */
static void drop_entries(struct history *history)
{
    size_t counts[64] = {0}, all = 0, sum = 0, dropped = 0;
    unsigned least = 0;
    for (size_t i = 0; i < SHELF_COUNT; i++) {
        struct history_shelf *shelf = &history->shelves[i];
        for (size_t k = 0; k < shelf->count; k++, all++)
            counts[shelf->entries[k].track ? 63 : magnitude_of(shelf->entries[k].bytes)]++;
    }
    while (least < 62 && (sum + counts[least]) * 8 < all)
        sum += counts[least++];
    for (size_t i = 0; i < SHELF_COUNT; i++) {
        struct history_shelf *shelf = &history->shelves[i];
        for (size_t k = shelf->count; k-- > 0;) {
            const struct history_entry *entry = &shelf->entries[k];
            bool is_gone = entry->seen != history->snapshots;
            bool is_small = magnitude_of(entry->bytes) <= least && dropped * 8 < all;
            if (entry->track != 0 || (!is_gone && !is_small))
                continue;
            shelf->entries[k] = shelf->entries[--shelf->count];
            dropped++;
        }
    }
    history->least_bytes = least;
    history->has_forgotten = true;
}

/* Drops the tracks of classes that came and went. */
static void drop_gone(struct history *history)
{
    for (size_t i = history->track_count; i-- > 0;) {
        if (history->tracks[i]->index == UINT32_MAX && interest_of(history->tracks[i]) == 0)
            drop_track(history, i);
    }
}

void history_make_room(struct history *history)
{
    if (history->is_crowded)
        drop_entries(history);
    if (history->is_short)
        drop_gone(history);
    if (history->is_short && history->bytes > BYTES_LIMIT - ROOM_BYTES) {
        if (history->samples_max == TREND_SAMPLES_MAX)
            thin_tracks(history);
        else
            drop_tracks(history, ROOM_BYTES);
    } else if (history->bytes < BYTES_LIMIT / 2) {
        history->samples_max = TREND_SAMPLES_MAX;
        history->least_bytes = history->least_change = 0;
    }
    history->is_crowded = history->is_short = history->has_refused = false;
}

void history_destroy(struct history *history)
{
    if (history == NULL)
        return;
    for (size_t i = 0; i < history->track_count; i++)
        free_track(history, history->tracks[i]);
    for (size_t i = 0; i < SHELF_COUNT; i++)
        free(history->shelves[i].entries);
    free(history->tracks);
    free(history);
}
