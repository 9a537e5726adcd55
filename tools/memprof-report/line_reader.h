/* SPDX-License-Identifier: MIT
 *
 * The lines of a file, a pipe or a terminal, in bounded memory.
 */
#ifndef MEMPROF_REPORT_LINE_READER_H
#define MEMPROF_REPORT_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A snapshot of a hundred thousand classes fits. */
#define LINE_SIZE_MAX (32u * 1024 * 1024)

/* `descriptor` belongs to the caller. */
struct line_reader {
    int descriptor;
    char *bytes; /* owned */
    size_t start, end, searched, capacity;
    uint64_t line_number; /* of the line that was read last */
    uint64_t offset;      /* bytes taken from the file */
    bool is_skipping;     /* within a line that is too long */
    bool is_over;         /* the last read found the end, and not just nothing yet */
};

enum line_status {
    LINE_READ,
    LINE_NONE,   /* no whole line: the end, for now */
    LINE_LONG,   /* one was left out */
    LINE_FAILED, /* errno says why */
};

/* The next whole line, without its end; it is there, and the caller's to change,
 * until the next call. */
enum line_status line_reader_next(struct line_reader *reader, char **line, size_t *size);

/* After LINE_NONE: what stands behind the last line's end, if anything. */
bool line_reader_last(struct line_reader *reader, char **line, size_t *size);

void line_reader_clear(struct line_reader *reader);

#endif
