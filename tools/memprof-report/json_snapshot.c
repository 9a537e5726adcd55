/* SPDX-License-Identifier: MIT
 *
 * Invariant: the sink gets a snapshot only after all of it has been looked at.
 */
#include "json_snapshot.h"

#include "moment.h"

#include <stdio.h>
#include <string.h>

enum { SCHEMA = 1 };

struct member {
    const char *name;
    enum figure figure;
};

static const struct member process_members[] = {
    {"resident_bytes", FIGURE_RESIDENT},
    {"anonymous_bytes", FIGURE_ANONYMOUS},
    {"swapped_bytes", FIGURE_SWAPPED},
    {"python_blocks", FIGURE_BLOCKS},
    {"allocator_used_bytes", FIGURE_ALLOCATOR_USED},
    {"allocator_free_bytes", FIGURE_ALLOCATOR_FREE},
};

static const char *const type_names[] = {"an object", "an array", "a text", "an integer",
                                         "a number",  "true",     "false",  "null"};

static void complain(const struct sink *sink, const char *name, json_t *value, const char *allowed)
{
    char text[200];
    snprintf(text, sizeof(text), "%s: found %s, allowed: %s", name,
             value == NULL ? "nothing" : type_names[json_typeof(value)], allowed);
    sink->skip(sink->self, SKIPPED_DAMAGED, text);
}

/* False, and complained of, if it is there and no number that is not negative. */
static bool read_number(json_t *object, const char *name, int64_t *number, const struct sink *sink)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        complain(sink, name, value, "an integer from 0 on");
        return false;
    }
    *number = json_integer_value(value);
    return true;
}

static bool read_head(struct reading *reading, json_t *object, const struct sink *sink)
{
    struct moment moment;
    json_t *time = json_object_get(object, "time");
    const char *text = json_string_value(time);
    if (text == NULL || moment_read(text, strlen(text), &moment) == 0) {
        complain(sink, "time", time, "a time like 2026-11-24T13:00:00.123Z");
        return false;
    }
    reading->time_ms = moment.time_ms;
    reading->is_utc = moment.is_utc;
    reading->is_exact = true;
    return read_number(object, "pid", &reading->pid, sink) &&
           read_number(object, "sequence", &reading->sequence, sink) &&
           read_number(object, "elapsed_ms", &reading->elapsed_ms, sink) &&
           read_number(object, "objects", &reading->figures[FIGURE_OBJECTS], sink) &&
           read_number(object, "bytes", &reading->figures[FIGURE_BYTES], sink);
}

static bool read_process(struct reading *reading, json_t *object, const struct sink *sink)
{
    json_t *process = json_object_get(object, "process");
    if (process == NULL)
        return true;
    if (!json_is_object(process)) {
        complain(sink, "process", process, "an object");
        return false;
    }
    for (size_t i = 0; i < sizeof(process_members) / sizeof(process_members[0]); i++) {
        const struct member *member = &process_members[i];
        if (!read_number(process, member->name, &reading->figures[member->figure], sink))
            return false;
    }
    return true;
}

/* 0, -1 when out of memory, 1 if they are not what they should be. */
static int read_classes(struct reading *reading, json_t *object, const struct sink *sink)
{
    json_t *classes = json_object_get(object, "classes"), *row;
    size_t i;
    if (!json_is_array(classes)) {
        complain(sink, "classes", classes, "an array of [name, count, bytes]");
        return 1;
    }
    json_array_foreach(classes, i, row)
    {
        json_t *name = json_array_get(row, 0), *count = json_array_get(row, 1),
               *bytes = json_array_get(row, 2);
        if (!json_is_string(name) || !json_is_integer(count) || !json_is_integer(bytes) ||
            json_integer_value(count) < 0 || json_integer_value(bytes) < 0) {
            char where[40];
            snprintf(where, sizeof(where), "classes[%zu]", i);
            complain(sink, where, row, "[name, count, bytes]");
            return 1;
        }
        if (reading_add(reading, json_string_value(name), json_string_length(name),
                        json_integer_value(count), json_integer_value(bytes)) != 0)
            return -1;
    }
    reading_settle(reading);
    return 0;
}

static int tell_verdicts(json_t *object, int64_t time_ms, const struct sink *sink)
{
    json_t *verdict;
    size_t i;
    json_array_foreach(json_object_get(object, "verdicts"), i, verdict)
    {
        const char *event = json_string_value(json_object_get(verdict, "event"));
        const char *name = json_string_value(json_object_get(verdict, "class"));
        const char *text = json_string_value(json_object_get(verdict, "text"));
        if (event == NULL || name == NULL || text == NULL) {
            complain(sink, "verdicts", verdict, "objects with event, class and text");
            continue;
        }
        enum verdict_kind kind =
            strcmp(event, "cleared") == 0 ? VERDICT_CLEARED : VERDICT_SUSPECTED;
        if (sink->verdict(sink->self, &(struct verdict){kind, name, text, time_ms}) != 0)
            return -1;
    }
    return 0;
}

static int read_schema_1(json_t *object, const struct sink *sink)
{
    struct reading reading;
    reading_start(&reading);
    int status = 1;
    if (read_head(&reading, object, sink) && read_process(&reading, object, sink))
        status = read_classes(&reading, object, sink);
    int64_t time_ms = reading.time_ms;
    if (status == 0)
        status = sink->snapshot(sink->self, &reading);
    reading_clear(&reading);
    if (status != 0)
        return status < 0 ? -1 : 0;
    return tell_verdicts(object, time_ms, sink);
}

int json_snapshot_read(json_t *object, const struct sink *sink)
{
    json_t *schema = json_object_get(object, "memprof");
    if (!json_is_integer(schema)) {
        complain(sink, "memprof", schema, "the schema's number, 1");
        return 0;
    }
    if (json_integer_value(schema) != SCHEMA) {
        char text[120];
        snprintf(text, sizeof(text), "memprof: found schema %lld, allowed: %d",
                 (long long)json_integer_value(schema), SCHEMA);
        sink->skip(sink->self, SKIPPED_SCHEMA, text);
        return 0;
    }
    return read_schema_1(object, sink);
}
