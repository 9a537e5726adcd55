/* SPDX-License-Identifier: MIT
 *
 * A line is unwrapped until nothing is left to unwrap: a prefix, JSON, a prefix in that, and so on.
 *
 * Invariant: `current` is the stream of the line that is being read, while a parser runs.
 */
#include "log.h"

#include "colours.h"
#include "json_line.h"
#include "prefix.h"
#include "text_parser.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEPTH_MAX = 4, STREAMS_MAX = 1000 };

struct log_stream {
    struct log_stream *next;
    char *name;   /* empty for the file itself */
    char *source; /* as it is shown */
    struct text_parser parser;
    struct text partial; /* the beginning of a line that was logged in pieces */
};

/* What is known of a piece of text before it is looked at. */
struct context {
    const struct moment *moment;
    int64_t pid;
    const char *source;
    size_t source_size;
    int depth;
};

/* ---- What the parsers say ---- */

static struct origin origin_of(const struct log *log)
{
    return (struct origin){log->current->source, log->current_pid};
}

static int take_snapshot(void *self, const struct reading *reading)
{
    struct log *log = self;
    struct origin origin = origin_of(log);
    return log->receiver->snapshot(log->receiver->self, &origin, reading);
}

static int take_verdict(void *self, const struct verdict *verdict)
{
    struct log *log = self;
    struct origin origin = origin_of(log);
    return log->receiver->verdict(log->receiver->self, &origin, verdict);
}

static void take_complaint(void *self, enum skipped what, const char *text)
{
    struct log *log = self;
    complaints_add(log->complaints, what, log->name, log->reader.line_number, text);
}

static void take_start(void *self)
{
    struct log *log = self;
    struct origin origin = origin_of(log);
    log->receiver->start(log->receiver->self, &origin);
}

/* ---- Streams ---- */

static char *name_source(const struct log *log, const char *name, size_t size)
{
    struct text text = {0};
    text_add(&text, "%s%s", log->name, size > 0 ? " " : "");
    text_add_bytes(&text, name, size);
    return text.bytes;
}

static void clear_stream(struct log_stream *stream)
{
    text_parser_clear(&stream->parser);
    text_clear(&stream->partial);
    free(stream->name);
    free(stream->source);
    free(stream);
}

static struct log_stream *add_stream(struct log *log, const char *name, size_t size)
{
    struct log_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->name = strndup(name, size);
    stream->source = name_source(log, name, size);
    stream->parser.sink = &log->sink;
    if (stream->name == NULL || stream->source == NULL) {
        clear_stream(stream);
        return NULL;
    }
    stream->next = log->streams;
    log->streams = stream;
    log->stream_count++;
    return stream;
}

/* NULL when out of memory. */
static struct log_stream *find_stream(struct log *log, const char *name, size_t size)
{
    if (log->is_plain || log->stream_count >= STREAMS_MAX)
        size = 0;
    for (struct log_stream **at = &log->streams; *at != NULL; at = &(*at)->next) {
        struct log_stream *stream = *at;
        if (strlen(stream->name) != size || memcmp(stream->name, name, size) != 0)
            continue;
        *at = stream->next;
        stream->next = log->streams;
        return log->streams = stream;
    }
    return add_stream(log, name, size);
}

/* Collectors put the name before every line. Where the line behind a title has none, it was the
 * beginning of the program's own format (`INFO | Memory Snapshot`), and the file is one stream. */
static int forget_names(struct log *log)
{
    struct text_parser open = log->streams->parser;
    log->streams->parser = (struct text_parser){.sink = &log->sink};
    log->is_plain = true;
    struct log_stream *plain = find_stream(log, "", 0);
    if (plain == NULL) {
        text_parser_clear(&open);
        return -1;
    }
    text_parser_clear(&plain->parser);
    plain->parser = open;
    return 0;
}

static bool is_behind_title(const struct log *log)
{
    const struct log_stream *last = log->streams;
    return last != NULL && last->name[0] != '\0' && last->parser.section == TEXT_TITLE;
}

/* ---- Unwrapping ---- */

static int read_line(struct log *log, const char *line, size_t size, const struct context *outer);

/* The lines of one record, which has an end of its own. */
static int read_record(struct log *log, const char *text, size_t size,
                       const struct context *context)
{
    struct text_parser parser = {.sink = &log->sink};
    int status = 0;
    for (const char *end = text + size; status == 0 && text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        status = text_parser_feed(&parser, text, (size_t)(line_end - text), context->moment,
                                  context->pid);
        text = line_end + 1;
    }
    if (status == 0)
        status = text_parser_end(&parser);
    text_parser_clear(&parser);
    return status;
}

static int add_partial(struct log *log, struct log_stream *stream, const char *text, size_t size)
{
    if (stream->partial.size + size > LINE_SIZE_MAX) {
        take_complaint(log, SKIPPED_LONG, NULL);
        text_clear(&stream->partial);
        return 0;
    }
    text_add_bytes(&stream->partial, text, size);
    return stream->partial.failed ? -1 : 0;
}

