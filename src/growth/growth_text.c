/* SPDX-License-Identifier: MIT
 *
 * Log queries match on these lines too: see report.c.
 */
#include "growth/growth_text.h"

#include "report.h"

#include <string.h>

enum { ROWS_LIMIT = 10, SECONDS_PER_MINUTE = 60, SECONDS_PER_HOUR = 3600, SECONDS_PER_DAY = 86400 };

/* The two largest units: 45s, 58m, 1h 58m, 3d 4h. */
static void add_span(struct text *text, uint64_t milliseconds)
{
    uint64_t seconds = (milliseconds + 500) / 1000;
    if (seconds < SECONDS_PER_MINUTE)
        text_add(text, "%us", (unsigned)seconds);
    else if (seconds < SECONDS_PER_HOUR)
        text_add(text, "%um", (unsigned)(seconds / SECONDS_PER_MINUTE));
    else if (seconds < SECONDS_PER_DAY)
        text_add(text, "%uh %um", (unsigned)(seconds / SECONDS_PER_HOUR),
                 (unsigned)(seconds % SECONDS_PER_HOUR / SECONDS_PER_MINUTE));
    else
        text_add(text, "%llud %uh", (unsigned long long)(seconds / SECONDS_PER_DAY),
                 (unsigned)(seconds % SECONDS_PER_DAY / SECONDS_PER_HOUR));
}

static void add_amount(struct text *text, int64_t amount, enum trend_measure measure)
{
    uint64_t size = amount < 0 ? -(uint64_t)amount : (uint64_t)amount;
    if (measure == TREND_BYTES)
        report_add_size(text, size);
    else
        report_add_count(text, size);
}

static void add_change(struct text *text, int64_t change, enum trend_measure measure)
{
    text_add_bytes(text, change < 0 ? "-" : "+", 1);
    add_amount(text, change, measure);
}

/* A rate to the nearest whole number, but never to nothing: what grows is never `+0`. */
static int64_t whole(double rate)
{
    if (rate > 9e18 || rate < -9e18)
        return rate > 0 ? INT64_MAX : INT64_MIN + 1;
    int64_t number = (int64_t)(rate + (rate > 0 ? 0.5 : -0.5));
    if (number == 0 && rate != 0)
        return rate > 0 ? 1 : -1;
    return number;
}

/* ---- The section ---- */

struct row {
    const char *name;
    int64_t since_first, since_previous;
    double per_hour;
};

static struct row row_of(const struct history_class *class, const char *name,
                         enum trend_measure measure)
{
    if (measure == TREND_BYTES)
        return (struct row){name, class->bytes_since_first, class->bytes_since_previous,
                            class->bytes_per_hour};
    return (struct row){name, class->count_since_first, class->count_since_previous,
                        class->count_per_hour};
}

static bool comes_before(const struct row *a, const struct row *b)
{
    return a->since_first != b->since_first ? a->since_first > b->since_first
                                            : strcmp(a->name, b->name) < 0;
}

