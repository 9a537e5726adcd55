/* SPDX-License-Identifier: MIT
 *
 * What standard output can show.
 */
#ifndef MEMPROF_REPORT_TERMINAL_H
#define MEMPROF_REPORT_TERMINAL_H

#include "summary.h"

/* `rows` is the caller's wish, and goes into the style. */
struct summary_style terminal_style(size_t rows);

/* How many lines it has. */
size_t terminal_lines(void);

#endif
