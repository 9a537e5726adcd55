/* SPDX-License-Identifier: MIT
 *
 * Objects counted and sized by class, one after the other.
 */
#ifndef MEMPROF_PY_TALLY_H
#define MEMPROF_PY_TALLY_H

#include "census.h"
#include "py_size.h"
#include "snapshot.h"

#include <stdbool.h>
#include <string.h>

struct py_tally_deferred;

/* Where a walk goes on, if it does so in two places at once. */
enum py_tally_end { PY_TALLY_FRONT, PY_TALLY_BACK, PY_TALLY_END_COUNT };

/* Zero and `type_offset` is the empty tally. In a twin nothing may be referenced, because that
 * would copy its page, and no Python code runs. Elsewhere every class is referenced from its first
 * sight on. */
struct py_tally {
    size_t type_offset; /* of ob_type in an object */
    bool is_in_twin;
    /* Objects of one kind are often made in a row. NULL when the entries have moved. */
    struct census_entry *last[PY_TALLY_END_COUNT];
    struct census census; /* an entry's note is the index of its class's plan */
    struct py_size_plan *plans;
    size_t plan_count, plan_capacity;
    struct py_tally_deferred *deferred;
    size_t deferred_count, deferred_capacity;
};

/* The entry of an object's class, planned. Runs no Python code. NULL when out of memory. GIL. */
struct census_entry *py_tally_entry(struct py_tally *tally, PyObject *class, PyObject *object);

/* References an object, and its class, to be sized later. 0, or -1 when out of memory. GIL. */
int py_tally_defer(struct py_tally *tally, PyObject *object, PyObject *class);

/* Sizes what is left to be sized: a __sizeof__ written in Python runs. GIL. */
void py_tally_size_deferred(struct py_tally *tally);

/* The bytes of all. */
uint64_t py_tally_bytes(const struct py_tally *tally);

/* Adds every class with its name. 0, or -1 when out of memory. GIL. */
int py_tally_name(const struct py_tally *tally, struct snapshot *snapshot);

void py_tally_clear(struct py_tally *tally);

/* Counts an object. One whose size only Python code can tell is deferred. Runs no Python code. 0,
 * or -1 when out of memory. GIL. */
static inline int py_tally_add_at(struct py_tally *tally, enum py_tally_end end, PyObject *object)
{
    struct census_entry *entry = tally->last[end];
    PyObject *class;
    memcpy(&class, (const char *)object + tally->type_offset, sizeof(class));
    if (entry == NULL || entry->class != class)
        entry = tally->last[end] = py_tally_entry(tally, class, object);
    if (entry == NULL)
        return -1;
    entry->count++;
    const struct py_size_plan *plan = &tally->plans[entry->note];
    if (plan->method == PY_SIZE_COUNTED)
        entry->bytes += py_size_counted(plan, object);
    else if (plan->method != PY_SIZE_GENERAL)
        entry->bytes += py_size_planned(plan, object);
    else if (py_tally_defer(tally, object, class) != 0)
        return -1;
    return 0;
}

#endif
