/* SPDX-License-Identifier: MIT
 *
 * tp_dict is that of a heap type only: those of static types may stand elsewhere, and nothing but
 * CPython puts anything there.
 */
#include "py_namespace.h"

#include "py_graph.h"

static size_t offset; /* of ob_type; 0 where nothing is proven */

static void *field_of(const PyObject *object, size_t place)
{
    void *word;
    memcpy(&word, py_graph_field(object, offset + place), sizeof(word));
    return word;
}

void py_namespace_begin(size_t type_offset)
{
    offset = type_offset;
    PyObject *module = py_module_if_ready("_frozen_importlib");
    PyObject *class = module != NULL ? py_attribute(module, "ModuleSpec") : NULL;
    PyObject *line = class != NULL ? py_attribute(class, "__mro__") : NULL;
    PyObject *method = class != NULL ? py_attribute(class, "__init__") : NULL;
    PyObject *dict = class != NULL ? field_of(class, PY_TP_DICT_OFFSET) : NULL;
    if (line == NULL || method == NULL || dict == NULL ||
        field_of(class, PY_TP_MRO_OFFSET) != line || field_of(dict, 0) != py.PyDict_Type ||
        py_dict_item(dict, "__init__") != method)
        offset = 0;
    py_release(class);
    py_release(line);
    py_release(method);
}

PyObject *py_namespace_of(PyObject *class)
{
    static const unsigned long HEAP_TYPE = 1ul << 9;
    bool is_known = offset != 0 && (py.PyType_GetFlags(class) & HEAP_TYPE) != 0;
    return is_known ? field_of(class, PY_TP_DICT_OFFSET) : NULL;
}

static bool keys_are_text(PyObject *dict)
{
    PyObject *key, *value;
    ssize_t position = 0;
    while (py.PyDict_Next(dict, &position, &key, &value)) {
        if (py_class_of(key) != py.PyUnicode_Type)
            return false;
    }
    return true;
}

bool py_namespace_is_text(PyObject *class)
{
    PyObject *line = offset != 0 ? field_of(class, PY_TP_MRO_OFFSET) : NULL;
    ssize_t count = line != NULL ? py.PySequence_Size(line) : 0;
    for (ssize_t i = 0; i < count; i++) {
        PyObject *dict = py_namespace_of(py.PyTuple_GetItem(line, i));
        if (dict != NULL && !keys_are_text(dict))
            return false;
    }
    return true;
}
