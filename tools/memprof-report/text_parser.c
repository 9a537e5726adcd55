/* SPDX-License-Identifier: MIT
 *
 * Invariant: section != TEXT_OUTSIDE exactly while `reading` holds a snapshot that has not ended.
 *
 * A snapshot without its end is used if its tables are whole: their rows are as many as their
 * headings say, or a later section has begun.
 */
#include "text_parser.h"

#include "amount.h"
#include "memprof.h"

#include <stdlib.h>
#include <string.h>

enum { FOREIGN_MAX = 1000, HELD_SIZE_MAX = 16384 };

#define TITLE "Memory Snapshot"
#define SUSPECTED "Memory leak suspected: "
#define CLEARED "Memory leak no longer suspected: "

struct span {
    const char *at, *end;
};

static const char *find(struct span line, const char *word)
{
    return line.at == NULL ? NULL
                           : memmem(line.at, (size_t)(line.end - line.at), word, strlen(word));
}

static bool starts(struct span *line, const char *word)
{
    return amount_read_word(&line->at, line->end, word);
}

bool text_parser_is_inside(const struct text_parser *parser)
{
    return parser->section != TEXT_OUTSIDE;
}

/* ---- A snapshot's end ---- */

void text_parser_clear(struct text_parser *parser)
{
    reading_clear(&parser->reading);
    text_clear(&parser->held);
    *parser = (struct text_parser){.sink = parser->sink};
}

static int hand_on(struct text_parser *parser)
{
    struct reading *reading = &parser->reading;
    if (parser->held.failed)
        return -1;
    if (parser->held.size > 0 && (reading->held = strdup(parser->held.bytes)) == NULL)
        return -1;
    reading_settle(reading);
    int status = parser->sink->snapshot(parser->sink->self, reading);
    text_parser_clear(parser);
    return status;
}

static bool has_whole_tables(const struct text_parser *parser)
{
    if (!parser->sizes_seen)
        return false;
    return parser->section > TEXT_SIZES || parser->rows == parser->rows_of_table;
}

int text_parser_end(struct text_parser *parser)
{
    if (!text_parser_is_inside(parser))
        return 0;
    if (has_whole_tables(parser)) {
        parser->sink->skip(parser->sink->self, SKIPPED_SHORTENED, NULL);
        return hand_on(parser);
    }
    parser->sink->skip(parser->sink->self, SKIPPED_CUT, NULL);
    text_parser_clear(parser);
    return 0;
}

/* ---- A snapshot's beginning ---- */

/* `...Memory Snapshot` or `...Memory Snapshot [pid 123]`. */
static bool read_title(struct span line, int64_t *pid)
{
    while (line.end > line.at && (line.end[-1] == ' ' || line.end[-1] == '\r'))
        line.end--;
    struct span rest = line;
    for (const char *found; (found = find(rest, TITLE)) != NULL; rest.at = found + 1) {
        struct span behind = {found + strlen(TITLE), line.end};
        *pid = READING_UNKNOWN;
        if (starts(&behind, " [pid ") && amount_read_count(&behind.at, behind.end, pid))
            starts(&behind, "]");
        if (behind.at == behind.end)
            return true;
    }
    return false;
}

static int begin(struct text_parser *parser, struct span line, const struct moment *moment,
                 int64_t pid)
{
    struct moment own;
    if (text_parser_end(parser) != 0)
        return -1;
    reading_start(&parser->reading);
    parser->section = TEXT_TITLE;
    parser->reading.pid = pid;
    if (moment == NULL && moment_find(line.at, (size_t)(line.end - line.at), &own))
        moment = &own;
    if (moment != NULL) {
        parser->reading.time_ms = moment->time_ms;
        parser->reading.is_utc = moment->is_utc;
    }
    return 0;
}

/* ---- Rows ---- */

/* `NAME: AMOUNT`, where the name may hold colons itself: the last `: ` counts. */
static const char *find_amount(struct span line)
{
    for (const char *at = line.end - 2; at > line.at; at--)
        if (at[0] == ':' && at[1] == ' ')
            return at;
    return NULL;
}

static int add_row(struct text_parser *parser, struct span line, bool *is_row)
{
    int64_t count = READING_UNKNOWN, bytes = READING_UNKNOWN;
    const char *colon = line.end - line.at > 4 ? find_amount(line) : NULL;
    if (colon == NULL || parser->rows == parser->rows_of_table)
        return 0;
    const char *at = colon + 2;
    bool is_amount = parser->section == TEXT_COUNTS
                         ? amount_read_count(&at, line.end, &count) &&
                               amount_read_word(&at, line.end, " objects")
                         : amount_read_size(&at, line.end, &bytes);
    if (!is_amount || at != line.end)
        return 0;
    *is_row = true;
    parser->rows++;
    return reading_add(&parser->reading, line.at, (size_t)(colon - line.at), count, bytes);
}

