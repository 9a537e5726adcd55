/* SPDX-License-Identifier: MIT
 *
 * Numbers a set of addresses 0, 1, 2..., so that facts about a million objects fit in plain arrays
 * of a few bytes each instead of in the objects.
 */
#ifndef MEMPROF_ADDRESS_INDEX_H
#define MEMPROF_ADDRESS_INDEX_H

#include <stdint.h>
#include <stddef.h>

/* Addresses are multiples of this. */
#define ADDRESS_INDEX_ALIGNMENT 16
#define ADDRESS_INDEX_NONE UINT32_MAX

/* 4096 bytes of address space, in one cache line. */
struct address_page {
    uint64_t bits[4];  /* one per possible address */
    uint64_t number;   /* the address divided by 4096, 0 in a free slot */
    uint32_t first;    /* the index of the page's first address */
    uint8_t before[4]; /* addresses in bits[0..i-1] */
    uint64_t unused[2];
};

/* Zero is the empty index. Add everything, close, then find. */
struct address_index {
    struct address_page *pages; /* open addressing, a power of two of slots */
    size_t page_capacity;
    size_t page_count;
    uint32_t count; /* addresses, once closed */
};

/* 0; -1 when out of memory or where the address is not aligned. Adding twice is adding once. */
int address_index_add(struct address_index *index, uintptr_t address);

/* The same; 1 where the address was not yet there. */
int address_index_insert(struct address_index *index, uintptr_t address);

/* Numbers what was added. 0, or -1 where it is more than an index can hold. */
int address_index_close(struct address_index *index);

/* A walk over all addresses in the order of their indices: start with zero. */
struct address_cursor {
    size_t page;
    unsigned word;
    uint64_t left; /* bits of that word still to come */
    int begun;
};

/* The next address, or 0 at the end. */
uintptr_t address_index_next(const struct address_index *index, struct address_cursor *cursor);

/* The address with this index, which must be below `count`. */
uintptr_t address_index_at(const struct address_index *index, uint32_t number);

void address_index_clear(struct address_index *index);

static inline size_t address_page_slot(const struct address_index *index, uint64_t number)
{
    return (size_t)((number * 0x9e3779b97f4a7c15u) >> 32) & (index->page_capacity - 1);
}

/* As __builtin_popcountll(), which calls a function on x86-64's first generation. */
static inline uint32_t address_page_count_bits(uint64_t word)
{
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)(word * 0x0101010101010101u >> 56);
}

/* The index of an address, or ADDRESS_INDEX_NONE. */
static inline uint32_t address_index_find(const struct address_index *index, uintptr_t address)
{
    uint64_t number = (uint64_t)address / 4096;
    size_t slot = address_page_slot(index, number);
    const struct address_page *page = &index->pages[slot];
    while (page->number != number) {
        if (page->number == 0)
            return ADDRESS_INDEX_NONE;
        slot = (slot + 1) & (index->page_capacity - 1);
        page = &index->pages[slot];
    }
    unsigned place = (unsigned)(address / ADDRESS_INDEX_ALIGNMENT) % 256;
    uint64_t word = page->bits[place / 64];
    uint64_t bit = (uint64_t)1 << place % 64;
    if ((word & bit) == 0 || address % ADDRESS_INDEX_ALIGNMENT != 0)
        return ADDRESS_INDEX_NONE;
    return page->first + page->before[place / 64] + address_page_count_bits(word & (bit - 1));
}

#endif
