/* SPDX-License-Identifier: MIT
 *
 * One input, a file or a pipe: from its lines to snapshots, whatever has wrapped them. Where it
 * holds the lines of several containers or units, each of these is a stream of its own.
 */
#ifndef MEMPROF_REPORT_LOG_H
#define MEMPROF_REPORT_LOG_H

#include "complaints.h"
#include "line_reader.h"
#include "receiver.h"
#include "sink.h"

struct log_stream;

struct log {
    const char *name; /* the caller's */
    struct line_reader reader;
    const struct receiver *receiver;
    struct complaints *complaints;
    struct sink sink;
    struct log_stream *streams; /* owned, the one that was used last first */
    struct log_stream *current;
    int64_t current_pid;
    unsigned stream_count;
    bool is_plain; /* what looked like the name of a container is not one */
    int64_t now_ms;
};

/* The descriptor stays the caller's. Does not move: the log points into itself. */
void log_start(struct log *log, const char *name, int descriptor, const struct receiver *receiver,
               struct complaints *complaints);

enum log_status {
    LOG_MORE,   /* a line was read */
    LOG_END,    /* there is no whole line, for now */
    LOG_FAILED, /* to be read: errno says why */
    LOG_NO_MEMORY,
};

/* Takes one line. */
enum log_status log_step(struct log *log);

/* What is left at the end: a last line, snapshots that have begun. -1 when out of memory. */
int log_finish(struct log *log);

void log_clear(struct log *log);

#endif