static int add_held(struct text_parser *parser, struct span line, bool is_head)
{
    if (parser->held.size > HELD_SIZE_MAX)
        return 0;
    if (parser->held.size > 0)
        text_add(&parser->held, "\n");
    text_add_bytes(&parser->held, is_head ? "" : "  ", is_head ? 0 : 2);
    text_add_bytes(&parser->held, line.at, (size_t)(line.end - line.at));
    return parser->held.failed ? -1 : 0;
}

/* ---- The process and the end ---- */

static void read_figure(struct text_parser *parser, struct span line, const char *before,
                        enum figure figure)
{
    const char *at = find(line, before);
    if (at == NULL)
        return;
    at += strlen(before);
    amount_read_size(&at, line.end, &parser->reading.figures[figure]);
}

/* `Python 1,234 allocated blocks`, or, where they are not known, the size of the objects at once.
 */
static void read_blocks(struct text_parser *parser, struct span line)
{
    const char *at = find(line, "Python ");
    int64_t blocks;
    if (at == NULL)
        return;
    at += strlen("Python ");
    if (amount_read_count(&at, line.end, &blocks) &&
        amount_read_word(&at, line.end, " allocated blocks"))
        parser->reading.figures[FIGURE_BLOCKS] = blocks;
}

/* `8.2 MB free but kept`: the amount stands before its name. */
static void read_free(struct text_parser *parser, struct span line)
{
    const char *used = find(line, " used, ");
    if (used == NULL || find(line, " free but kept") == NULL)
        return;
    used += strlen(" used, ");
    amount_read_size(&used, line.end, &parser->reading.figures[FIGURE_ALLOCATOR_FREE]);
}

static void read_process(struct text_parser *parser, struct span line)
{
    read_figure(parser, line, "resident ", FIGURE_RESIDENT);
    read_figure(parser, line, "anonymous ", FIGURE_ANONYMOUS);
    read_figure(parser, line, "swapped ", FIGURE_SWAPPED);
    read_blocks(parser, line);
    read_figure(parser, line, "C allocator ", FIGURE_ALLOCATOR_USED);
    read_free(parser, line);
    const char *tracked = find(line, " in tracked objects");
    if (tracked == NULL)
        tracked = find(line, " in objects");
    for (const char *at = tracked; at != NULL && at > line.at; at--) {
        struct span amount = {at, tracked};
        if (at[-1] == ' ' &&
            amount_read_size(&amount.at, amount.end, &parser->reading.figures[FIGURE_BYTES]))
            break;
    }
}

/* A log may go on behind it in the same line. */
static void read_cost(struct text_parser *parser, struct span line)
{
    static const char before[] = " in background, ";
    const char *at = find(line, before);
    if (at == NULL)
        return;
    at += sizeof(before) - 1;
    amount_read_count(&at, line.end, &parser->reading.figures[FIGURE_OBJECTS]);
}

static int set_note(struct text_parser *parser, struct span line)
{
    free(parser->reading.note);
    parser->reading.note = strndup(line.at, (size_t)(line.end - line.at));
    return parser->reading.note == NULL ? -1 : 0;
}

static bool is_note(struct span line)
{
    return find(line, ", within ") != NULL &&
           (starts(&line, "RSS ") || starts(&line, "Tracked objects ") ||
            starts(&line, "Python objects "));
}

/* ---- Sections ---- */

static bool read_heading(struct text_parser *parser, struct span line)
{
    int64_t rows;
    if (!starts(&line, "Top ") || !amount_read_count(&line.at, line.end, &rows))
        return false;
    bool is_counts = starts(&line, " by object count:");
    if (!is_counts && !starts(&line, " by memory usage:"))
        return false;
    /* Each table stands there once, and none is larger than the option allows. */
    if (parser->section != (is_counts ? TEXT_TITLE : TEXT_COUNTS) ||
        rows > MEMPROF_TOP_N_CLASSES_MAXIMUM)
        return false;
    parser->section = is_counts ? TEXT_COUNTS : TEXT_SIZES;
    parser->sizes_seen |= !is_counts;
    parser->rows_of_table = rows;
    parser->rows = 0;
    return true;
}

static bool read_growth(struct text_parser *parser, struct span line)
{
    int64_t span_ms;
    if (!starts(&line, "Growth since first snapshot (") ||
        !amount_read_count(&line.at, line.end, &parser->reading.sequence))
        return false;
    if (starts(&line, " snapshots over ") && amount_read_span(&line.at, line.end, &span_ms))
        parser->reading.elapsed_ms = span_ms;
    parser->section = TEXT_GROWTH;
    return true;
}

