/* SPDX-License-Identifier: MIT
 *
 * The profiler's own one-line messages: `memprof: <text>` on descriptor 2, in one write.
 */
#ifndef MEMPROF_MESSAGE_H
#define MEMPROF_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Longer messages are cut, so that each is one atomic write to a pipe. */
enum { MESSAGE_LIMIT_BYTES = 1024 };

/* Descriptor 2 as it was at start-up decides: closed then, it may be anything by now, and nothing
 * is written to it ever again. Where the program has put another file there since, only a terminal
 * or other device and a file opened for appending, as logs are, are written to. Call once per
 * process. */
void message_begin(void);

/* Every message is one line, whatever the arguments hold. Allocates nothing. Lost where there is no
 * room for it within a tenth of a second. */
void message_write(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, unless `*said` is set; sets it. */
void message_write_once(bool *said, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes all of `text` to descriptor 2; for the records that fall back to it. Waits at most two
 * seconds for a full pipe. Returns 0, or -1 where something was lost. */
int message_write_record(const char *text, size_t size);

#endif
