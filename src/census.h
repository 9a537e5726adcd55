/* SPDX-License-Identifier: MIT
 *
 * How many objects of each class there are, and how large they are together.
 */
#ifndef MEMPROF_CENSUS_H
#define MEMPROF_CENSUS_H

#include <stddef.h>
#include <stdint.h>

struct census_entry {
    const void *class; /* identity of the class, NULL in a free slot */
    uint64_t count;
    uint64_t bytes;
    uint32_t note; /* the caller's own, 0 at first */
};

/* Open addressing, a power of two of slots. Zero is the empty census. */
struct census {
    struct census_entry *slots;
    size_t slot_count;
    size_t class_count;
};

/* The entry of `class`, made with zeros at its first sight; `is_new` tells. Valid until a
 * class is new again. NULL when out of memory; the census stays as it was. */
struct census_entry *census_find(struct census *census, const void *class, int *is_new);

void census_clear(struct census *census);

#endif
