/* SPDX-License-Identifier: MIT
 *
 * A newly tracked object is linked at the tail of the youngest list, so its `next` is the address
 * of that list's head. The heads stand in an array of struct gc_generation {PyGC_Head, int
 * threshold, int count}: `generations[3]` in 3.8 to 3.13 and from 3.14.5 on, `young, old[2]`
 * in 3.14.0 to 3.14.4 (Include/internal/pycore_gc.h, pycore_interp_structs.h).
 * What gc.freeze() sets aside is in one more such struct behind them, `permanent_generation`; up to
 * 3.13 a pointer to the first of them stands between, `generation0`. Nothing is believed before it
 * is checked, and no address that is not yet proven is followed before the kernel has been asked.
 */
#include "py_generations.h"

#include "mapping.h"

#include <string.h>

struct generation {
    struct py_gc_head head;
    int threshold;
    int count;
};

/* PyObject without and with the two links of a build that traces references; free-threaded builds
 * have other things before ob_type, of the same size. */
static const size_t type_offsets[] = {8, 24};

static void *word_at(PyObject *object, size_t offset)
{
    void *word;
    memcpy(&word, (const char *)object + offset, sizeof(word));
    return word;
}

static bool has_type_at(PyObject *object, size_t offset)
{
    PyObject *class = py.PyObject_Type(object);
    bool answer = word_at(object, offset) == (void *)class;
    py_release(class);
    return answer;
}

/* ob_size of PyVarObject (Include/object.h) follows ob_type. */
static bool has_size_behind(size_t offset, ssize_t size)
{
    PyObject *tuple = py.PyTuple_New(size);
    py_clear_error();
    bool answer = tuple != NULL && (ssize_t)word_at(tuple, offset + sizeof(void *)) == size;
    py_release(tuple);
    return answer;
}

/* Where ob_type stands in objects of several classes, 0 where that is not known. */
static size_t find_type_offset(PyObject *list)
{
    PyObject *const known[] = {list, py.PyList_Type, py.PyType_Type, py._Py_NoneStruct};
    for (size_t i = 0; i < sizeof(type_offsets) / sizeof(type_offsets[0]); i++) {
        size_t offset = type_offsets[i], agreeing = 0;
        while (agreeing < sizeof(known) / sizeof(known[0]) && has_type_at(known[agreeing], offset))
            agreeing++;
        if (agreeing == sizeof(known) / sizeof(known[0]) && has_size_behind(offset, 3) &&
            has_size_behind(offset, 5))
            return offset;
    }
    return 0;
}

/* The first `count` thresholds of gc.get_threshold(). */
static bool read_thresholds(PyObject *gc, long *thresholds, int count)
{
    PyObject *function = py_attribute(gc, "get_threshold");
    PyObject *tuple = function != NULL ? py.PyObject_CallFunctionObjArgs(function, NULL) : NULL;
    bool complete = tuple != NULL;
    for (int i = 0; complete && i < count; i++) {
        PyObject *index = py.PyLong_FromLongLong(i);
        PyObject *item = index != NULL ? py.PyObject_GetItem(tuple, index) : NULL;
        thresholds[i] = py_integer(item, -1);
        complete = thresholds[i] >= 0;
        py_release(index);
    }
    py_clear_error();
    py_release(function);
    py_release(tuple);
    return complete;
}

/* 3.14.0 to 3.14.4 report 0 for the third, whatever stands there: two are compared. */
static bool thresholds_agree(PyObject *gc, const struct generation *first)
{
    long thresholds[2];
    return read_thresholds(gc, thresholds, 2) && first[0].threshold == thresholds[0] &&
           first[1].threshold == thresholds[1];
}

/* The head and its two neighbours can be read, and these link back to it. */
static bool is_list(const struct py_gc_head *head)
{
    if (!mapping_is_readable(head, sizeof(*head)))
        return false;
    const struct py_gc_head *next = py_gc_next(head), *previous = py_gc_previous(head);
    return mapping_is_readable(next, sizeof(*next)) && py_gc_previous(next) == head &&
           mapping_is_readable(previous, sizeof(*previous)) && py_gc_next(previous) == head;
}

