/* SPDX-License-Identifier: MIT
 *
 * Log queries match on these lines: their wording is part of the contract and changes only with a
 * note in NEWS.md.
 */
#include "report.h"

#include "footprint_report.h"

#include <string.h>

static void add_table(struct text *text, const struct snapshot *snapshot, size_t top, int by_bytes)
{
    size_t rows = top < snapshot->class_count ? top : snapshot->class_count;
    text_add(text, "\n\nTop %zu by %s:", top, by_bytes ? "memory usage" : "object count");
    for (size_t i = 0; i < rows; i++) {
        uint32_t index = by_bytes ? snapshot->by_bytes[i] : snapshot->by_count[i];
        const struct snapshot_class *class = &snapshot->classes[index];
        text_add_bytes(text, "\n  ", 3);
        text_add_bytes(text, class->name, strlen(class->name));
        text_add_bytes(text, ": ", 2);
        if (by_bytes) {
            report_add_size(text, class->bytes);
        } else {
            report_add_count(text, class->count);
            text_add(text, " objects");
        }
    }
}

static void add_cost(struct text *text, const struct snapshot *snapshot)
{
    text_add(text, "\n\nSnapshot cost: pause ");
    report_add_milliseconds(text, snapshot->pause_ms);
    text_add(text, " (%s", snapshot->is_forked ? "fork" : "inline");
    if (snapshot->pause_ms - snapshot->longest_pause_ms >= 0.1) {
        text_add(text, ", at most ");
        report_add_milliseconds(text, snapshot->longest_pause_ms);
        text_add(text, " at a time");
    }
    text_add(text, "), ");
    report_add_milliseconds(text, snapshot->duration_ms - snapshot->pause_ms);
    text_add(text, " in background, ");
    report_add_count(text, snapshot->objects);
    text_add(text, " objects");
}

static void add_items(struct text *text, uint64_t length)
{
    text_add(text, ", ");
    report_add_count(text, length);
    text_add(text, length == 1 ? " item" : " items");
}

static void add_point(struct text *text, const struct holder *holder)
{
    text_add(text, " (%s", holder->is_linked ? "linked " : "");
    text_add_bytes(text, holder->container, strlen(holder->container));
    if (holder->length > 0)
        add_items(text, holder->length);
    if (holder->bound > 0) {
        text_add(text, ", at most ");
        report_add_count(text, holder->bound);
    }
    if (holder->retained_bytes > 0) {
        text_add(text, ", retains ");
        report_add_size(text, holder->retained_bytes);
    }
    text_add(text, ")");
}

void report_add_holder(struct text *text, const struct holder *holder)
{
    if (holder->kind == HOLDER_CYCLE)
        text_add(text, "cycles that the collector has not found yet");
    else
        text_add_bytes(text, holder->expression, strlen(holder->expression));
    if (holder->container != NULL)
        add_point(text, holder);
}

static void add_share(struct text *text, uint64_t share, const struct held_class *class)
{
    text_add(text, "\n  ");
    report_add_share(text, share, class->sample);
    text_add(text, " by ");
}

void report_add_held(struct text *text, const struct held_class *class)
{
    uint64_t rest = class->sample;
    text_add(text, "\n\nHeld: ");
    text_add_bytes(text, class->name, strlen(class->name));
    text_add(text, " (");
    report_add_count(text, class->objects + class->garbage);
    text_add(text, class->objects + class->garbage == 1 ? " object)" : " objects)");
    for (size_t i = 0; i < class->holder_count; i++) {
        add_share(text, class->holders[i].share, class);
        report_add_holder(text, &class->holders[i]);
        rest -= class->holders[i].share;
    }
    if (rest > 0) {
        add_share(text, rest, class);
        text_add(text, "others");
    }
    if (class->objects > 0 && class->garbage > 0) {
        text_add(text, "\n  and ");
        report_add_count(text, class->garbage);
        text_add(text, " in cycles that the collector has not found yet");
    }
}

void report_write(struct text *text, const struct snapshot *snapshot, const struct text *growth,
                  size_t top, long pid)
{
    text_add(text, "Memory Snapshot");
    if (pid != 0)
        text_add(text, " [pid %ld]", pid);
    add_table(text, snapshot, top, 0);
    add_table(text, snapshot, top, 1);
    if (growth != NULL && growth->size > 0)
        text_add_bytes(text, growth->bytes, growth->size);
    text->failed |= growth != NULL && growth->failed;
    for (size_t i = 0; i < snapshot->holders.class_count; i++) {
        if (snapshot->holders.classes[i].reasons & HELD_ASKED)
            report_add_held(text, &snapshot->holders.classes[i]);
    }
    footprint_report_add(text, snapshot->footprints, snapshot->has_untracked);
    add_cost(text, snapshot);
}
