/* SPDX-License-Identifier: MIT
 *
 * Every class is referenced from its first sight until its name has been read, because code that
 * sizes objects may give a class's last instance another class; but not in a twin, where none can
 * die and a reference would copy its page.
 */
#include "py_tally.h"

#include "memory.h"
#include "py_name.h"

#include <string.h>

/* An object to be sized later, and the class it was counted under. Both referenced. */
struct py_tally_deferred {
    PyObject *object;
    PyObject *class;
};

static int plan_class(struct py_tally *tally, struct census_entry *entry, PyObject *example)
{
    struct py_size_plan *plans =
        memory_room(tally->plans, tally->plan_count, &tally->plan_capacity, sizeof(*plans));
    if (plans == NULL)
        return -1;
    PyObject *class = (PyObject *)entry->class;
    tally->plans = plans;
    plans[tally->plan_count] = py_size_plan(class, example, tally->type_offset);
    if (tally->is_in_twin && plans[tally->plan_count].method == PY_SIZE_GENERAL)
        plans[tally->plan_count] = py_size_plan_without_python(class, example, tally->type_offset);
    entry->note = (uint32_t)tally->plan_count++;
    return 0;
}

int py_tally_defer(struct py_tally *tally, PyObject *object, PyObject *class)
{
    struct py_tally_deferred *deferred = memory_room(tally->deferred, tally->deferred_count,
                                                     &tally->deferred_capacity, sizeof(*deferred));
    if (deferred == NULL)
        return -1;
    py.Py_IncRef(object);
    py.Py_IncRef(class);
    tally->deferred = deferred;
    deferred[tally->deferred_count++] = (struct py_tally_deferred){object, class};
    return 0;
}

struct census_entry *py_tally_entry(struct py_tally *tally, PyObject *class, PyObject *object)
{
    int is_new;
    struct census_entry *entry = census_find(&tally->census, class, &is_new);
    if (entry != NULL && is_new) {
        memset(tally->last, 0, sizeof(tally->last));
        if (!tally->is_in_twin)
            py.Py_IncRef(class);
        if (plan_class(tally, entry, object) != 0)
            return NULL;
    }
    return entry;
}

void py_tally_size_deferred(struct py_tally *tally)
{
    for (size_t i = 0; i < tally->deferred_count; i++) {
        int is_new;
        struct py_tally_deferred *deferred = &tally->deferred[i];
        uint64_t bytes = py_size_of(deferred->object);
        struct census_entry *entry = census_find(&tally->census, deferred->class, &is_new);
        if (entry != NULL)
            entry->bytes += bytes;
        py.Py_DecRef(deferred->object);
        py.Py_DecRef(deferred->class);
    }
    tally->deferred_count = 0;
}

uint64_t py_tally_bytes(const struct py_tally *tally)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < tally->census.slot_count; i++)
        bytes += tally->census.slots[i].class != NULL ? tally->census.slots[i].bytes : 0;
    return bytes;
}

int py_tally_name(const struct py_tally *tally, struct snapshot *snapshot)
{
    for (size_t i = 0; i < tally->census.slot_count; i++) {
        const struct census_entry *entry = &tally->census.slots[i];
        if (entry->class == NULL)
            continue;
        char *name = py_class_name((PyObject *)entry->class);
        if (name == NULL || snapshot_add(snapshot, name, entry->count, entry->bytes) != 0)
            return -1;
    }
    return 0;
}

void py_tally_clear(struct py_tally *tally)
{
    for (size_t i = 0; i < tally->census.slot_count && !tally->is_in_twin; i++)
        py_release((PyObject *)tally->census.slots[i].class);
    census_clear(&tally->census);
    memory_free(tally->plans);
    memory_free(tally->deferred);
}
