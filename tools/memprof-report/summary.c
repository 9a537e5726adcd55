/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include "growth.h"
#include "moment.h"
#include "wording.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 100 };

void summary_add_process_name(struct text *text, const struct process *process)
{
    wording_add_safe(text, process->source, strlen(process->source));
    if (process->pid != READING_UNKNOWN)
        text_add(text, ", pid %lld", (long long)process->pid);
    if (process->run > 1)
        text_add(text, ", run %u", process->run);
}

void summary_add_moment(struct text *text, const struct process *process, const struct frame *frame)
{
    char moment[MOMENT_TEXT_SIZE];
    if (process->clock != CLOCK_WALL)
        return;
    moment_write(moment, (struct moment){frame->time_ms, process->is_utc});
    text_add(text, "%s", moment);
}

static void add_head(struct text *text, const struct process *process)
{
    const struct frame *first = &process->frames[0];
    const struct frame *last = &process->frames[process->frame_count - 1];
    summary_add_process_name(text, process);
    text_add(text, ": %u %s", process->snapshots,
             process->snapshots == 1 ? "snapshot" : "snapshots");
    if (process->clock != CLOCK_NONE && process->snapshots > 1) {
        text_add(text, " over ");
        wording_add_span(text, last->time_ms - first->time_ms);
    }
    if (process->clock == CLOCK_WALL) {
        text_add(text, ", ");
        summary_add_moment(text, process, first);
        if (process->snapshots > 1) {
            text_add(text, " to ");
            summary_add_moment(text, process, last);
        }
    }
    text_add(text, "\n");
}

/* ---- The process ---- */

static void add_figure(struct text *text, const struct process *process, const char *name,
                       enum figure figure, const struct summary_style *style)
{
    struct growth growth;
    char bars[SPARKLINE_SIZE];
    bool is_bytes = figure_is_bytes(figure);
    if (!growth_of_figure(process, figure, &growth) || (growth.first == 0 && growth.last == 0))
        return;
    text_add(text, "  %s: ", name);
    wording_add_amount(text, growth.last, is_bytes);
    if (process->snapshots > 1) {
        text_add(text, ", ");
        wording_add_change(text, growth.last - growth.first, is_bytes);
        text_add(text, " since first");
    }
    if (growth.per_hour != 0) {
        text_add(text, ", ");
        wording_add_rate(text, growth.per_hour, is_bytes);
    }
    sparkline_of_figure(bars, process, figure);
    if (style->has_bars && bars[0] != '\0')
        text_add(text, "  %s", bars);
    text_add(text, "\n");
}

static void add_figures(struct text *text, const struct process *process,
                        const struct summary_style *style)
{
    for (int i = 0; i < FIGURES; i++)
        add_figure(text, process, figure_names[i], (enum figure)i, style);
    if (process->note != NULL)
        wording_add_wrapped(text, process->note, 2, style->width - 2);
}

/* ---- Classes ---- */

static void add_column(struct text *text, const struct text *cell, size_t width)
{
    size_t size = cell->size < width ? width - cell->size : 0;
    text_add(text, "%*s%s", (int)size, "", cell->bytes);
}

static void add_row(struct text *text, const struct process *process, const struct growth *row,
                    bool is_bytes, const struct summary_style *style)
{
    struct text change = {0}, rate = {0};
    char bars[SPARKLINE_SIZE] = "";
    wording_add_change(&change, row->last - row->first, is_bytes);
    wording_add_rate(&rate, row->per_hour, is_bytes);
    if (change.failed || rate.failed) {
        text->failed = true;
    } else {
        add_column(text, &change, 14);
        if (row->per_hour != 0)
            add_column(text, &rate, 24);
    }
    if (style->has_bars)
        sparkline_of_class(bars, process, row->class, is_bytes);
    text_add(text, "%s%s  ", bars[0] != '\0' ? "  " : "", bars);
    wording_add_safe(text, row->class->name, strlen(row->class->name));
    text_add(text, " (");
    wording_add_amount(text, row->last, is_bytes);
    text_add(text, ")\n");
    text_clear(&change);
    text_clear(&rate);
}

static void add_ranking(struct text *text, const struct process *process, bool is_bytes,
                        const struct summary_style *style)
{
    struct growth rows[ROWS_MAX];
    size_t limit = style->rows < ROWS_MAX ? style->rows : ROWS_MAX;
    size_t count = growth_rank(process, is_bytes, rows, limit);
    text_add(text, "  Grew most by %s:%s\n", is_bytes ? "memory usage" : "object count",
             count == 0 ? " nothing" : "");
    for (size_t i = 0; i < count; i++)
        add_row(text, process, &rows[i], is_bytes, style);
}

/* ---- Verdicts ---- */

static void add_suspicions(struct text *text, const struct process *process,
                           const struct summary_style *style)
{
    for (int kind = VERDICT_SUSPECTED; kind <= VERDICT_CLEARED; kind++)
        for (size_t i = 0; i < process->suspicion_count; i++)
            if (process->suspicions[i].kind == (enum verdict_kind)kind)
                wording_add_wrapped(text, process->suspicions[i].text, 2, style->width - 2);
}

static void add_held(struct text *text, const struct process *process)
{
    for (const char *line = process->held; line != NULL;) {
        size_t size = strcspn(line, "\n");
        text_add(text, line[0] == ' ' ? "  " : "  Held: ");
        wording_add_safe(text, line, size);
        text_add(text, "\n");
        line = line[size] == '\n' ? line + size + 1 : NULL;
    }
}

static void add_process(struct text *text, const struct process *process,
                        const struct summary_style *style)
{
    add_head(text, process);
    add_suspicions(text, process, style);
    add_figures(text, process, style);
    if (process->snapshots > 1) {
        add_ranking(text, process, true, style);
        add_ranking(text, process, false, style);
    }
    add_held(text, process);
}

void summary_add(struct text *text, const struct model *model, const struct summary_style *style)
{
    for (size_t i = 0; i < model->process_count; i++) {
        if (i > 0)
            text_add(text, "\n");
        add_process(text, model->processes[i], style);
    }
    if (model->classes_let_go > 0)
        text_add(text, "\n%llu classes were let go, the smallest first: there are too many\n",
                 (unsigned long long)model->classes_let_go);
    if (model->snapshots_of_others > 0)
        text_add(text, "\n%llu snapshots are of processes beyond the first 1000, and not shown\n",
                 (unsigned long long)model->snapshots_of_others);
}
