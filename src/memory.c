/* SPDX-License-Identifier: MIT
 *
 * Isolated: every block is preceded by its size. Large ones are mappings, which the kernel moves
 * instead of copying when they grow; small ones are cut from chunks, and only the newest is taken
 * back, which is what happens to the many numbers that live for a moment.
 */
#include "memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEADER_BYTES = 16, /* also the alignment of small blocks */
    LARGE_OFFSET = 64, /* of a block in its mapping: a cache line */
    PAGE_BYTES = 4096,
    CHUNK_BYTES = 1 << 20,
    LARGE_BYTES = 1 << 17
};

struct header {
    size_t size; /* of the block, a multiple of 16 */
    size_t mark;
};

static const size_t ours = 0x6d656d70726f66;

static bool isolated;
static char *chunk_at, *chunk_end;

static void *map(size_t size)
{
    void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return mapping != MAP_FAILED ? mapping : NULL;
}

static struct header *header_of(void *block)
{
    return (struct header *)(void *)((char *)block - HEADER_BYTES);
}

/* Of a block that malloc() gave this looks at what comes before it: the allocator's own
 * bookkeeping, or another block. */
__attribute__((no_sanitize("address"))) static bool is_ours(void *block)
{
    return header_of(block)->mark == ours;
}

static void *begin_block(void *block, size_t size)
{
    *header_of(block) = (struct header){size, ours};
    return block;
}

static size_t mapping_bytes(size_t size)
{
    return (size + LARGE_OFFSET + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

static void *mapping_of(void *block)
{
    return (char *)block - LARGE_OFFSET;
}

static void *begin_mapping(char *mapping, size_t size)
{
    return mapping != NULL ? begin_block(mapping + LARGE_OFFSET, size) : NULL;
}

static void *move(void *block, size_t from, size_t to)
{
    void *moved = mremap(mapping_of(block), mapping_bytes(from), mapping_bytes(to), MREMAP_MAYMOVE);
    return moved != MAP_FAILED ? begin_mapping(moved, to) : NULL;
}

static void *isolated_allocate(size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = size == 0 ? HEADER_BYTES : (size + HEADER_BYTES - 1) & ~(size_t)(HEADER_BYTES - 1);
    if (size >= LARGE_BYTES)
        return begin_mapping(map(mapping_bytes(size)), size);
    if ((size_t)(chunk_end - chunk_at) < size + HEADER_BYTES) {
        char *chunk = map(CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        chunk_at = chunk;
        chunk_end = chunk + CHUNK_BYTES;
    }
    char *place = chunk_at;
    chunk_at += size + HEADER_BYTES;
    return begin_block(place + HEADER_BYTES, size);
}

static void isolated_free(void *block)
{
    if (block == NULL || !is_ours(block))
        return;
    size_t size = header_of(block)->size;
    if (size >= LARGE_BYTES)
        munmap(mapping_of(block), mapping_bytes(size));
    else if ((char *)block + size == chunk_at)
        chunk_at = (char *)header_of(block);
}

static void *isolated_resize(void *block, size_t size)
{
    if (block == NULL)
        return isolated_allocate(size);
    struct header *header = header_of(block);
    if (!is_ours(block) || size > SIZE_MAX / 2)
        return NULL;
    if (size <= header->size)
        return block;
    if (header->size >= LARGE_BYTES)
        return move(block, header->size, size);
    void *wider = isolated_allocate(size);
    if (wider == NULL)
        return NULL;
    memcpy(wider, block, header->size);
    isolated_free(block);
    return wider;
}

void *memory_allocate(size_t size)
{
    return isolated ? isolated_allocate(size) : malloc(size);
}

void *memory_allocate_zeroed(size_t count, size_t size)
{
    if (!isolated)
        return calloc(count, size);
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *block = isolated_allocate(count * size);
    /* Mappings are zero as they come, and not to be touched before they are used. */
    if (block != NULL && header_of(block)->size < LARGE_BYTES)
        memset(block, 0, count * size);
    return block;
}

void *memory_resize(void *block, size_t size)
{
    return isolated ? isolated_resize(block, size) : realloc(block, size);
}

void memory_free(void *block)
{
    if (isolated)
        isolated_free(block);
    else
        free(block);
}

void *memory_room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wider = *capacity == 0 ? 64 : *capacity * 2;
    void *moved = memory_resize(array, wider * size);
    if (moved != NULL)
        *capacity = wider;
    return moved;
}

void memory_isolate(void)
{
    isolated = true;
}
