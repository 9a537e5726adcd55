/* SPDX-License-Identifier: MIT
 *
 * Which node each anchor of a document names at this point of reading it. */
#ifndef MEMPROF_ANCHORS_H
#define MEMPROF_ANCHORS_H

#include <stddef.h>

struct anchor {
    char *name; /* NULL in a free slot */
    int node;
};

/* Zero-initialise it. */
struct anchors {
    struct anchor *slots;
    size_t count;
    size_t capacity; /* 0 or a power of two */
};

/* Takes over name (malloc'ed) in any case. A known name is redefined. Returns -1 when out of
 * memory. */
int anchors_set(struct anchors *anchors, char *name, int node);

/* Returns -1 when no such anchor came before. */
int anchors_find(const struct anchors *anchors, const char *name);

void anchors_destroy(struct anchors *anchors);

#endif
