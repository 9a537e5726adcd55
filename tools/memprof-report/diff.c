/* SPDX-License-Identifier: MIT
 *
 * Invariant: of each input one snapshot is kept, the one that is asked for or the last so far.
 */
#include "diff.h"

#include "amount.h"
#include "input.h"
#include "moment.h"
#include "wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAST = -1 };

/* One of the two. */
struct pick {
    const char *name; /* as it was given */
    char *file;       /* owned */
    int64_t number;   /* from 1, or LAST */
    int64_t only_pid;
    int64_t seen;
    struct reading reading;
};

/* ---- Finding them ---- */

static int take_snapshot(void *self, const struct origin *origin, const struct reading *reading)
{
    struct pick *pick = self;
    (void)origin;
    if (pick->only_pid != READING_UNKNOWN && reading->pid != pick->only_pid)
        return 0;
    pick->seen++;
    if (pick->number != LAST && pick->seen != pick->number)
        return 0;
    reading_clear(&pick->reading);
    return reading_copy(&pick->reading, reading);
}

static int pass_verdict(void *self, const struct origin *origin, const struct verdict *verdict)
{
    (void)self;
    (void)origin;
    (void)verdict;
    return 0;
}

static int pass_start(void *self, const struct origin *origin)
{
    (void)self;
    (void)origin;
    return 0;
}

/* `FILE@N`, unless there is a file of that very name. */
static int split_name(struct pick *pick)
{
    const char *sign = strrchr(pick->name, '@');
    const char *at = sign == NULL ? NULL : sign + 1;
    bool has_number = at != NULL && access(pick->name, F_OK) != 0 &&
                      amount_read_count(&at, at + strlen(at), &pick->number) && *at == '\0';
    if (!has_number)
        pick->number = LAST;
    pick->file = has_number ? strndup(pick->name, (size_t)(sign - pick->name)) : strdup(pick->name);
    if (pick->file == NULL)
        fputs("memprof-report: out of memory\n", stderr);
    return pick->file == NULL ? -1 : 0;
}

static int find(struct pick *pick)
{
    struct complaints complaints = {0};
    struct receiver receiver = {pick, take_snapshot, pass_verdict, pass_start};
    if (split_name(pick) != 0)
        return -1;
    int status = input_read(&pick->file, 1, &receiver, &complaints);
    complaints_write(&complaints, stderr);
    if (status != 0)
        return -1;
    if (pick->seen > 0 && pick->number != 0 && pick->seen >= pick->number)
        return 0;
    if (pick->seen == 0)
        fprintf(stderr, "memprof-report: %s: found no snapshot\n", pick->name);
    else
        fprintf(stderr, "memprof-report: %s: found %lld snapshots, allowed: @1 to @%lld\n",
                pick->name, (long long)pick->seen, (long long)pick->seen);
    return -1;
}

/* ---- Comparing ---- */

struct row {
    const char *name;
    int64_t from, to;
};

static uint64_t distance(const struct row *row)
{
    return row->to > row->from ? (uint64_t)(row->to - row->from) : (uint64_t)(row->from - row->to);
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    uint64_t of_first = distance(first), of_second = distance(second);
    if (of_first != of_second)
        return of_first < of_second ? 1 : -1;
    return strcmp(first->name, second->name);
}

static int64_t value_of(const struct reading_class *class, bool is_bytes)
{
    return is_bytes ? class->bytes : class->count;
}

