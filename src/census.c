/* SPDX-License-Identifier: MIT
 *
 * Collision rule: linear probing, and at least a third of the slots are free, so every probe ends.
 * Nothing is ever removed.
 */
#include "census.h"

#include "memory.h"

enum { FIRST_SLOT_COUNT = 1024 };

static size_t slot_of(const struct census *census, const void *class)
{
    /* Classes are aligned to 16 bytes: the product spreads what is left of the address. */
    uint64_t hash = ((uint64_t)(uintptr_t) class >> 4) * 0x9e3779b97f4a7c15u;
    size_t index = (size_t)(hash >> 32) & (census->slot_count - 1);
    while (census->slots[index].class != NULL && census->slots[index].class != class)
        index = (index + 1) & (census->slot_count - 1);
    return index;
}

static int grow(struct census *census)
{
    struct census wider = *census;
    wider.slot_count = census->slot_count == 0 ? FIRST_SLOT_COUNT : census->slot_count * 2;
    wider.slots = memory_allocate_zeroed(wider.slot_count, sizeof(*wider.slots));
    if (wider.slots == NULL)
        return -1;
    for (size_t i = 0; i < census->slot_count; i++) {
        if (census->slots[i].class != NULL)
            wider.slots[slot_of(&wider, census->slots[i].class)] = census->slots[i];
    }
    memory_free(census->slots);
    *census = wider;
    return 0;
}

struct census_entry *census_find(struct census *census, const void *class, int *is_new)
{
    struct census_entry *entry = NULL;
    if (census->slot_count != 0)
        entry = &census->slots[slot_of(census, class)];
    *is_new = entry == NULL || entry->class == NULL;
    if (!*is_new)
        return entry;
    if (census->class_count * 3 >= census->slot_count * 2) {
        if (grow(census) != 0)
            return NULL;
        entry = &census->slots[slot_of(census, class)];
    }
    entry->class = class;
    census->class_count++;
    return entry;
}

void census_clear(struct census *census)
{
    memory_free(census->slots);
    *census = (struct census){0};
}
