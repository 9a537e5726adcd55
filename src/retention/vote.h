/* SPDX-License-Identifier: MIT
 *
 * Which holders the objects of a sample have in common. Each object has a path of holders, from the
 * root to the one that refers to it; a group is of objects whose paths begin alike, up to the
 * holder where they fan out.
 */
#ifndef MEMPROF_VOTE_H
#define MEMPROF_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOTE_DEPTH_LIMIT 48

struct vote_path {
    uint32_t nodes[VOTE_DEPTH_LIMIT]; /* whatever names a holder, the root's first */
    uint32_t length;                  /* at least 1 */
    uint32_t rooted;                  /* the first nodes that are no place to fan out from */
    uint32_t place;                   /* set by vote_count(): among the paths as given */
    uint32_t object;                  /* the caller's own */
    bool is_linked, is_below;         /* the caller's own */
};

struct vote_group {
    uint32_t begin;  /* where its paths stand from now on, one behind the other */
    uint32_t first;  /* the one of them that was given first */
    uint32_t count;  /* of paths in it */
    uint32_t shared; /* how many nodes they have in common; the last one is where they fan out */
};

/* Counts votes: writes at most `limit` groups, the largest first, of equal ones that with the path
 * given first, and returns how many; what is in
 * none of them are small ones. Paths of no group in common are told apart where a few ways go on
 * with a tenth of the paths each; where there are many ways, that is where they fan out. Reorders
 * the paths. */
size_t vote_count(struct vote_path *paths, uint32_t count, struct vote_group *groups, size_t limit);

#endif
