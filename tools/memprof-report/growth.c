/* SPDX-License-Identifier: MIT */
#include "growth.h"

#include <string.h>

#define MS_PER_HOUR 3600000.0

double growth_per_hour(const struct process *process, int64_t change, int64_t span_ms)
{
    if (process->clock == CLOCK_NONE || span_ms <= 0)
        return 0;
    return (double)change * MS_PER_HOUR / (double)span_ms;
}

static const struct point *find_first(const struct class *class, bool is_bytes)
{
    for (size_t i = 0; i < class->point_count; i++)
        if (model_value(&class->points[i], is_bytes) != READING_UNKNOWN)
            return &class->points[i];
    return NULL;
}

static bool read_growth(const struct process *process, const struct class *class, bool is_bytes,
                        struct growth *growth)
{
    const struct point *last = model_last(process, class);
    const struct point *first = find_first(class, is_bytes);
    if (last == NULL || first == NULL || model_value(last, is_bytes) == READING_UNKNOWN)
        return false;
    growth->class = class;
    growth->first = model_value(first, is_bytes);
    growth->last = model_value(last, is_bytes);
    growth->per_hour = growth_per_hour(process, growth->last - growth->first,
                                       model_frame(process, last->frame)->time_ms -
                                           model_frame(process, first->frame)->time_ms);
    return growth->last > growth->first;
}

static bool comes_before(const struct growth *a, const struct growth *b)
{
    int64_t of_a = a->last - a->first, of_b = b->last - b->first;
    return of_a != of_b ? of_a > of_b : strcmp(a->class->name, b->class->name) < 0;
}

size_t growth_rank(const struct process *process, bool is_bytes, struct growth *rows, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < process->class_count; i++) {
        struct growth growth;
        if (!read_growth(process, process->classes[i], is_bytes, &growth) ||
            (count == limit && !comes_before(&growth, &rows[limit - 1])))
            continue;
        size_t at = count < limit ? count++ : limit - 1;
        for (; at > 0 && comes_before(&growth, &rows[at - 1]); at--)
            rows[at] = rows[at - 1];
        rows[at] = growth;
    }
    return count;
}

bool growth_of_figure(const struct process *process, enum figure figure, struct growth *growth)
{
    const struct frame *first = NULL, *last = NULL;
    for (size_t i = 0; i < process->frame_count; i++) {
        const struct frame *frame = &process->frames[i];
        if (frame->figures[figure] == READING_UNKNOWN)
            continue;
        first = first == NULL ? frame : first;
        last = frame;
    }
    if (last == NULL)
        return false;
    *growth = (struct growth){.first = first->figures[figure], .last = last->figures[figure]};
    growth->per_hour =
        growth_per_hour(process, growth->last - growth->first, last->time_ms - first->time_ms);
    return true;
}

/* ---- Sparklines ---- */

static void draw(char text[SPARKLINE_SIZE], const int64_t values[SPARKLINE_BARS], int count)
{
    int64_t least = INT64_MAX, most = -1;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (values[i] == READING_UNKNOWN)
            continue;
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    if (count < 2 || most < 0)
        return;
    for (int i = 0; i < count; i++) {
        double share = most > least ? (double)(values[i] - least) / (double)(most - least) : 0;
        char bar[4] = {'\xe2', '\x96', (char)(0x81 + (int)(share * 7 + 0.5)), '\0'};
        strcat(text, values[i] == READING_UNKNOWN ? " " : bar);
    }
}

/* Of `count` snapshots, the one that bar `bar` of `bars` shows: the first and the last are in. */
static size_t index_of(int bar, int bars, size_t count)
{
    return bars < 2 ? 0 : (size_t)bar * (count - 1) / (size_t)(bars - 1);
}

static int bars_of(const struct process *process)
{
    return process->frame_count < SPARKLINE_BARS ? (int)process->frame_count : SPARKLINE_BARS;
}

void sparkline_of_figure(char text[SPARKLINE_SIZE], const struct process *process,
                         enum figure figure)
{
    int64_t values[SPARKLINE_BARS];
    int bars = bars_of(process);
    for (int i = 0; i < bars; i++)
        values[i] = process->frames[index_of(i, bars, process->frame_count)].figures[figure];
    draw(text, values, bars);
}

void sparkline_of_class(char text[SPARKLINE_SIZE], const struct process *process,
                        const struct class *class, bool is_bytes)
{
    int64_t values[SPARKLINE_BARS];
    int bars = bars_of(process);
    size_t at = 0;
    for (int i = 0; i < bars; i++) {
        uint32_t frame = process->frames[index_of(i, bars, process->frame_count)].index;
        while (at < class->point_count && class->points[at].frame < frame)
            at++;
        bool is_there = at < class->point_count && class->points[at].frame == frame;
        values[i] = is_there ? model_value(&class->points[at], is_bytes) : READING_UNKNOWN;
    }
    draw(text, values, bars);
}
