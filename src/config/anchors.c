/* SPDX-License-Identifier: MIT
 *
 * Open addressing with linear probing; at least a quarter of the slots is free, so a search always
 * ends. Nothing is ever removed. */
#include "config/anchors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static struct anchor *find_slot(struct anchor *slots, size_t capacity, const char *name)
{
    size_t at = hash_name(name) & (capacity - 1);

    while (slots[at].name != NULL && strcmp(slots[at].name, name) != 0)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static int grow(struct anchors *anchors)
{
    size_t capacity = anchors->capacity == 0 ? FIRST_CAPACITY : anchors->capacity * 2;
    struct anchor *slots = calloc(capacity, sizeof *slots);

    if (slots == NULL)
        return -1;
    for (size_t i = 0; i < anchors->capacity; i++) {
        if (anchors->slots[i].name != NULL)
            *find_slot(slots, capacity, anchors->slots[i].name) = anchors->slots[i];
    }
    free(anchors->slots);
    anchors->slots = slots;
    anchors->capacity = capacity;
    return 0;
}

int anchors_set(struct anchors *anchors, char *name, int node)
{
    struct anchor *slot;

    if (4 * (anchors->count + 1) > 3 * anchors->capacity && grow(anchors) != 0) {
        free(name);
        return -1;
    }
    slot = find_slot(anchors->slots, anchors->capacity, name);
    slot->node = node;
    if (slot->name != NULL) {
        free(name);
        return 0;
    }
    slot->name = name;
    anchors->count++;
    return 0;
}

int anchors_find(const struct anchors *anchors, const char *name)
{
    const struct anchor *slot;

    if (anchors->count == 0)
        return -1;
    slot = find_slot(anchors->slots, anchors->capacity, name);
    return slot->name == NULL ? -1 : slot->node;
}

void anchors_destroy(struct anchors *anchors)
{
    for (size_t i = 0; i < anchors->capacity; i++)
        free(anchors->slots[i].name);
    free(anchors->slots);
    memset(anchors, 0, sizeof *anchors);
}
