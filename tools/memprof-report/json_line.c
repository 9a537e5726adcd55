/* SPDX-License-Identifier: MIT
 *
 * Invariant: what is whole JSON and none of ours is the program's own, and never complained of.
 */
#include "json_line.h"

#include "json_snapshot.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 };

static bool has(const char *line, size_t size, const char *word)
{
    return line != NULL && memmem(line, size, word, strlen(word)) != NULL;
}

bool json_line_is_worth(const char *line, size_t size)
{
    if (size < 2 || line[0] != '{')
        return false;
    return has(line, size, "\"memprof\"") || has(line, size, "\"log\"") ||
           has(line, size, "\"MESSAGE\"") || has(line, size, "Memory Snapshot") ||
           has(line, size, "Memory leak ") || has(line, size, "Starting memory profiler");
}

/* ---- Members by their usual names ---- */

static json_t *member_of(json_t *object, const char *const *names)
{
    for (; *names != NULL; names++) {
        json_t *value = json_object_get(object, *names);
        if (value != NULL)
            return value;
    }
    return NULL;
}

/* Seconds, milliseconds, microseconds or nanoseconds since 1970, by their size. */
static int64_t milliseconds_of(double number)
{
    if (!(number > 0 && number < 1e19))
        return READING_UNKNOWN;
    if (number < 1e11)
        return (int64_t)(number * 1000);
    if (number < 1e14)
        return (int64_t)number;
    return (int64_t)(number / (number < 1e17 ? 1e3 : 1e6));
}

static bool read_value(json_t *value, struct moment *moment)
{
    const char *text = json_string_value(value);
    if (text != NULL && moment_read(text, strlen(text), moment) > 0)
        return true;
    char *end = NULL;
    double number = text != NULL ? strtod(text, &end) : json_number_value(value);
    /* `12:00:05` and `11/24/2026` begin with a number, and are none. */
    *moment = (struct moment){milliseconds_of(number), true};
    return moment->time_ms != READING_UNKNOWN && (end == NULL || *end == '\0');
}

/* Of several that name a time one that can be read counts. */
static void read_moment(struct json_line *json, json_t *object)
{
    static const char *const names[] = {"__REALTIME_TIMESTAMP",
                                        "time",
                                        "timestamp",
                                        "@timestamp",
                                        "asctime",
                                        "created",
                                        "ts",
                                        "date"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !json->has_moment; i++)
        json->has_moment = read_value(json_object_get(object, names[i]), &json->moment);
}

static int64_t pid_of(json_t *object)
{
    static const char *const names[] = {"_PID", "pid", "process", "process_id", NULL};
    json_t *value = member_of(object, names);
    if (json_is_integer(value) && json_integer_value(value) > 0)
        return json_integer_value(value);
    const char *text = json_string_value(value);
    long number = text != NULL ? atol(text) : 0;
    return number > 0 ? number : READING_UNKNOWN;
}

static char *source_of(json_t *object)
{
    static const char *const names[] = {"_HOSTNAME",      "pod",      "pod_name",
                                        "container_name", "hostname", NULL};
    const char *text = json_string_value(member_of(object, names));
    return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

/* ---- Kinds ---- */

static json_t *find_text(json_t *value, int depth)
{
    const char *key;
    json_t *member;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t size = json_string_length(value);
        return has(text, size, "Memory Snapshot") || has(text, size, "Memory leak ") ||
                       has(text, size, "Starting memory profiler")
                   ? value
                   : NULL;
    }
    if (!json_is_object(value) || depth == DEPTH_MAX)
        return NULL;
    json_object_foreach(value, key, member)
    {
        json_t *found = find_text(member, depth + 1);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void set_text(struct json_line *json, enum json_kind kind, json_t *value, const char *end)
{
    size_t size = json_string_length(value), end_size = strlen(end);
    json->text = malloc(size + end_size + 1);
    if (json->text == NULL) {
        json->kind = JSON_FAILED;
        return;
    }
    memcpy(json->text, json_string_value(value), size);
    memcpy(json->text + size, end, end_size + 1);
    json->size = size + end_size;
    json->kind = kind;
}

/* What ends the text of `log`: Docker writes it with its newline or, with the name of its stream, a
 * piece that has none; others leave the newline out. */
static const char *end_of_log(json_t *object, json_t *log)
{
    const char *text = json_string_value(log), *tag;
    size_t size = json_string_length(log);
    bool has_stream = json_is_string(json_object_get(object, "stream"));
    if (size > 0 && text[size - 1] == '\n')
        return "";
    tag = json_string_value(json_object_get(object, "logtag"));
    return has_stream && (tag == NULL || strcmp(tag, "P") == 0) ? "" : "\n";
}

static void read_object(struct json_line *json, json_t *object, const struct sink *sink)
{
    json_t *schema = json_object_get(object, "memprof"), *log = json_object_get(object, "log"),
           *text;
    if (schema != NULL) {
        json->kind = json_snapshot_read(object, sink) == 0 ? JSON_SNAPSHOT : JSON_FAILED;
        return;
    }
    read_moment(json, object);
    json->pid = pid_of(object);
    json->source = source_of(object);
    if (json_is_string(text = json_object_get(object, "MESSAGE"))) {
        set_text(json, JSON_CHUNK, text, "\n");
        return;
    }
    text = find_text(object, 0);
    if (json_is_string(log) && (text == NULL || text == log))
        set_text(json, JSON_CHUNK, log, end_of_log(object, log));
    else if (text != NULL)
        set_text(json, JSON_RECORD, text, "");
}

static void complain(const json_error_t *error, const struct sink *sink)
{
    char text[JSON_ERROR_TEXT_LENGTH + 120];
    snprintf(text, sizeof(text),
             "found broken JSON at column %d (%s), allowed: one whole JSON object in each line",
             error->column, error->text);
    sink->skip(sink->self, SKIPPED_DAMAGED, text);
}

void json_line_read(struct json_line *json, const char *line, size_t size, const struct sink *sink)
{
    json_error_t error;
    *json = (struct json_line){.kind = JSON_OTHER, .pid = READING_UNKNOWN};
    json_t *object = json_loadb(line, size, JSON_ALLOW_NUL, &error);
    if (object == NULL && size > 2 && line[1] != '"') {
        json->kind = JSON_NONE;
        return;
    }
    if (object == NULL) {
        complain(&error, sink);
        return;
    }
    if (json_is_object(object))
        read_object(json, object, sink);
    json_decref(object);
}

void json_line_clear(struct json_line *json)
{
    free(json->text);
    free(json->source);
    *json = (struct json_line){.pid = READING_UNKNOWN};
}
