/* SPDX-License-Identifier: MIT
 *
 * Invariant: bytes[start..end) has been read and not yet handed out, and there is no end of a line
 * in bytes[start..searched).
 */
#include "line_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

static int make_room(struct line_reader *reader)
{
    if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->searched -= reader->start;
        reader->start = 0;
    }
    if (reader->capacity - reader->end >= READ_SIZE)
        return 0;
    size_t capacity = reader->capacity * 2 < READ_SIZE * 2 ? READ_SIZE * 2 : reader->capacity * 2;
    char *bytes = realloc(reader->bytes, capacity);
    if (bytes == NULL)
        return -1;
    reader->bytes = bytes;
    reader->capacity = capacity;
    return 0;
}

/* Bytes read, 0 at the end, -1. */
static ssize_t fill(struct line_reader *reader)
{
    if (make_room(reader) != 0)
        return -1;
    ssize_t count;
    do {
        count = read(reader->descriptor, reader->bytes + reader->end, READ_SIZE);
    } while (count < 0 && errno == EINTR);
    reader->is_over = count == 0;
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count > 0) {
        reader->end += (size_t)count;
        reader->offset += (uint64_t)count;
    }
    return count;
}

static enum line_status take(struct line_reader *reader, const char *newline, char **line,
                             size_t *size)
{
    *line = reader->bytes + reader->start;
    *size = (size_t)(newline - *line);
    reader->start = reader->searched = (size_t)(newline - reader->bytes) + 1;
    reader->line_number++;
    if (!reader->is_skipping)
        return LINE_READ;
    reader->is_skipping = false;
    return LINE_LONG;
}

enum line_status line_reader_next(struct line_reader *reader, char **line, size_t *size)
{
    for (;;) {
        size_t left = reader->end - reader->searched;
        char *newline = left > 0 ? memchr(reader->bytes + reader->searched, '\n', left) : NULL;
        if (newline != NULL)
            return take(reader, newline, line, size);
        reader->searched = reader->end;
        if (reader->end - reader->start > LINE_SIZE_MAX) {
            reader->is_skipping = true;
            reader->start = reader->end;
        }
        ssize_t count = fill(reader);
        if (count <= 0)
            return count == 0 ? LINE_NONE : LINE_FAILED;
    }
}

bool line_reader_last(struct line_reader *reader, char **line, size_t *size)
{
    if (reader->start == reader->end || reader->is_skipping)
        return false;
    *line = reader->bytes + reader->start;
    *size = reader->end - reader->start;
    reader->start = reader->searched = reader->end;
    reader->line_number++;
    return true;
}

void line_reader_clear(struct line_reader *reader)
{
    free(reader->bytes);
    *reader = (struct line_reader){.descriptor = reader->descriptor};
}
