/* SPDX-License-Identifier: MIT
 *
 * A newly tracked object is linked at the tail of the youngest list, so its `next` is the address
 * of that list's head. The heads stand in an array of struct gc_generation {PyGC_Head, int
 * threshold, int count}: `generations[3]` in 3.8 to 3.13 and from 3.14.5 on, `young, old[2]`
 * in 3.14.0 to 3.14.4 (Include/internal/pycore_gc.h, pycore_interp_structs.h). Nothing is believed
 * before it is checked.
 */
#include "py_generations.h"

#include <string.h>

struct generation {
    struct py_gc_head head;
    int threshold;
    int count;
};

/* PyObject without and with the two links of a build that traces references. */
static const size_t type_offsets[] = {8, 24};

static bool is_free_threaded(void)
{
    PyObject *sys = py.PyImport_ImportModule("sys");
    PyObject *flags = sys != NULL ? py_attribute(sys, "abiflags") : NULL;
    ssize_t size = 0;
    const char *text = flags != NULL ? py.PyUnicode_AsUTF8AndSize(flags, &size) : NULL;
    bool answer = text == NULL || strchr(text, 't') != NULL;
    py_clear_error();
    py_release(sys);
    py_release(flags);
    return answer;
}

static bool find_type_offset(struct py_generations *generations, PyObject *object)
{
    PyObject *class = py.PyObject_Type(object);
    for (size_t i = 0; i < sizeof(type_offsets) / sizeof(type_offsets[0]); i++) {
        void *word;
        memcpy(&word, (const char *)object + type_offsets[i], sizeof(word));
        if (word == class) {
            generations->type_offset = type_offsets[i];
            py_release(class);
            return true;
        }
    }
    py_release(class);
    return false;
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

/* Objects in a list, or -1 where it does not close within `limit` steps. */
static ssize_t count_list(const struct py_gc_head *head, ssize_t limit)
{
    ssize_t count = 0;
    const struct py_gc_head *at = py_gc_next(head);
    for (; at != NULL && at != head && count <= limit; at = py_gc_next(at))
        count++;
    return at == head ? count : -1;
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

enum py_generations_result py_generations_find(struct py_generations *generations, PyObject *gc)
{
    if (is_free_threaded())
        return PY_GENERATIONS_NONE;
    PyObject *newest = py.PyList_New(0);
    py_clear_error();
    if (newest == NULL || !find_type_offset(generations, newest)) {
        py_release(newest);
        return PY_GENERATIONS_UNKNOWN;
    }
    const struct py_gc_head *linked = (const struct py_gc_head *)(const void *)newest - 1;
    struct generation *first = (struct generation *)(void *)py_gc_next(linked);
    py_release(newest);
    if (first == NULL || !thresholds_agree(gc, first) || !counts_agree(gc, first))
        return PY_GENERATIONS_UNKNOWN;
    for (int i = 0; i < PY_GENERATION_COUNT; i++)
        generations->heads[i] = &first[i].head;
    return PY_GENERATIONS_FOUND;
}
