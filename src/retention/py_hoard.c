/* SPDX-License-Identifier: MIT
 *
 * What several hold counts for the oldest of them: what is shared, as names are, is no growth. The
 * dict of interned strings holds none of them (its references are not counted:
 * _PyUnicode_InternMortal of Objects/unicodeobject.c); it is tracked from 3.14 on, as all dicts
 * are.
 */
#include "retention/py_hoard.h"

#include "py_untracked.h"
#include "retention/py_wanted.h"

struct scan {
    struct py_hoard *hoards;
    const struct py_ancestry *ancestry;
    struct py_wanted wanted;
    struct py_untracked untracked;
    PyObject *object; /* that is followed */
    int list;
};

/* The holder that was asked has been. */
static void settle(struct py_hoard *hoard)
{
    struct py_sampled sampled = hoard->current;
    uint64_t count = hoard->current_count;
    if (count == 0)
        return;
    hoard->last[hoard->list][hoard->seen[hoard->list]++ % PY_SAMPLE_SIZE] = sampled;
    hoard->objects += count;
    hoard->current_count = 0;
    for (size_t i = 0; i < PY_HOARD_LIMIT; i++) {
        if (count <= hoard->counts[i])
            continue;
        uint64_t less = hoard->counts[i];
        struct py_sampled smaller = hoard->most[i];
        hoard->counts[i] = count;
        hoard->most[i] = sampled;
        count = less;
        sampled = smaller;
    }
}

static struct py_sampled sampled_at(const struct scan *scan, PyObject *object)
{
    const struct py_untracked *untracked = &scan->untracked;
    struct py_sampled sampled = {.object = scan->object};
    size_t count = 0;
    if (untracked->item != NULL)
        sampled.below[count++] = untracked->item;
    if (untracked->item != NULL && untracked->referrer != untracked->item)
        sampled.below[count++] = untracked->referrer;
    sampled.below[count] = object;
    return sampled;
}

static int add(void *context, PyObject *object)
{
    struct scan *scan = context;
    if (py_wanted_find(&scan->wanted, py_graph_class(scan->ancestry->graph, object)) != 0)
        return -1;
    if (scan->wanted.last_place == PY_WANTED_NONE)
        return 0;
    struct py_hoard *hoard = &scan->hoards[scan->wanted.last_place];
    const PyObject *item = scan->untracked.item;
    if (hoard->holder != (item != NULL ? item : scan->object))
        settle(hoard);
    hoard->holder = item != NULL ? item : scan->object;
    hoard->current = sampled_at(scan, object);
    hoard->current_count++;
    hoard->list = scan->list;
    return 0;
}

/* Each string is there as its own key. */
static bool is_of_interned(PyObject *object)
{
    PyObject *key, *value;
    ssize_t position = 0;
    return py_class_of(object) == py.PyDict_Type &&
           py.PyDict_Next(object, &position, &key, &value) && key == value;
}

static int follow_list(struct scan *scan, const struct py_gc_head *head)
{
    const struct py_ancestry *ancestry = scan->ancestry;
    for (struct py_gc_head *at = py_gc_next(head); at != head; at = py_gc_next(at)) {
        scan->object = py_gc_object(at);
        uint32_t number = py_graph_number(ancestry->graph, scan->object);
        if (number == PY_GRAPH_NONE || ancestry->parents[number] == PY_ANCESTRY_NONE)
            continue;
        bool is_of_c = ancestry->parents[number] == (PY_ANCESTRY_ROOT | PY_ROOT_OUTSIDE);
        if (!(is_of_c && is_of_interned(scan->object)) &&
            py_untracked_follow(&scan->untracked, scan->object) != 0)
            return -1;
    }
    return 0;
}

int py_hoard_take(struct py_hoard *hoards, const struct held_wish *wishes, size_t count,
                  const struct py_ancestry *ancestry, const struct py_generations *generations)
{
    struct scan scan = {.hoards = hoards, .ancestry = ancestry};
    int status = 0;
    scan.wanted = (struct py_wanted){.wishes = wishes, .count = count};
    scan.untracked = (struct py_untracked){.graph = ancestry->graph, .meet = add, .context = &scan};
    for (scan.list = PY_GENERATION_COUNT; scan.list-- > 0 && status == 0;)
        status = follow_list(&scan, generations->heads[scan.list]);
    for (size_t i = 0; i < count; i++)
        settle(&hoards[i]);
    py_untracked_clear(&scan.untracked);
    py_wanted_clear(&scan.wanted);
    return status;
}

uint32_t py_hoard_newest(const struct py_hoard *hoard, const struct held_wish *wish,
                         struct py_sampled *objects)
{
    uint32_t count = 0, limit = py_sample_limit(wish);
    for (int list = 0; list < PY_GENERATION_COUNT; list++) {
        uint64_t kept = hoard->seen[list] < PY_SAMPLE_SIZE ? hoard->seen[list] : PY_SAMPLE_SIZE;
        for (uint64_t i = 0; i < kept && count < limit; i++)
            objects[count++] = hoard->last[list][(hoard->seen[list] - 1 - i) % PY_SAMPLE_SIZE];
    }
    return count;
}
