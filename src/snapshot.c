/* SPDX-License-Identifier: MIT
 *
 * Invariant after ranking: classes are in byte order of their names, which for UTF-8 is the order
 * of code points, so comparing two indices breaks a tie by name.
 */
#include "snapshot.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* A class's place in one ranking, carried with its key: comparators of qsort() get no context. */
struct rank {
    uint64_t key;
    uint32_t index;
};

static int compare_names(const void *left, const void *right)
{
    const struct snapshot_class *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->key != b->key)
        return a->key > b->key ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int snapshot_add(struct snapshot *snapshot, char *name, uint64_t count, uint64_t bytes)
{
    if (snapshot->class_count == snapshot->capacity) {
        size_t capacity = snapshot->capacity == 0 ? 256 : snapshot->capacity * 2;
        void *classes = memory_resize(snapshot->classes, capacity * sizeof(*snapshot->classes));
        if (classes == NULL) {
            memory_free(name);
            return -1;
        }
        snapshot->classes = classes;
        snapshot->capacity = capacity;
    }
    snapshot->classes[snapshot->class_count++] = (struct snapshot_class){name, count, bytes};
    return 0;
}

static void merge_equal_names(struct snapshot *snapshot)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->class_count; i++) {
        struct snapshot_class *class = &snapshot->classes[i];
        snapshot->objects += class->count;
        snapshot->bytes += class->bytes;
        if (kept > 0 && strcmp(snapshot->classes[kept - 1].name, class->name) == 0) {
            snapshot->classes[kept - 1].count += class->count;
            snapshot->classes[kept - 1].bytes += class->bytes;
            memory_free(class->name);
        } else {
            snapshot->classes[kept++] = *class;
        }
    }
    snapshot->class_count = kept;
}

/* Sorts `ranks` and leaves the order in `indices`. */
static void rank_into(uint32_t *indices, struct rank *ranks, size_t count)
{
    qsort(ranks, count, sizeof(*ranks), compare_ranks);
    for (size_t i = 0; i < count; i++)
        indices[i] = ranks[i].index;
}

int snapshot_rank(struct snapshot *snapshot)
{
    if (snapshot->class_count == 0)
        return 0;
    qsort(snapshot->classes, snapshot->class_count, sizeof(*snapshot->classes), compare_names);
    merge_equal_names(snapshot);
    size_t count = snapshot->class_count;
    struct rank *ranks = memory_allocate_zeroed(count, sizeof(*ranks));
    snapshot->by_count = memory_allocate_zeroed(count, sizeof(*snapshot->by_count));
    snapshot->by_bytes = memory_allocate_zeroed(count, sizeof(*snapshot->by_bytes));
    int complete = ranks != NULL && snapshot->by_count != NULL && snapshot->by_bytes != NULL;
    if (complete) {
        for (size_t i = 0; i < count; i++)
            ranks[i] = (struct rank){snapshot->classes[i].count, (uint32_t)i};
        rank_into(snapshot->by_count, ranks, count);
        for (size_t i = 0; i < count; i++)
            ranks[i] = (struct rank){snapshot->classes[i].bytes, (uint32_t)i};
        rank_into(snapshot->by_bytes, ranks, count);
    }
    memory_free(ranks);
    return complete ? 0 : -1;
}

/* One class on its way to another process of the same program; its name follows. */
struct packed_class {
    uint64_t count;
    uint64_t bytes;
    uint64_t name_size;
};

void snapshot_encode(const struct snapshot *snapshot, struct text *bytes)
{
    const uint64_t count = snapshot->class_count;
    text_add_bytes(bytes, (const char *)&snapshot->footprint, sizeof(snapshot->footprint));
    text_add_bytes(bytes, (const char *)&count, sizeof(count));
    for (size_t i = 0; i < snapshot->class_count; i++) {
        const struct snapshot_class *class = &snapshot->classes[i];
        const struct packed_class packed = {class->count, class->bytes, strlen(class->name)};
        text_add_bytes(bytes, (const char *)&packed, sizeof(packed));
        text_add_bytes(bytes, class->name, packed.name_size);
    }
    holders_encode(&snapshot->holders, bytes);
}

int snapshot_decode(struct snapshot *snapshot, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    uint64_t count;
    if (size < sizeof(snapshot->footprint) + sizeof(count))
        return -1;
    memcpy(&snapshot->footprint, bytes, sizeof(snapshot->footprint));
    bytes += sizeof(snapshot->footprint);
    memcpy(&count, bytes, sizeof(count));
    bytes += sizeof(count);
    for (; count > 0; count--) {
        struct packed_class packed;
        if ((size_t)(end - bytes) < sizeof(packed))
            return -1;
        memcpy(&packed, bytes, sizeof(packed));
        bytes += sizeof(packed);
        if (packed.name_size > (size_t)(end - bytes))
            return -1;
        char *name = memory_allocate(packed.name_size + 1);
        if (name == NULL)
            return -1;
        memcpy(name, bytes, packed.name_size);
        name[packed.name_size] = '\0';
        bytes += packed.name_size;
        if (snapshot_add(snapshot, name, packed.count, packed.bytes) != 0)
            return -1;
    }
    return holders_decode(&snapshot->holders, bytes, (size_t)(end - bytes));
}

void snapshot_clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->class_count; i++)
        memory_free(snapshot->classes[i].name);
    memory_free(snapshot->classes);
    memory_free(snapshot->by_count);
    memory_free(snapshot->by_bytes);
    holders_clear(&snapshot->holders);
    *snapshot = (struct snapshot){0};
}
