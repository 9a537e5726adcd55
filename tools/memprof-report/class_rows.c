/* SPDX-License-Identifier: MIT
 *
 * Invariant: rows are ordered by name, as the classes of a reading are, so both are walked
 * together.
 */
#include "class_rows.h"

#include <stdlib.h>
#include <string.h>

void class_destroy(struct class *class)
{
    free(class->name);
    free(class->points);
    free(class);
}

static struct class *make_class(const char *name)
{
    struct class *class = calloc(1, sizeof(*class));
    if (class != NULL && (class->name = strdup(name)) == NULL) {
        free(class);
        return NULL;
    }
    return class;
}

static int add_point(struct class *class, const struct reading_class *read, uint32_t frame)
{
    if (class->point_count == class->point_capacity) {
        size_t capacity = class->point_capacity == 0 ? 8 : class->point_capacity * 2;
        void *points = realloc(class->points, capacity * sizeof(*class->points));
        if (points == NULL)
            return -1;
        class->points = points;
        class->point_capacity = capacity;
    }
    class->points[class->point_count++] = (struct point){frame, read->count, read->bytes};
    if (read->bytes > class->peak_bytes)
        class->peak_bytes = read->bytes;
    if (read->count > class->peak_count)
        class->peak_count = read->count;
    return 0;
}

static size_t count_new(struct class **rows, size_t count, const struct reading *reading)
{
    size_t new = 0, row = 0;
    for (size_t i = 0; i < reading->class_count; i++) {
        const char *name = reading->classes[i].name;
        while (row < count && strcmp(rows[row]->name, name) < 0)
            row++;
        new += row == count || strcmp(rows[row]->name, name) != 0;
    }
    return new;
}

/* Moves the rows apart, from the last on, and puts the new ones between. */
static int insert_new(struct class **rows, size_t *count, size_t new, const struct reading *reading)
{
    struct class **made = malloc(new * sizeof(struct class *));
    size_t made_count = 0, row = 0;
    bool failed = made == NULL;
    for (size_t i = 0; !failed && i < reading->class_count; i++) {
        const char *name = reading->classes[i].name;
        while (row < *count && strcmp(rows[row]->name, name) < 0)
            row++;
        if (row < *count && strcmp(rows[row]->name, name) == 0)
            continue;
        failed = (made[made_count] = make_class(name)) == NULL;
        made_count += !failed;
    }
    size_t old = failed ? 0 : *count, at = old + made_count;
    while (!failed && made_count > 0) {
        if (old > 0 && strcmp(rows[old - 1]->name, made[made_count - 1]->name) > 0)
            rows[--at] = rows[--old];
        else
            rows[--at] = made[--made_count];
    }
    *count += failed ? 0 : new;
    while (failed && made_count > 0)
        class_destroy(made[--made_count]);
    free(made);
    return failed ? -1 : 0;
}

int class_rows_add(struct class ***rows, size_t *count, const struct reading *reading,
                   uint32_t frame, uint64_t *points)
{
    size_t new = count_new(*rows, *count, reading), row = 0;
    *points = 0;
    if (new > 0) {
        void *grown = realloc(*rows, (*count + new) * sizeof(**rows));
        if (grown == NULL)
            return -1;
        *rows = grown;
        if (insert_new(*rows, count, new, reading) != 0)
            return -1;
    }
    for (size_t i = 0; i < reading->class_count; i++, row++) {
        while (strcmp((*rows)[row]->name, reading->classes[i].name) != 0)
            row++;
        if (add_point((*rows)[row], &reading->classes[i], frame) != 0)
            return -1;
        ++*points;
    }
    return 0;
}

static int compare_peaks(const void *a, const void *b)
{
    const struct class *first = *(struct class *const *)a, *second = *(struct class *const *)b;
    if (first->peak_bytes != second->peak_bytes)
        return first->peak_bytes < second->peak_bytes ? 1 : -1;
    return first->peak_count < second->peak_count   ? 1
           : first->peak_count > second->peak_count ? -1
                                                    : 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct class *first = *(struct class *const *)a, *second = *(struct class *const *)b;
    return strcmp(first->name, second->name);
}

uint64_t class_rows_halve(struct class **rows, size_t *count)
{
    uint64_t points = 0;
    qsort(rows, *count, sizeof(*rows), compare_peaks);
    for (size_t i = *count / 2; i < *count; i++) {
        points += rows[i]->point_count;
        class_destroy(rows[i]);
    }
    *count /= 2;
    qsort(rows, *count, sizeof(*rows), compare_names);
    return points;
}

size_t class_thin(struct class *class, uint32_t stride, uint32_t newest)
{
    size_t kept = 0, before = class->point_count;
    for (size_t i = 0; i < before; i++)
        if (class->points[i].frame % stride == 0 || class->points[i].frame == newest)
            class->points[kept++] = class->points[i];
    class->point_count = kept;
    return before - kept;
}

size_t class_drop(struct class *class, uint32_t frame)
{
    if (class->point_count == 0 || class->points[class->point_count - 1].frame != frame)
        return 0;
    class->point_count--;
    return 1;
}
