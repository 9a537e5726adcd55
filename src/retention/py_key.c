/* SPDX-License-Identifier: MIT
 *
 * Only objects whose class is exactly a builtin one are asked for their repr(); everything else is
 * told by its class, or is a member of an Enum, which stands in its instance's dict.
 */
#include "retention/py_key.h"

#include "memory.h"
#include "py_name.h"

#include <stdbool.h>
#include <string.h>

enum { CHARACTER_LIMIT = 40, ITEM_LIMIT = 4 };

static void add_class(struct text *text, PyObject *class)
{
    char *name = py_class_name(class);
    text_add(text, "<%s>", name != NULL ? name : "?");
    memory_free(name);
}

/* The repr() of an object of a builtin class, shortened before its last `tail` bytes. */
static bool add_repr(struct text *text, PyObject *object, bool is_cut, size_t tail)
{
    PyObject *repr = py.PyObject_Repr(object);
    ssize_t size = 0;
    const char *bytes = repr != NULL ? py.PyUnicode_AsUTF8AndSize(repr, &size) : NULL;
    bool is_known = bytes != NULL && (size_t)size >= tail;
    if (is_known) {
        size_t head = (size_t)size - (is_cut ? tail : 0);
        text_add_bytes(text, bytes, head);
        if (is_cut) {
            text_add(text, "...");
            text_add_bytes(text, bytes + head, tail);
        }
    }
    py_clear_error();
    py_release(repr);
    return is_known;
}

static bool add_string(struct text *text, PyObject *string)
{
    bool is_cut = py.PyUnicode_GetLength(string) > CHARACTER_LIMIT;
    PyObject *shown = py.PyUnicode_Substring(string, 0, CHARACTER_LIMIT);
    bool is_known = shown != NULL && add_repr(text, shown, is_cut, 1);
    py_clear_error();
    py_release(shown);
    return is_known;
}

static bool add_integer(struct text *text, PyObject *integer)
{
    /* repr() of a large one takes time in the square of its length. */
    long value = py.PyLong_AsLong(integer);
    if (py_clear_error())
        return false;
    text_add(text, "%ld", value);
    return true;
}

/* Told by the class of the class: nothing is looked up in dicts of the program. */
static bool is_enum(PyObject *class)
{
    PyObject *module = py_dict_item(py.PyImport_GetModuleDict(), "enum");
    if (module == NULL || py_class_of(module) != py.PyModule_Type)
        return false;
    PyObject *meta = py_dict_item(py.PyModule_GetDict(module), "EnumMeta");
    return meta != NULL && py.PyType_IsSubtype(py_class_of(meta), py.PyType_Type) &&
           py.PyType_IsSubtype(py_class_of(class), meta);
}

static bool add_member(struct text *text, PyObject *key)
{
    PyObject *class = py_class_of(key);
    PyObject *dict = is_enum(class) ? py.PyObject_GenericGetDict(key, NULL) : NULL;
    PyObject *name = dict != NULL ? py_dict_item(dict, "_name_") : NULL;
    bool is_member = name != NULL && py_class_of(name) == py.PyUnicode_Type;
    char *class_name = is_member ? py_class_name(class) : NULL;
    if (class_name != NULL) {
        text_add_bytes(text, class_name, strlen(class_name));
        text_add(text, ".");
        py_name_add(text, name);
    }
    py_clear_error();
    memory_free(class_name);
    py_release(dict);
    return class_name != NULL;
}

static bool add_plain(struct text *text, PyObject *key)
{
    PyObject *class = py_class_of(key);
    if (class == py.PyUnicode_Type)
        return add_string(text, key);
    if (class == py.PyLong_Type)
        return add_integer(text, key);
    if (class == py.PyBytes_Type)
        return py.PySequence_Size(key) <= CHARACTER_LIMIT && add_repr(text, key, false, 0);
    if (class == py.PyBool_Type || class == py.PyFloat_Type || key == py._Py_NoneStruct)
        return add_repr(text, key, false, 0);
    return add_member(text, key);
}

static bool add_tuple(struct text *text, PyObject *tuple)
{
    ssize_t count = py.PySequence_Size(tuple);
    if (count == 0 || count > ITEM_LIMIT)
        return false;
    text_add(text, "(");
    for (ssize_t i = 0; i < count; i++) {
        PyObject *item = py.PyTuple_GetItem(tuple, i);
        if (i > 0)
            text_add(text, ", ");
        if (item != NULL && !add_plain(text, item))
            add_class(text, py_class_of(item));
    }
    text_add(text, count == 1 ? ",)" : ")");
    return true;
}

void py_key_add(struct text *text, PyObject *key)
{
    PyObject *class = py_class_of(key);
    bool is_known = class == py.PyTuple_Type ? add_tuple(text, key) : add_plain(text, key);
    if (!is_known)
        add_class(text, class);
    py_clear_error();
}

int py_key_is_identifier(PyObject *name)
{
    return py_class_of(name) == py.PyUnicode_Type && py.PyUnicode_IsIdentifier(name) == 1;
}