/* `48 of 50 by ...`, or `and 12 in cycles that ...`. */
static bool is_holder(struct span line)
{
    int64_t number;
    if (starts(&line, "and "))
        return amount_read_count(&line.at, line.end, &number) && starts(&line, " in cycles ");
    return amount_read_count(&line.at, line.end, &number) && starts(&line, " of ") &&
           amount_read_count(&line.at, line.end, &number) && starts(&line, " by ");
}

/* A line that belongs to the snapshot sets *is_ours. */
static int read_inside(struct text_parser *parser, struct span line, bool *is_ours)
{
    struct span rest = line;
    *is_ours = true;
    if (read_heading(parser, line) || read_growth(parser, line))
        return 0;
    if (parser->sizes_seen && starts(&rest, "Held: ")) {
        parser->section = TEXT_HELD;
        return add_held(parser, rest, true);
    }
    if (parser->sizes_seen && starts(&rest, "Process: ")) {
        parser->section = TEXT_PROCESS;
        read_process(parser, rest);
        return 0;
    }
    if (parser->sizes_seen && starts(&rest, "Snapshot cost: ")) {
        read_cost(parser, rest);
        return hand_on(parser);
    }
    *is_ours = false;
    if (parser->section == TEXT_COUNTS || parser->section == TEXT_SIZES)
        return add_row(parser, line, is_ours);
    if (parser->section == TEXT_HELD && is_holder(line)) {
        *is_ours = true;
        return add_held(parser, line, false);
    }
    if (parser->section == TEXT_PROCESS && is_note(line)) {
        *is_ours = true;
        return set_note(parser, line);
    }
    *is_ours = parser->section == TEXT_GROWTH && find(line, " since previous, ") != NULL;
    return 0;
}

/* ---- Verdicts ---- */

/* A class name may hold spaces; what follows it does not vary. */
static const char *find_name_end(struct span text)
{
    static const char *const verbs[] = {" has grown by ", " still grows, by ", " is gone.",
                                        " has stopped growing: "};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const char *found = find(text, verbs[i]);
        if (found != NULL && (first == NULL || found < first))
            first = found;
    }
    return first;
}

static int tell_verdict(struct text_parser *parser, struct span line, const char *found,
                        const struct moment *moment)
{
    struct verdict verdict = {.time_ms = READING_UNKNOWN};
    struct moment own;
    struct span rest = {found, line.end};
    verdict.kind = starts(&rest, SUSPECTED) ? VERDICT_SUSPECTED : VERDICT_CLEARED;
    if (verdict.kind == VERDICT_CLEARED)
        starts(&rest, CLEARED);
    const char *name_end = find_name_end(rest);
    if (name_end == NULL) {
        parser->sink->skip(parser->sink->self, SKIPPED_DAMAGED,
                           "found a verdict that is cut off, allowed: `Memory leak suspected: "
                           "CLASS has grown by ...`");
        return 0;
    }
    if (moment == NULL && moment_find(line.at, (size_t)(found - line.at), &own))
        moment = &own;
    if (moment != NULL)
        verdict.time_ms = moment->time_ms;
    char *name = strndup(rest.at, (size_t)(name_end - rest.at));
    char *text = strndup(found, (size_t)(line.end - found));
    verdict.name = name;
    verdict.text = text;
    int status =
        name == NULL || text == NULL ? -1 : parser->sink->verdict(parser->sink->self, &verdict);
    free(name);
    free(text);
    return status;
}

/* What the snapshot itself holds comes first: the names and keys in it are chosen by others, and
 * may be the words of another record. */
int text_parser_feed(struct text_parser *parser, const char *line, size_t size,
                     const struct moment *moment, int64_t pid)
{
    int64_t own_pid;
    bool is_ours = false;
    struct span whole = {line, line + size}, text;
    while (whole.end > whole.at && (whole.end[-1] == '\r' || whole.end[-1] == ' '))
        whole.end--;
    text = whole;
    while (text.at < text.end && (*text.at == ' ' || *text.at == '\t'))
        text.at++;
    if (text.at == text.end)
        return 0;
    if (text_parser_is_inside(parser) && read_inside(parser, text, &is_ours) != 0)
        return -1;
    if (is_ours) {
        parser->foreign = 0;
        return 0;
    }
    const char *verdict = find(text, SUSPECTED);
    if (verdict == NULL)
        verdict = find(text, CLEARED);
    if (verdict != NULL)
        return tell_verdict(parser, text, verdict, moment);
    if (read_title(text, &own_pid))
        return begin(parser, text, moment, own_pid != READING_UNKNOWN ? own_pid : pid);
    if (find(text, MEMPROF_STARTED) != NULL) {
        parser->sink->start(parser->sink->self);
        return 0;
    }
    if (!text_parser_is_inside(parser))
        return 0;
    return ++parser->foreign > FOREIGN_MAX ? text_parser_end(parser) : 0;
}
