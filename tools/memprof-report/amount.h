/* SPDX-License-Identifier: MIT
 *
 * Amounts as the snapshots write them, read back. Each takes the text at *at up to `end`, moves *at
 * behind what it has read, and is false, with *at where it was, if that is no such amount.
 */
#ifndef MEMPROF_REPORT_AMOUNT_H
#define MEMPROF_REPORT_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* `5,678` */
bool amount_read_count(const char **at, const char *end, int64_t *count);

/* `512 B`, `45.2 MB`: in bytes. */
bool amount_read_size(const char **at, const char *end, int64_t *bytes);

/* `45s`, `58m`, `1h 58m`, `3d 4h`: in milliseconds. */
bool amount_read_span(const char **at, const char *end, int64_t *span_ms);

/* The very text `word`. */
bool amount_read_word(const char **at, const char *end, const char *word);

#endif
