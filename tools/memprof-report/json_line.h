/* SPDX-License-Identifier: MIT
 *
 * One line that is a JSON object: a snapshot as snapshot_file writes it, a log record with the text
 * in one of its members, or a line that Docker or journalctl has wrapped. Reads no file.
 */
#ifndef MEMPROF_REPORT_JSON_LINE_H
#define MEMPROF_REPORT_JSON_LINE_H

#include "moment.h"
#include "sink.h"

#include <stdbool.h>
#include <stddef.h>

enum json_kind {
    JSON_NONE,     /* no JSON: plain text that begins with a brace */
    JSON_OTHER,    /* JSON, and none of these, or damaged and complained of */
    JSON_SNAPSHOT, /* went to the sink */
    JSON_RECORD,   /* `text` is a whole record */
    JSON_CHUNK,    /* `text` is a piece of a stream: a line, or a part of one without its newline */
    JSON_FAILED,   /* out of memory */
};

struct json_line {
    enum json_kind kind;
    char *text; /* owned */
    size_t size;
    bool has_moment;
    struct moment moment;
    int64_t pid;  /* or READING_UNKNOWN */
    char *source; /* owned; NULL if none is named */
};

/* Whether the line may be one of ours, so that it is worth to be parsed. */
bool json_line_is_worth(const char *line, size_t size);

/* Snapshots go to the sink, with their verdicts; so do complaints. */
void json_line_read(struct json_line *json, const char *line, size_t size, const struct sink *sink);

void json_line_clear(struct json_line *json);

#endif
