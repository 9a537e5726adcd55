/* SPDX-License-Identifier: MIT
 *
 * A reader holds what it reads, and a writer puts something new in its place: nobody waits for
 * longer than it takes to change a number. All of a snapshot's gauges are one block of memory: the
 * values in the order of the gauges, then the names.
 */
#include "metrics/gauges.h"

#include "memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Of the longest name, the longest unit and so on: an array of pointers would have to be relocated
 * in every process that inherits the preload. */
static const struct {
    char name[34], unit[9], description[49];
} facts[GAUGE_COUNT] = {
    [GAUGE_CLASS_OBJECTS] = {"memory_profiler.class.objects", "{object}",
                             "Objects by class, of the most numerous ones"},
    [GAUGE_CLASS_SIZE] = {"memory_profiler.class.size", "By",
                          "Memory by class, of the largest ones"},
    [GAUGE_CLASS_SUSPECTED] = {"memory_profiler.class.suspected", "{class}",
                               "1 for a class that is suspected of a leak"},
    [GAUGE_PYTHON_OBJECTS] = {"memory_profiler.python.objects", "{object}",
                              "Objects of all classes"},
    [GAUGE_PYTHON_SIZE] = {"memory_profiler.python.size", "By",
                           "Memory of the objects of all classes"},
    [GAUGE_PYTHON_BLOCKS] = {"memory_profiler.python.blocks", "{block}",
                             "Blocks that Python's allocators gave out"},
    [GAUGE_PROCESS_RESIDENT] = {"memory_profiler.process.resident", "By",
                                "Memory of the process that is resident"},
    [GAUGE_PROCESS_ANONYMOUS] = {"memory_profiler.process.anonymous", "By",
                                 "Resident memory that is no file's"},
    [GAUGE_PROCESS_SWAPPED] = {"memory_profiler.process.swapped", "By",
                               "Memory that is swapped out"},
    [GAUGE_ALLOCATOR_USED] = {"memory_profiler.allocator.used", "By",
                              "Memory that the C allocator gave out"},
    [GAUGE_ALLOCATOR_FREE] = {"memory_profiler.allocator.free", "By",
                              "Memory that it keeps although it is free"},
};

const char *gauge_name(enum gauge gauge)
{
    return facts[gauge].name;
}

const char *gauge_unit(enum gauge gauge)
{
    return facts[gauge].unit;
}

const char *gauge_description(enum gauge gauge)
{
    return facts[gauge].description;
}

bool gauge_has_class(enum gauge gauge)
{
    return gauge <= GAUGE_CLASS_SUSPECTED;
}

void gauge_write_prometheus_name(enum gauge gauge, char text[GAUGE_TEXT_SIZE])
{
    size_t size = 0;
    for (const char *name = gauge_name(gauge); *name != '\0'; name++)
        text[size++] = *name == '.' ? '_' : *name;
    memcpy(&text[size], "_bytes", sizeof("_bytes"));
    if (gauge_unit(gauge)[0] == '{')
        text[size] = '\0';
}

struct gauges {
    size_t holders; /* readers, and the place of the latest one */
    pid_t process;
    size_t ends[GAUGE_COUNT]; /* where the values of each end */
    struct gauge_value values[];
};

static struct gauges *latest;
static atomic_flag is_locked = ATOMIC_FLAG_INIT;

/* Kept for a few instructions only. */
static void lock(void)
{
    while (atomic_flag_test_and_set_explicit(&is_locked, memory_order_acquire))
        sched_yield();
}

static void unlock(void)
{
    atomic_flag_clear_explicit(&is_locked, memory_order_release);
}

struct gauges *gauges_hold(void)
{
    lock();
    struct gauges *gauges = latest;
    if (gauges != NULL)
        gauges->holders++;
    unlock();
    if (gauges == NULL || gauges->process == getpid())
        return gauges;
    gauges_release(gauges);
    return NULL;
}

void gauges_release(struct gauges *gauges)
{
    if (gauges == NULL)
        return;
    lock();
    bool is_last = --gauges->holders == 0;
    unlock();
    if (is_last)
        memory_free(gauges);
}

