/* SPDX-License-Identifier: MIT
 *
 * All three domains are replaced: the raw one's malloc() may be locked by a thread that does not
 * exist here, the other two would write to the pools between the program's objects.
 */
#include "py_isolate.h"

#include "memory.h"
#include "py_api.h"

enum { DOMAIN_COUNT = 3 }; /* PYMEM_DOMAIN_RAW, _MEM and _OBJ */

static void *allocate(void *unused, size_t size)
{
    (void)unused;
    return memory_allocate(size);
}

static void *allocate_zeroed(void *unused, size_t count, size_t size)
{
    (void)unused;
    return memory_allocate_zeroed(count, size);
}

static void *resize(void *unused, void *block, size_t size)
{
    (void)unused;
    return memory_resize(block, size);
}

static void release(void *unused, void *block)
{
    (void)unused;
    memory_free(block);
}

int py_isolate_is_possible(void)
{
    return py.PyMem_SetAllocator != NULL;
}

void py_isolate(void)
{
    struct py_allocator allocator = {NULL, allocate, allocate_zeroed, resize, release};
    for (int domain = 0; domain < DOMAIN_COUNT; domain++)
        py.PyMem_SetAllocator(domain, &allocator);
}
