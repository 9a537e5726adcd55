/* SPDX-License-Identifier: MIT
 *
 * A chain of references as the expression that an engineer would type.
 */
#ifndef MEMPROF_PY_EXPRESSION_H
#define MEMPROF_PY_EXPRESSION_H

#include "retention/py_ancestry.h"
#include "text.h"

/* Appends `__main__.bot.seen[*]`: the root that `root` says (an entry of an ancestry's parents),
 * which is objects[0] or refers to it, and the references from one of `count` objects to the next;
 * behind the first `fan` of them `[*]` stands for whichever item of a container. Without objects it
 * is the kind of root alone. At most about 500 bytes. As py_edge_add_all() in everything else. */
void py_expression_add(struct text *text, const struct py_ancestry *ancestry, uint32_t root,
                       PyObject *const *objects, size_t count, size_t fan);

#endif