const struct gauge_value *gauges_values(const struct gauges *gauges, enum gauge gauge,
                                        size_t *count)
{
    size_t start = gauge == 0 ? 0 : gauges->ends[gauge - 1];
    *count = gauges->ends[gauge] - start;
    return &gauges->values[start];
}

static void replace(struct gauges *gauges)
{
    lock();
    struct gauges *old = latest;
    latest = gauges;
    unlock();
    gauges_release(old);
}

/* Where a new block is being filled. With neither values nor names it only adds up what they take.
 */
struct filling {
    struct gauge_value *values;
    char *names;
    size_t value_count, name_bytes;
};

static void add(struct filling *filling, const char *class, uint64_t value)
{
    size_t place = filling->value_count++, start = filling->name_bytes;
    filling->name_bytes += class != NULL ? strlen(class) + 1 : 0;
    if (filling->values == NULL)
        return;
    filling->values[place] = (struct gauge_value){NULL, value};
    if (class != NULL)
        filling->values[place].class = strcpy(&filling->names[start], class);
}

static void add_table(struct filling *filling, const struct snapshot *snapshot, size_t rows,
                      enum gauge gauge)
{
    for (size_t i = 0; i < rows && i < snapshot->class_count; i++) {
        uint32_t place = gauge == GAUGE_CLASS_SIZE ? snapshot->by_bytes[i] : snapshot->by_count[i];
        const struct snapshot_class *class = &snapshot->classes[place];
        add(filling, class->name, gauge == GAUGE_CLASS_SIZE ? class->bytes : class->count);
    }
}

static void add_suspects(struct filling *filling, const char *const *suspects)
{
    for (size_t i = 0; i < GAUGES_SUSPECTS_LIMIT && suspects[i] != NULL; i++)
        add(filling, suspects[i], 1);
}

static uint64_t value_of(const struct snapshot *snapshot, enum gauge gauge)
{
    const struct footprint *footprint = &snapshot->footprint;
    switch (gauge) {
    case GAUGE_PYTHON_OBJECTS:
        return snapshot->objects;
    case GAUGE_PYTHON_SIZE:
        return snapshot->bytes;
    case GAUGE_PYTHON_BLOCKS:
        return footprint->blocks;
    case GAUGE_PROCESS_RESIDENT:
        return footprint->resident_bytes;
    case GAUGE_PROCESS_ANONYMOUS:
        return footprint->anonymous_bytes;
    case GAUGE_PROCESS_SWAPPED:
        return footprint->swapped_bytes;
    case GAUGE_ALLOCATOR_USED:
        return footprint->allocator_used_bytes;
    case GAUGE_ALLOCATOR_FREE:
        return footprint->allocator_free_bytes;
    default:
        return FOOTPRINT_UNKNOWN;
    }
}

static void fill(struct filling *filling, size_t ends[GAUGE_COUNT], const struct snapshot *snapshot,
                 size_t rows, const char *const *suspects)
{
    for (enum gauge gauge = 0; gauge < GAUGE_COUNT; gauge++) {
        uint64_t value = value_of(snapshot, gauge);
        if (gauge == GAUGE_CLASS_SUSPECTED)
            add_suspects(filling, suspects);
        else if (gauge_has_class(gauge))
            add_table(filling, snapshot, rows, gauge);
        else if (value != FOOTPRINT_UNKNOWN)
            add(filling, NULL, value);
        ends[gauge] = filling->value_count;
    }
}

void gauges_set(const struct snapshot *snapshot, size_t rows, const char *const *suspects)
{
    size_t ends[GAUGE_COUNT];
    struct filling filling = {0};
    fill(&filling, ends, snapshot, rows, suspects);
    size_t size = sizeof(struct gauges) + filling.value_count * sizeof(struct gauge_value);
    struct gauges *gauges = memory_allocate(size + filling.name_bytes);
    if (gauges == NULL)
        return;
    gauges->holders = 1;
    gauges->process = getpid();
    filling = (struct filling){.values = gauges->values, .names = (char *)gauges + size};
    fill(&filling, gauges->ends, snapshot, rows, suspects);
    replace(gauges);
}

void gauges_clear(void)
{
    replace(NULL);
}

void gauges_forget(void)
{
    latest = NULL;
    unlock();
}
