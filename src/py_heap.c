/* SPDX-License-Identifier: MIT
 *
 * The list that gc.get_objects() returns holds a reference to every object, so nothing dies while
 * Python code of a __sizeof__ runs; each class is referenced from its first sight until its name
 * has been read, because that code may give its last instance another class.
 */
#include "py_heap.h"

#include "census.h"
#include "py_name.h"
#include "py_size.h"

static PyObject *collect_function;
static PyObject *get_objects_function;

int py_heap_begin(void)
{
    if (get_objects_function == NULL) {
        PyObject *gc = py.PyImport_ImportModule("gc");
        if (gc != NULL) {
            collect_function = py_attribute(gc, "collect");
            get_objects_function = py_attribute(gc, "get_objects");
        }
        py_release(gc);
        py_clear_error();
    }
    if (collect_function == NULL || get_objects_function == NULL)
        return -1;
    return py_size_begin() == 0 && py_name_begin() == 0 ? 0 : -1;
}

static int count_object(struct census *census, PyObject *object)
{
    int is_new;
    PyObject *class = py.PyObject_Type(object);
    struct census_entry *entry = census_find(census, class, &is_new);
    if (entry == NULL || !is_new)
        py.Py_DecRef(class);
    if (entry == NULL)
        return -1;
    entry->count++;
    entry->bytes += py_size_of(object);
    return 0;
}

static int count_objects(struct census *census, PyObject *objects)
{
    ssize_t count = py.PyList_Size(objects);
    for (ssize_t i = 0; i < count; i++) {
        if (count_object(census, py.PyList_GetItem(objects, i)) != 0)
            return -1;
    }
    return 0;
}

static int name_classes(struct snapshot *snapshot, const struct census *census)
{
    for (size_t i = 0; i < census->slot_count; i++) {
        const struct census_entry *entry = &census->slots[i];
        if (entry->class == NULL)
            continue;
        char *name = py_class_name((PyObject *)entry->class);
        if (name == NULL || snapshot_add(snapshot, name, entry->count, entry->bytes) != 0)
            return -1;
    }
    return 0;
}

static void release_classes(const struct census *census)
{
    for (size_t i = 0; i < census->slot_count; i++)
        py_release((PyObject *)census->slots[i].class);
}

int py_heap_count(struct snapshot *snapshot, int collect)
{
    if (collect)
        py_release(py.PyObject_CallFunctionObjArgs(collect_function, NULL));
    py_clear_error();
    PyObject *objects = py.PyObject_CallFunctionObjArgs(get_objects_function, NULL);
    py_clear_error();
    if (objects == NULL)
        return -1;
    struct census census = {0};
    int status = count_objects(&census, objects);
    if (status == 0)
        status = name_classes(snapshot, &census);
    py.Py_DecRef(objects);
    release_classes(&census);
    census_clear(&census);
    return status;
}