/* What is known in both snapshots and not the same in them, by how much. */
static size_t find_rows(struct row *rows, const struct reading *from, const struct reading *to,
                        bool is_bytes)
{
    size_t count = 0, other = 0;
    for (size_t i = 0; i < from->class_count; i++) {
        const struct reading_class *class = &from->classes[i];
        while (other < to->class_count && strcmp(to->classes[other].name, class->name) < 0)
            other++;
        if (other == to->class_count || strcmp(to->classes[other].name, class->name) != 0)
            continue;
        struct row row = {class->name, value_of(class, is_bytes),
                          value_of(&to->classes[other], is_bytes)};
        if (row.from != READING_UNKNOWN && row.to != READING_UNKNOWN && row.from != row.to)
            rows[count++] = row;
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    return count;
}

static void add_change(struct text *text, const struct row *row, bool is_bytes, const char *unit)
{
    wording_add_safe(text, row->name, strlen(row->name));
    text_add(text, ": ");
    wording_add_change(text, row->to - row->from, is_bytes);
    text_add(text, "%s (", unit);
    wording_add_amount(text, row->from, is_bytes);
    text_add(text, " to ");
    wording_add_amount(text, row->to, is_bytes);
    text_add(text, ")\n");
}

static int add_ranking(struct text *text, const struct reading *from, const struct reading *to,
                       size_t limit, bool is_bytes)
{
    struct row *rows = calloc(from->class_count + 1, sizeof(*rows));
    if (rows == NULL)
        return -1;
    size_t count = find_rows(rows, from, to, is_bytes);
    size_t shown = limit > 0 && limit < count ? limit : count;
    text_add(text, "  by %s:%s\n", is_bytes ? "memory usage" : "object count",
             count == 0 ? " nothing" : "");
    for (size_t i = 0; i < shown; i++) {
        text_add(text, "    ");
        add_change(text, &rows[i], is_bytes, is_bytes ? "" : " objects");
    }
    if (shown < count)
        text_add(text, "    and %zu more\n", count - shown);
    free(rows);
    return 0;
}

static bool has(const struct reading *reading, const char *name)
{
    for (size_t low = 0, high = reading->class_count; low < high;) {
        size_t middle = (low + high) / 2;
        int order = strcmp(reading->classes[middle].name, name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Tables show the largest classes only: what is in one of them may be in the other process too. */
static void add_lonely(struct text *text, const struct reading *one, const struct reading *other,
                       const char *which)
{
    bool is_first = true;
    for (size_t i = 0; i < one->class_count; i++) {
        const struct reading_class *class = &one->classes[i];
        if (has(other, class->name))
            continue;
        if (is_first)
            text_add(text, "  only in the tables of the %s:\n", which);
        is_first = false;
        text_add(text, "    ");
        wording_add_safe(text, class->name, strlen(class->name));
        text_add(text, ": ");
        if (class->bytes != READING_UNKNOWN)
            wording_add_amount(text, class->bytes, true);
        if (class->count != READING_UNKNOWN) {
            text_add(text, class->bytes != READING_UNKNOWN ? ", " : "");
            wording_add_amount(text, class->count, false);
            text_add(text, class->count == 1 ? " object" : " objects");
        }
        text_add(text, "\n");
    }
}

static void add_figures(struct text *text, const struct reading *from, const struct reading *to)
{
    for (int i = 0; i < FIGURES; i++) {
        struct row row = {figure_names[i], from->figures[i], to->figures[i]};
        if (row.from == READING_UNKNOWN || row.to == READING_UNKNOWN)
            continue;
        text_add(text, "  ");
        add_change(text, &row, figure_is_bytes((enum figure)i), "");
    }
}

static void add_pick(struct text *text, const struct pick *pick)
{
    const struct reading *reading = &pick->reading;
    char moment[MOMENT_TEXT_SIZE];
    wording_add_safe(text, pick->name, strlen(pick->name));
    if (reading->pid != READING_UNKNOWN)
        text_add(text, ", pid %lld", (long long)reading->pid);
    if (reading->time_ms != READING_UNKNOWN) {
        moment_write(moment, (struct moment){reading->time_ms, reading->is_utc});
        text_add(text, ", %s", moment);
    }
}

static int add_both(struct text *text, const struct pick *from, const struct pick *to, size_t rows)
{
    text_add(text, "From ");
    add_pick(text, from);
    text_add(text, "\nto   ");
    add_pick(text, to);
    text_add(text, "\n");
    add_figures(text, &from->reading, &to->reading);
    if (add_ranking(text, &from->reading, &to->reading, rows, true) != 0 ||
        add_ranking(text, &from->reading, &to->reading, rows, false) != 0)
        return -1;
    add_lonely(text, &from->reading, &to->reading, "first");
    add_lonely(text, &to->reading, &from->reading, "second");
    return 0;
}

int diff_add(struct text *text, char **names, size_t rows, int64_t pid)
{
    struct pick picks[2] = {{.name = names[0], .only_pid = pid},
                            {.name = names[1], .only_pid = pid}};
    reading_start(&picks[0].reading);
    reading_start(&picks[1].reading);
    int status = find(&picks[0]) == 0 && find(&picks[1]) == 0
                     ? add_both(text, &picks[0], &picks[1], rows)
                     : -1;
    for (int i = 0; i < 2; i++) {
        reading_clear(&picks[i].reading);
        free(picks[i].file);
    }
    return status;
}