/* The line that `text` ends, together with what came before it. */
static int end_partial(struct log *log, struct log_stream *stream, const char *text, size_t size,
                       const struct context *context)
{
    if (stream->partial.size == 0)
        return read_line(log, text, size, context);
    int status = add_partial(log, stream, text, size);
    struct text whole = stream->partial;
    stream->partial = (struct text){0};
    if (status == 0)
        status = read_line(log, whole.bytes, whole.size, context);
    text_clear(&whole);
    return status;
}

/* Lines, the last of which may be a beginning only. */
static int read_chunk(struct log *log, const char *text, size_t size, const struct context *context)
{
    struct log_stream *stream = find_stream(log, context->source, context->source_size);
    int status = stream == NULL ? -1 : 0;
    for (const char *end = text + size; status == 0 && text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL)
            return add_partial(log, stream, text, (size_t)(end - text));
        status = end_partial(log, stream, text, (size_t)(newline - text), context);
        text = newline + 1;
    }
    return status;
}

/* *is_json is false for what only looked like it. */
static int read_json(struct log *log, const char *line, size_t size, struct context context,
                     bool *is_json)
{
    struct json_line json;
    json_line_read(&json, line, size, &log->sink);
    *is_json = json.kind != JSON_NONE;
    if (json.has_moment)
        context.moment = &json.moment;
    if (json.pid != READING_UNKNOWN)
        context.pid = json.pid;
    if (json.source != NULL) {
        context.source = json.source;
        context.source_size = strlen(json.source);
    }
    if (json.text != NULL)
        json.size = colours_remove(json.text, json.size);
    int status = json.kind == JSON_FAILED ? -1 : 0;
    log->current_pid = context.pid;
    if (json.kind == JSON_RECORD || json.kind == JSON_CHUNK) {
        log->current = find_stream(log, context.source, context.source_size);
        if (log->current == NULL)
            status = -1;
        else if (json.kind == JSON_RECORD)
            status = read_record(log, json.text, json.size, &context);
        else
            status = read_chunk(log, json.text, json.size, &context);
    }
    json_line_clear(&json);
    return status;
}

static int read_line(struct log *log, const char *line, size_t size, const struct context *outer)
{
    struct context context = *outer;
    struct prefix prefix = prefix_read(line, size, log->now_ms);
    if (prefix.has_moment && context.moment == NULL)
        context.moment = &prefix.moment;
    if (prefix.pid != READING_UNKNOWN)
        context.pid = prefix.pid;
    if (prefix.source_size > 0) {
        context.source = prefix.source;
        context.source_size = prefix.source_size;
    } else if (context.depth == 0 && is_behind_title(log) && forget_names(log) != 0) {
        return -1;
    }
    const char *rest = line + prefix.size;
    size_t rest_size = size - prefix.size;
    struct log_stream *stream = find_stream(log, context.source, context.source_size);
    if (stream == NULL)
        return -1;
    log->current = stream;
    log->current_pid = context.pid;
    context.depth++;
    if (prefix.is_partial)
        return add_partial(log, stream, rest, rest_size);
    if (prefix.has_stream && stream->partial.size > 0 && context.depth < DEPTH_MAX)
        return end_partial(log, stream, rest, rest_size, &context);
    bool is_json = false;
    if (context.depth < DEPTH_MAX && json_line_is_worth(rest, rest_size)) {
        int status = read_json(log, rest, rest_size, context, &is_json);
        if (status != 0 || is_json)
            return status;
    }
    return text_parser_feed(&stream->parser, rest, rest_size, context.moment, context.pid);
}

/* ---- The file ---- */

void log_start(struct log *log, const char *name, int descriptor, const struct receiver *receiver,
               struct complaints *complaints)
{
    *log = (struct log){.name = name, .receiver = receiver, .complaints = complaints};
    log->reader.descriptor = descriptor;
    log->sink = (struct sink){log, take_snapshot, take_verdict, take_complaint, take_start};
    log->now_ms = (int64_t)time(NULL) * 1000;
}

/* A byte order mark begins a file, or what was a file of its own. */
static int read_outermost(struct log *log, char *line, size_t size)
{
    size = colours_remove(line, size);
    size_t mark = size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct context context = {.pid = READING_UNKNOWN, .source = ""};
    return read_line(log, line + mark, size - mark, &context);
}

enum log_status log_step(struct log *log)
{
    char *line;
    size_t size;
    switch (line_reader_next(&log->reader, &line, &size)) {
    case LINE_READ:
        return read_outermost(log, line, size) == 0 ? LOG_MORE : LOG_NO_MEMORY;
    case LINE_LONG:
        take_complaint(log, SKIPPED_LONG, "found a line of more than 32 MB, allowed: less");
        return LOG_MORE;
    case LINE_NONE:
        return LOG_END;
    default:
        return LOG_FAILED;
    }
}

int log_finish(struct log *log)
{
    char *line;
    size_t size;
    if (line_reader_last(&log->reader, &line, &size) && read_outermost(log, line, size) != 0)
        return -1;
    for (struct log_stream *stream = log->streams; stream != NULL; stream = stream->next) {
        log->current = stream;
        log->current_pid = READING_UNKNOWN;
        if (text_parser_end(&stream->parser) != 0)
            return -1;
    }
    return 0;
}

void log_clear(struct log *log)
{
    while (log->streams != NULL) {
        struct log_stream *next = log->streams->next;
        clear_stream(log->streams);
        log->streams = next;
    }
    line_reader_clear(&log->reader);
}
