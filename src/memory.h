/* SPDX-License-Identifier: MIT
 *
 * Memory that is also to be had in a copy of a process that was made while other threads ran: there
 * malloc() may wait for ever on a lock that one of them held.
 */
#ifndef MEMPROF_MEMORY_H
#define MEMPROF_MEMORY_H

#include <stddef.h>

/* The functions below are malloc(), calloc(), realloc() and free(). */
void *memory_allocate(size_t size);
void *memory_allocate_zeroed(size_t count, size_t size);
void *memory_resize(void *block, size_t size);
void memory_free(void *block);

/* Room for one more item of `size` bytes in an array that has `count` of them. Returns the array,
 * moved perhaps, or NULL when out of memory: then it stays as it was. */
void *memory_room(void *array, size_t count, size_t *capacity, size_t size);

/* From now on all of them use mappings of their own and neither locks nor pages that are shared
 * with the process copied from. What malloc() gave before is never freed, and cannot be resized:
 * memory_resize() gives NULL. Cannot be undone: for a process that is to end soon. */
void memory_isolate(void);

#endif
