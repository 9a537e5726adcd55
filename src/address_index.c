/* SPDX-License-Identifier: MIT
 *
 * A page of addresses is a bitmap; the index of an address is the number of bits before it. That is
 * one byte per object where they lie close together, and an object's index follows from its address
 * without looking at the object.
 *
 * Invariant: at least a third of the slots are free, so every probe ends.
 */
#include "address_index.h"

#include "memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 1024 };

static struct address_page *page_of(const struct address_index *index, uint64_t number)
{
    size_t slot = address_page_slot(index, number);
    while (index->pages[slot].number != 0 && index->pages[slot].number != number)
        slot = (slot + 1) & (index->page_capacity - 1);
    return &index->pages[slot];
}

static int grow(struct address_index *index)
{
    struct address_index wider = *index;
    wider.page_capacity = index->page_capacity == 0 ? FIRST_CAPACITY : index->page_capacity * 2;
    wider.pages = memory_allocate_zeroed(wider.page_capacity, sizeof(*wider.pages));
    if (wider.pages == NULL)
        return -1;
    for (size_t i = 0; i < index->page_capacity; i++) {
        if (index->pages[i].number != 0)
            *page_of(&wider, index->pages[i].number) = index->pages[i];
    }
    memory_free(index->pages);
    *index = wider;
    return 0;
}

int address_index_insert(struct address_index *index, uintptr_t address)
{
    uint64_t number = (uint64_t)address / 4096;
    unsigned place = (unsigned)(address / ADDRESS_INDEX_ALIGNMENT) % 256;
    if (address % ADDRESS_INDEX_ALIGNMENT != 0 || number == 0)
        return -1;
    if (index->page_count * 3 >= index->page_capacity * 2 && grow(index) != 0)
        return -1;
    struct address_page *page = page_of(index, number);
    if (page->number == 0) {
        page->number = number;
        index->page_count++;
    }
    uint64_t bit = (uint64_t)1 << place % 64;
    int is_new = (page->bits[place / 64] & bit) == 0;
    page->bits[place / 64] |= bit;
    return is_new;
}

int address_index_add(struct address_index *index, uintptr_t address)
{
    return address_index_insert(index, address) < 0 ? -1 : 0;
}

int address_index_close(struct address_index *index)
{
    uint64_t count = 0;
    if (index->page_capacity == 0 && grow(index) != 0)
        return -1;
    for (size_t i = 0; i < index->page_capacity; i++) {
        struct address_page *page = &index->pages[i];
        unsigned inside = 0;
        page->first = (uint32_t)count;
        for (int word = 0; word < 4; word++) {
            page->before[word] = (uint8_t)inside;
            inside += address_page_count_bits(page->bits[word]);
        }
        count += inside;
    }
    if (count >= ADDRESS_INDEX_NONE)
        return -1;
    index->count = (uint32_t)count;
    return 0;
}

uintptr_t address_index_next(const struct address_index *index, struct address_cursor *cursor)
{
    for (;;) {
        if (cursor->left != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(cursor->left);
            cursor->left &= cursor->left - 1;
            return (uintptr_t)(index->pages[cursor->page].number * 4096 +
                               (cursor->word * 64 + bit) * ADDRESS_INDEX_ALIGNMENT);
        }
        if (!cursor->begun)
            cursor->begun = 1;
        else if (++cursor->word == 4) {
            cursor->word = 0;
            cursor->page++;
        }
        if (cursor->page >= index->page_capacity)
            return 0;
        cursor->left = index->pages[cursor->page].bits[cursor->word];
    }
}

/* The slot of the page that holds it: the last one that begins at or before it, since free slots
 * begin where the next one does. */
static size_t slot_of(const struct address_index *index, uint32_t number)
{
    size_t low = 0, high = index->page_capacity;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->pages[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uintptr_t address_index_at(const struct address_index *index, uint32_t number)
{
    const struct address_page *page = &index->pages[slot_of(index, number)];
    unsigned skip = number - page->first;
    unsigned word = 3;
    while (word > 0 && page->before[word] > skip)
        word--;
    uint64_t left = page->bits[word];
    for (skip -= page->before[word]; skip > 0; skip--)
        left &= left - 1;
    unsigned bit = (unsigned)__builtin_ctzll(left);
    return (uintptr_t)(page->number * 4096 + (word * 64 + bit) * ADDRESS_INDEX_ALIGNMENT);
}

void address_index_clear(struct address_index *index)
{
    memory_free(index->pages);
    *index = (struct address_index){0};
}
