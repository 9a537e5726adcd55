/* SPDX-License-Identifier: MIT
 *
 * What the model says, as text for a terminal.
 */
#ifndef MEMPROF_REPORT_SUMMARY_H
#define MEMPROF_REPORT_SUMMARY_H

#include "model.h"
#include "text.h"

struct summary_style {
    bool has_bars; /* the terminal shows UTF-8 */
    size_t width;
    size_t rows; /* classes in each ranking */
};

/* Appends the processes, each with its growth and verdicts. */
void summary_add(struct text *text, const struct model *model, const struct summary_style *style);

/* `bot.log, pid 123, second run` */
void summary_add_process_name(struct text *text, const struct process *process);

/* When a frame was, if that is known. */
void summary_add_moment(struct text *text, const struct process *process,
                        const struct frame *frame);

#endif
