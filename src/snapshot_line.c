/* SPDX-License-Identifier: MIT
 *
 * Readers depend on this: a member may be added, and one that comes to mean something else raises
 * MEMPROF_SCHEMA_VERSION. No number goes through printf's %f, which would take the decimal point
 * from the host's locale; whatever a string holds, the line stays one line of valid UTF-8.
 */
#include "snapshot_line.h"

#include "config/quote.h"
#include "config/utf8.h"
#include "memprof.h"

#include <string.h>

static void add_literal(struct text *text, const char *literal)
{
    text_add_bytes(text, literal, strlen(literal));
}

/* ---- Strings ---- */

static void add_escape(struct text *text, uint32_t character)
{
    if (character == '"' || character == '\\')
        text_add(text, "\\%c", (int)character);
    else if (character < 0x10000)
        text_add(text, "\\u%04x", (unsigned)character);
    else
        text_add(text, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((character - 0x10000) >> 10)),
                 (unsigned)(0xDC00 + ((character - 0x10000) & 0x3FF)));
}

/* What JSON wants escaped is, and what readers take for the end of a line, U+2028 say. */
static void add_string(struct text *text, const char *string)
{
    size_t length = strlen(string), plain = 0;
    add_literal(text, "\"");
    for (size_t at = 0; at < length;) {
        uint32_t character = 0xFFFD;
        size_t width = utf8_decode(string + at, length - at, &character);
        if (width > 0 && character != '"' && character != '\\' && !quote_is_invisible(character)) {
            at += width;
            continue;
        }
        text_add_bytes(text, string + plain, at - plain);
        add_escape(text, character);
        at += width > 0 ? width : 1;
        plain = at;
    }
    text_add_bytes(text, string + plain, length - plain);
    add_literal(text, "\"");
}

/* ---- Numbers ---- */

static void add_count(struct text *text, const char *name, uint64_t count)
{
    text_add(text, ",\"%s\":%llu", name, (unsigned long long)count);
}

static void add_boolean(struct text *text, const char *name, bool is_true)
{
    text_add(text, ",\"%s\":%s", name, is_true ? "true" : "false");
}

static void add_milliseconds(struct text *text, const char *name, double milliseconds)
{
    uint64_t us = (uint64_t)(milliseconds * 1000 + 0.5);
    text_add(text, ",\"%s\":%llu.%03u", name, (unsigned long long)(us / 1000),
             (unsigned)(us % 1000));
}

/* As 2026-11-24T13:00:00.123Z. */
static void add_time(struct text *text, const struct timespec *time)
{
    struct tm parts;
    memset(&parts, 0, sizeof(parts));
    if (gmtime_r(&time->tv_sec, &parts) == NULL)
        return;
    text_add(text, ",\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
             (int)(time->tv_nsec / 1000000));
}

/* ---- The parts of a line ---- */

static void add_figures(struct text *text, const struct snapshot *snapshot,
                        const struct snapshot_line *line)
{
    add_count(text, "pid", (uint64_t)line->pid);
    add_count(text, "sequence", snapshot->sequence);
    add_count(text, "elapsed_ms", line->elapsed_ms);
    add_count(text, "objects", snapshot->objects);
    add_count(text, "bytes", snapshot->bytes);
    add_count(text, "class_count", snapshot->class_count);
    add_milliseconds(text, "pause_ms", snapshot->pause_ms);
    add_milliseconds(text, "longest_pause_ms", snapshot->longest_pause_ms);
    add_milliseconds(text, "duration_ms", snapshot->duration_ms);
    add_boolean(text, "forked", snapshot->is_forked);
    add_boolean(text, "untracked", snapshot->has_untracked);
}

/* What the process itself is known to have; a member that is not known is left out. */
static void add_process(struct text *text, const struct footprint *footprint)
{
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        {"resident_bytes", footprint->resident_bytes},
        {"anonymous_bytes", footprint->anonymous_bytes},
        {"swapped_bytes", footprint->swapped_bytes},
        {"python_blocks", footprint->blocks},
        {"allocator_used_bytes", footprint->allocator_used_bytes},
        {"allocator_free_bytes", footprint->allocator_free_bytes},
    };
    const char *joint = "";
    add_literal(text, ",\"process\":{");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].value == FOOTPRINT_UNKNOWN)
            continue;
        text_add(text, "%s\"%s\":%llu", joint, members[i].name,
                 (unsigned long long)members[i].value);
        joint = ",";
    }
    add_literal(text, "}");
}

/* Whether a class is in the table by count, without a table of those that are. */
static bool is_in_counts(const struct snapshot *snapshot, uint32_t index, size_t rows)
{
    if (rows >= snapshot->class_count)
        return true;
    uint32_t last = snapshot->by_count[rows - 1];
    uint64_t least = snapshot->classes[last].count;
    return snapshot->classes[index].count > least ||
           (snapshot->classes[index].count == least && index <= last);
}

static void add_classes(struct text *text, const struct snapshot *snapshot, size_t rows)
{
    const char *joint = "";
    add_literal(text, ",\"classes\":[");
    for (size_t i = 0; rows > 0 && i < snapshot->class_count; i++) {
        const struct snapshot_class *class = &snapshot->classes[snapshot->by_bytes[i]];
        if (i >= rows && !is_in_counts(snapshot, snapshot->by_bytes[i], rows))
            continue;
        text_add(text, "%s[", joint);
        add_string(text, class->name);
        text_add(text, ",%llu,%llu]", (unsigned long long)class->count,
                 (unsigned long long)class->bytes);
        joint = ",";
    }
    add_literal(text, "]");
}

static const char *event_name(enum trend_event event)
{
    switch (event) {
    case TREND_DOUBLED:
        return "doubled";
    case TREND_CLEARED:
        return "cleared";
    default:
        return "suspected";
    }
}

static void add_verdicts(struct text *text, const struct snapshot_line *line)
{
    add_literal(text, ",\"verdicts\":[");
    for (size_t i = 0; i < line->verdict_count; i++) {
        const struct snapshot_verdict *verdict = &line->verdicts[i];
        text_add(text, "%s{\"event\":\"%s\",\"class\":", i > 0 ? "," : "",
                 event_name(verdict->event));
        add_string(text, verdict->class);
        add_literal(text, ",\"text\":");
        add_string(text, verdict->text);
        add_literal(text, "}");
    }
    add_literal(text, "]");
}

void snapshot_line_add(struct text *text, const struct snapshot *snapshot,
                       const struct snapshot_line *line)
{
    text_add(text, MEMPROF_LINE_START "%d", MEMPROF_SCHEMA_VERSION);
    add_time(text, &line->time);
    add_figures(text, snapshot, line);
    add_process(text, &snapshot->footprint);
    add_classes(text, snapshot, line->rows);
    add_verdicts(text, line);
    add_literal(text, "}\n");
}
