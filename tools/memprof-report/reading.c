/* SPDX-License-Identifier: MIT
 *
 * Invariant: until reading_settle() a class may stand there twice, once from each table.
 */
#include "reading.h"

#include <stdlib.h>
#include <string.h>

const char *const figure_names[FIGURES] = {
    [FIGURE_OBJECTS] = "Objects",
    [FIGURE_BYTES] = "Memory in objects",
    [FIGURE_RESIDENT] = "Resident memory",
    [FIGURE_ANONYMOUS] = "Anonymous memory",
    [FIGURE_SWAPPED] = "Swapped memory",
    [FIGURE_BLOCKS] = "Allocated blocks of Python",
    [FIGURE_ALLOCATOR_USED] = "C allocator, used",
    [FIGURE_ALLOCATOR_FREE] = "C allocator, free but kept",
};

bool figure_is_bytes(enum figure figure)
{
    return figure != FIGURE_OBJECTS && figure != FIGURE_BLOCKS;
}

void reading_start(struct reading *reading)
{
    *reading = (struct reading){.pid = READING_UNKNOWN,
                                .time_ms = READING_UNKNOWN,
                                .elapsed_ms = READING_UNKNOWN,
                                .sequence = READING_UNKNOWN};
    for (int i = 0; i < FIGURES; i++)
        reading->figures[i] = READING_UNKNOWN;
}

int reading_add(struct reading *reading, const char *name, size_t size, int64_t count,
                int64_t bytes)
{
    if (reading->class_count == reading->class_capacity) {
        size_t capacity = reading->class_capacity == 0 ? 64 : reading->class_capacity * 2;
        void *classes = realloc(reading->classes, capacity * sizeof(*reading->classes));
        if (classes == NULL)
            return -1;
        reading->classes = classes;
        reading->class_capacity = capacity;
    }
    char *copy = strndup(name, size);
    if (copy == NULL)
        return -1;
    reading->classes[reading->class_count++] = (struct reading_class){copy, count, bytes};
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct reading_class *first = a, *second = b;
    return strcmp(first->name, second->name);
}

static int64_t known_of(int64_t value, int64_t other)
{
    return value != READING_UNKNOWN ? value : other;
}

void reading_settle(struct reading *reading)
{
    if (reading->class_count == 0)
        return;
    struct reading_class *classes = reading->classes;
    qsort(classes, reading->class_count, sizeof(*classes), compare_names);
    size_t last = 0;
    for (size_t i = 1; i < reading->class_count; i++) {
        if (strcmp(classes[i].name, classes[last].name) != 0) {
            classes[++last] = classes[i];
            continue;
        }
        classes[last].count = known_of(classes[last].count, classes[i].count);
        classes[last].bytes = known_of(classes[last].bytes, classes[i].bytes);
        free(classes[i].name);
    }
    reading->class_count = last + 1;
}

int reading_copy(struct reading *to, const struct reading *from)
{
    *to = *from;
    to->classes = NULL;
    to->class_count = to->class_capacity = 0;
    to->held = to->note = NULL;
    for (size_t i = 0; i < from->class_count; i++) {
        const struct reading_class *class = &from->classes[i];
        if (reading_add(to, class->name, strlen(class->name), class->count, class->bytes) != 0) {
            reading_clear(to);
            return -1;
        }
    }
    return 0;
}

void reading_clear(struct reading *reading)
{
    for (size_t i = 0; i < reading->class_count; i++)
        free(reading->classes[i].name);
    free(reading->classes);
    free(reading->held);
    free(reading->note);
    reading_start(reading);
}
