/* SPDX-License-Identifier: MIT
 *
 * Who else defines malloc() defines all of its family, so one of them that is the C library's shows
 * that nobody has. A program of a fixed address may have entries of its own for some of them, which
 * stand for the library's and tell nothing.
 */
#include "allocator_stats.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

enum { CHEAP_MS = 5 };

/* struct mallinfo2 of malloc.h, which older and other C libraries do not declare. */
struct allocator_figures {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

struct allocator_figures mallinfo2(void) __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* Where the file that holds `address` is mapped. */
static const void *file_of(const void *address)
{
    Dl_info info;
    return dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

static bool is_glibc_in_charge(void)
{
    if (mallinfo2 == NULL || gnu_get_libc_version == NULL)
        return false;
    const void *libc = file_of((const void *)gnu_get_libc_version);
    const void *family[] = {(const void *)malloc, (const void *)calloc, (const void *)realloc,
                            (const void *)free};
    bool found = false;
    for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++)
        found |= file_of(family[i]) == libc;
    return found && libc != NULL && file_of((const void *)mallinfo2) == libc;
}

void allocator_stats_read(struct allocator_stats *stats)
{
    *stats = (struct allocator_stats){ALLOCATOR_STATS_UNKNOWN, ALLOCATOR_STATS_UNKNOWN};
    if (!is_glibc_in_charge())
        return;
    struct allocator_figures figures = mallinfo2();
    stats->used_bytes = figures.uordblks + figures.hblkhd;
    stats->free_bytes = figures.fordblks;
}

/* Of this thread: the walk, but not the wait for a lock or for a processor. */
static unsigned processor_ms(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (unsigned)(used.tv_sec * 1000 + used.tv_nsec / 1000000);
}

void allocator_stats_read_if_cheap(struct allocator_stats *stats)
{
    static unsigned passes; /* so many calls are to pass before the next one may take its time */
    if (passes > 0) {
        passes--;
        *stats = (struct allocator_stats){ALLOCATOR_STATS_UNKNOWN, ALLOCATOR_STATS_UNKNOWN};
        return;
    }
    unsigned start_ms = processor_ms();
    allocator_stats_read(stats);
    passes = (processor_ms() - start_ms) / CHEAP_MS;
}
