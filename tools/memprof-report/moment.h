/* SPDX-License-Identifier: MIT
 *
 * Points in time as logs write them, in milliseconds since 1970.
 */
#ifndef MEMPROF_REPORT_MOMENT_H
#define MEMPROF_REPORT_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct moment {
    int64_t time_ms;
    bool is_utc; /* false: without a zone, taken as it stands */
};

/* `2026-11-24T13:00:00.123456789Z`, `2026-11-24 13:00:00,123`, `2026-11-24T13:00:00+0100` at the
 * beginning of `text`: how many bytes it takes, 0 if there is none. */
size_t moment_read(const char *text, size_t size, struct moment *moment);

/* The first such time anywhere in `text`. */
bool moment_find(const char *text, size_t size, struct moment *moment);

/* `Nov 24 13:00:00`: the last one until `now_ms`, or within a day from then on, as it may be of any
 * zone. */
size_t moment_read_syslog(const char *text, size_t size, int64_t now_ms, struct moment *moment);

enum { MOMENT_TEXT_SIZE = 40 };

/* `2026-11-24 13:00:00`, with ` UTC` behind it if it is that. */
void moment_write(char text[MOMENT_TEXT_SIZE], struct moment moment);

#endif