static size_t find_rows(struct row *rows, size_t limit, const struct history *history,
                        const struct snapshot *snapshot, enum trend_measure measure)
{
    size_t count = 0;
    for (size_t i = 0; i < history_moving(history); i++) {
        struct history_class class;
        history_read(history, i, &class);
        if (class.index == HISTORY_GONE)
            continue;
        struct row row = row_of(&class, snapshot->classes[class.index].name, measure);
        if (row.since_first <= 0 || (count == limit && !comes_before(&row, &rows[limit - 1])))
            continue;
        size_t at = count < limit ? count++ : limit - 1;
        for (; at > 0 && comes_before(&row, &rows[at - 1]); at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
    return count;
}

static void add_rows(struct text *text, const struct history *history,
                     const struct snapshot *snapshot, size_t limit, enum trend_measure measure)
{
    struct row rows[ROWS_LIMIT];
    size_t count =
        find_rows(rows, limit < ROWS_LIMIT ? limit : ROWS_LIMIT, history, snapshot, measure);
    text_add(text, "\n  by %s:", measure == TREND_BYTES ? "memory usage" : "object count");
    if (count == 0)
        text_add(text, " nothing");
    for (size_t i = 0; i < count; i++) {
        text_add_bytes(text, "\n    ", 5);
        text_add_bytes(text, rows[i].name, strlen(rows[i].name));
        text_add_bytes(text, ": ", 2);
        add_change(text, rows[i].since_first, measure);
        text_add(text, measure == TREND_COUNT ? " objects, " : ", ");
        add_change(text, rows[i].since_previous, measure);
        text_add(text, " since previous, ");
        add_change(text, whole(rows[i].per_hour), measure);
        text_add(text, " per hour");
    }
}

void growth_text_add(struct text *text, const struct history *history,
                     const struct snapshot *snapshot, size_t rows)
{
    if (history_snapshots(history) < 2)
        return;
    text_add(text, "\n\nGrowth since first snapshot (%u snapshots over ",
             (unsigned)history_snapshots(history));
    add_span(text, history_span_ms(history));
    text_add(text, "):");
    add_rows(text, history, snapshot, rows, TREND_BYTES);
    add_rows(text, history, snapshot, rows, TREND_COUNT);
}

/* ---- Of one class ---- */

static void add_objects(struct text *text, int64_t count)
{
    report_add_count(text, count < 0 ? -(uint64_t)count : (uint64_t)count);
    text_add(text, count == 1 ? " object" : " objects");
}

/* `4,512 objects and 1.2 MB`, of the measures that have grown. */
static void add_growth(struct text *text, const struct suspect *suspect)
{
    int64_t count = trend_watch_growth(&suspect->watch, &suspect->now, TREND_COUNT);
    int64_t bytes = trend_watch_growth(&suspect->watch, &suspect->now, TREND_BYTES);
    if (count > 0)
        add_objects(text, count);
    if (count > 0 && bytes > 0)
        text_add(text, " and ");
    if (bytes > 0)
        report_add_size(text, (uint64_t)bytes);
}

static void add_rates(struct text *text, const struct suspect *suspect)
{
    double count = trend_watch_rate_per_hour(&suspect->watch, &suspect->now, TREND_COUNT);
    double bytes = trend_watch_rate_per_hour(&suspect->watch, &suspect->now, TREND_BYTES);
    if (count <= 0 && bytes <= 0)
        return;
    text_add(text, ": ");
    if (count > 0) {
        add_change(text, whole(count), TREND_COUNT);
        text_add(text, " objects");
    }
    if (count > 0 && bytes > 0)
        text_add(text, " and ");
    if (bytes > 0)
        add_change(text, whole(bytes), TREND_BYTES);
    text_add(text, " per hour");
}

static void add_since(struct text *text, const struct suspect *suspect, time_t now)
{
    uint64_t span_ms = suspect->now.time_ms - suspect->watch.base.time_ms;
    time_t since = now - (time_t)(span_ms / 1000);
    struct tm parts;
    char date[32] = "";
    if (localtime_r(&since, &parts) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &parts);
    unsigned snapshots = suspect->now.snapshot - suspect->watch.base.snapshot;
    text_add(text, "in %u snapshots, since %s (", snapshots, date);
    add_span(text, span_ms);
    text_add(text, " ago)");
}

static void add_holders(struct text *text, const struct held_class *held)
{
    for (size_t i = 0; i < held->holder_count; i++) {
        const struct holder *holder = &held->holders[i];
        text_add(text, i == 0 ? (held->by_size ? " The largest" : " ") : "; ");
        if (!held->by_size)
            report_add_share(text, holder->share, held->sample);
        text_add(text, i == 0 ? " are held by " : (held->by_size ? "" : " by "));
        report_add_holder(text, holder);
    }
    if (held->holder_count > 0)
        text_add(text, ".");
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* What to look at, by the first holder. */
static void add_advice(struct text *text, const struct suspect *suspect)
{
    const struct held_class *held = suspect->held;
    const struct holder *holder = held != NULL && held->holder_count > 0 ? held->holders : NULL;
    if (holder == NULL)
        text_add(text, " Look at what keeps objects of this class alive.");
    else if (holder->kind == HOLDER_CYCLE)
        text_add(text,
                 " Look at whether the collector is switched off or its thresholds are high.");
    else if (strstr(holder->expression, ".<cache>") != NULL)
        text_add(text, " Look at whether that cache is to have a maxsize.");
    else if (holder->is_linked)
        text_add(text, " Look at what goes on linking objects to that one.");
    else if (holder->container != NULL || ends_with(holder->expression, "[*]"))
        text_add(text, " Look at what is put in there, and when it is taken out again.");
    else if (holder->kind == HOLDER_FRAME || holder->kind == HOLDER_COROUTINE)
        text_add(text, " Look at which functions, tasks or generators do not end.");
    else if (holder->kind == HOLDER_C)
        text_add(text, " Look at callbacks and handlers that are registered and never removed.");
    else
        text_add(text, " Look at what refers to them from there.");
}

static void add_accusation(struct text *text, const struct suspect *suspect, time_t now)
{
    text_add(text, suspect->event == TREND_DOUBLED ? " still grows, by " : " has grown by ");
    add_growth(text, suspect);
    text_add(text, " ");
    add_since(text, suspect, now);
    add_rates(text, suspect);
    text_add(text, ".");
    if (suspect->held != NULL)
        add_holders(text, suspect->held);
    if (suspect->parts.size > 0)
        text_add(text, " Along with it grow: %s.", suspect->parts.bytes);
    add_advice(text, suspect);
}

static void add_acquittal(struct text *text, const struct suspect *suspect, time_t now)
{
    if (suspect->now.count == 0) {
        text_add(text, " is gone.");
        return;
    }
    text_add(text, " has stopped growing: ");
    add_objects(text, (int64_t)suspect->now.count);
    text_add(text, " and ");
    report_add_size(text, suspect->now.bytes);
    text_add(text, " now");
    if (trend_watch_growth(&suspect->watch, &suspect->now, TREND_COUNT) > 0 ||
        trend_watch_growth(&suspect->watch, &suspect->now, TREND_BYTES) > 0) {
        text_add(text, ", grown by ");
        add_growth(text, suspect);
        text_add(text, " ");
        add_since(text, suspect, now);
    }
    text_add(text, ".");
}

void growth_text_add_suspect(struct text *text, const struct suspect *suspect, time_t now)
{
    bool is_cleared = suspect->event == TREND_CLEARED;
    text_add(text, is_cleared ? "Memory leak no longer suspected: " : "Memory leak suspected: ");
    text_add_bytes(text, suspect->name, strlen(suspect->name));
    if (is_cleared)
        add_acquittal(text, suspect, now);
    else
        add_accusation(text, suspect, now);
}