/* Objects in a list, or -1 where it is none, does not close within `limit` steps, or a link back
 * leads elsewhere than the link to it came from. */
static ssize_t count_list(const struct py_gc_head *head, ssize_t limit)
{
    if (!is_list(head))
        return -1;
    ssize_t count = 0;
    const struct py_gc_head *from = head, *at = py_gc_next(head);
    for (; at != head && py_gc_previous(at) == from && count <= limit; count++) {
        from = at;
        at = py_gc_next(at);
    }
    return at == head && py_gc_previous(head) == from ? count : -1;
}

static bool counts_agree(PyObject *gc, const struct generation *first)
{
    PyObject *function = py_attribute(gc, "get_objects");
    PyObject *objects = function != NULL ? py.PyObject_CallFunctionObjArgs(function, NULL) : NULL;
    ssize_t expected = objects != NULL ? py.PyList_Size(objects) : -1;
    py_clear_error();
    py_release(function);
    py_release(objects);
    ssize_t total = 0;
    for (int i = 0; expected >= 0 && i < PY_GENERATION_COUNT; i++) {
        ssize_t count = count_list(&first[i].head, expected);
        if (count < 0)
            return false;
        total += count;
    }
    return expected > 0 && total == expected;
}

/* Behind the lists, or behind the pointer there is to the first. Debian's 3.13 aligns heads to four
 * bytes, so that there may be a gap before the pointer. */
static struct generation *find_permanent(struct generation *first)
{
    struct generation *end = first + PY_GENERATION_COUNT;
    uintptr_t aligned = ((uintptr_t)end + sizeof(void *) - 1) & ~(uintptr_t)(sizeof(void *) - 1);
    struct generation **generation0 = (struct generation **)aligned;
    if (!mapping_is_readable(end, 2 * sizeof(void *) + sizeof(*end)))
        return NULL;
    return *generation0 == first ? (struct generation *)(void *)(generation0 + 1) : end;
}

/* CPython never counts there, and has no threshold for it. */
static struct py_gc_head *find_frozen(PyObject *gc, struct generation *first)
{
    PyObject *function = py_attribute(gc, "get_freeze_count");
    long expected = -1;
    if (function != NULL)
        expected = py_integer(py.PyObject_CallFunctionObjArgs(function, NULL), -1);
    py_clear_error();
    py_release(function);
    struct generation *permanent = expected >= 0 ? find_permanent(first) : NULL;
    if (permanent == NULL || permanent->threshold != 0 || permanent->count != 0)
        return NULL;
    return count_list(&permanent->head, expected) == expected ? &permanent->head : NULL;
}

static struct generation *find_youngest(PyObject *gc, PyObject *newest)
{
    const struct py_gc_head *linked = (const struct py_gc_head *)(const void *)newest - 1;
    struct generation *first = (struct generation *)(void *)py_gc_next(linked);
    if (!mapping_is_readable(first, PY_GENERATION_COUNT * sizeof(*first)))
        return NULL;
    return thresholds_agree(gc, first) && counts_agree(gc, first) ? first : NULL;
}

enum py_generations_result py_generations_find(struct py_generations *generations, PyObject *gc)
{
    struct generation *first = NULL;
    PyObject *newest = py.PyList_New(0);
    py_clear_error();
    generations->type_offset = newest != NULL ? find_type_offset(newest) : 0;
    bool no_lists = generations->type_offset != 0 && py_is_free_threaded();
    if (generations->type_offset != 0 && !no_lists)
        first = find_youngest(gc, newest);
    py_release(newest);
    for (int i = 0; first != NULL && i < PY_GENERATION_COUNT; i++)
        generations->heads[i] = &first[i].head;
    generations->frozen = first != NULL ? find_frozen(gc, first) : NULL;
    if (no_lists)
        return PY_GENERATIONS_NONE;
    return first != NULL ? PY_GENERATIONS_FOUND : PY_GENERATIONS_UNKNOWN;
}
