/* SPDX-License-Identifier: MIT
 *
 * The way from a root to one object, shortened for a vote.
 */
#ifndef MEMPROF_PY_TRAIL_H
#define MEMPROF_PY_TRAIL_H

#include "retention/py_ancestry.h"
#include "retention/vote.h"

/* Writes the holders of `object`, which has the number `path->object`, from the root's entry of
 * `parents` on. The object itself comes last where it has a name of its own in its holder, as an
 * attribute has. Of a structure of many like nodes only the head is left, and `is_linked` is set.
 * No more than `*steps` holders are looked at, which is lowered by as many; false when that was not
 * enough. Runs no Python code. GIL. */
bool py_trail_follow(struct vote_path *path, const struct py_ancestry *ancestry, uint64_t *steps);

/* Ends every path at the head of a linked structure that another one ends at. */
void py_trail_cut(struct vote_path *paths, uint32_t count);

#endif
