/* SPDX-License-Identifier: MIT
 *
 * Amounts, spans and names as they are shown, the same everywhere.
 */
#ifndef MEMPROF_REPORT_WORDING_H
#define MEMPROF_REPORT_WORDING_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `45.2 MB` or `5,678` */
void wording_add_amount(struct text *text, int64_t amount, bool is_bytes);

/* `+45.2 MB`, `-3` */
void wording_add_change(struct text *text, int64_t change, bool is_bytes);

/* `+22.8 MB per hour`; what grows is never `+0`. */
void wording_add_rate(struct text *text, double per_hour, bool is_bytes);

/* `1h 58m` */
void wording_add_span(struct text *text, int64_t span_ms);

/* Text of strangers: what could move the cursor, colour the terminal, hide or turn round what
 * stands beside it is shown as `?`, and so are bytes that are not UTF-8. */
void wording_add_safe(struct text *text, const char *words, size_t size);

/* The same, in lines of at most `width` bytes where it has spaces, each behind `indent` spaces. */
void wording_add_wrapped(struct text *text, const char *words, size_t indent, size_t width);

#endif
