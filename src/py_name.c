/* SPDX-License-Identifier: MIT
 *
 * __module__ and __qualname__ are read through type's own getset descriptors, called with the class
 * as their subject: a metaclass that overrides them, or raises, is never asked. __module__ of a
 * class made by Python code stands in its namespace (py_namespace.h). An exact str is
 * made of what they return before any method of str is called on it, for the same reason.
 */
#include "py_name.h"

#include "py_namespace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static PyObject *module_getter; /* type.__dict__['__module__'].__get__ */
static PyObject *qualname_getter;
static PyObject *is_printable; /* str.isprintable */

int py_name_begin(void)
{
    module_getter = py_type_getter("__module__");
    qualname_getter = py_type_getter("__qualname__");
    if (module_getter == NULL || qualname_getter == NULL)
        return -1;
    is_printable = py_attribute(py.PyUnicode_Type, "isprintable");
    return is_printable != NULL ? 0 : -1;
}

void py_name_end(void)
{
    py_drop(&module_getter);
    py_drop(&qualname_getter);
    py_drop(&is_printable);
}

/* What the getter says of `class` as an exact str, NULL where it is anything else. */
static PyObject *string_of(PyObject *getter, PyObject *class)
{
    PyObject *value = py.PyObject_CallFunctionObjArgs(getter, class, NULL);
    PyObject *string = value != NULL ? py.PyUnicode_FromObject(value) : NULL;
    py_release(value);
    py_clear_error();
    return string;
}

static PyObject *module_of(PyObject *class)
{
    PyObject *dict = py_namespace_of(class);
    if (dict == NULL)
        return string_of(module_getter, class);
    PyObject *value = py_dict_item(dict, "__module__");
    PyObject *string = value != NULL ? py.PyUnicode_FromObject(value) : NULL;
    py_clear_error();
    return string;
}

static int printable(PyObject *string)
{
    return py_truth(py.PyObject_CallFunctionObjArgs(is_printable, string, NULL), 0);
}

static void add_string(struct text *text, PyObject *string)
{
    ssize_t size = 0;
    const char *bytes = py.PyUnicode_AsUTF8AndSize(string, &size);
    if (bytes != NULL)
        text_add_bytes(text, bytes, (size_t)size);
    py_clear_error();
}

/* One character as repr() writes it, without the quotes. */
static void add_escaped(struct text *text, PyObject *character)
{
    PyObject *quoted = py.PyObject_Repr(character);
    PyObject *bare = NULL;
    if (quoted != NULL)
        bare = py.PyUnicode_Substring(quoted, 1, py.PyUnicode_GetLength(quoted) - 1);
    if (bare != NULL)
        add_string(text, bare);
    py_release(quoted);
    py_release(bare);
    py_clear_error();
}

static void add_printable(struct text *text, PyObject *string)
{
    if (printable(string)) {
        add_string(text, string);
        return;
    }
    ssize_t length = py.PyUnicode_GetLength(string);
    for (ssize_t i = 0; i < length; i++) {
        PyObject *character = py.PyUnicode_Substring(string, i, i + 1);
        if (character == NULL)
            break;
        if (printable(character))
            add_string(text, character);
        else
            add_escaped(text, character);
        py.Py_DecRef(character);
    }
    py_clear_error();
}

static int is_builtins(PyObject *string)
{
    ssize_t size = 0;
    const char *bytes = py.PyUnicode_AsUTF8AndSize(string, &size);
    py_clear_error();
    return bytes != NULL && size == 8 && memcmp(bytes, "builtins", 8) == 0;
}

char *py_class_name(PyObject *class)
{
    struct text text = {0};
    PyObject *module = module_of(class);
    PyObject *qualname = string_of(qualname_getter, class);
    if (module == NULL)
        text_add(&text, "<unknown>.");
    else if (!is_builtins(module)) {
        add_printable(&text, module);
        text_add_bytes(&text, ".", 1);
    }
    if (qualname != NULL)
        add_printable(&text, qualname);
    else
        text_add(&text, "<unknown>");
    py_release(module);
    py_release(qualname);
    if (text.failed)
        text_clear(&text);
    return text.bytes;
}

int py_name_add(struct text *text, PyObject *string)
{
    enum { CHARACTER_LIMIT = 80 };
    PyObject *exact = py.PyUnicode_FromObject(string);
    py_clear_error();
    if (exact == NULL)
        return -1;
    bool is_long = py.PyUnicode_GetLength(exact) > CHARACTER_LIMIT;
    PyObject *shown = py.PyUnicode_Substring(exact, 0, CHARACTER_LIMIT);
    if (shown != NULL)
        add_printable(text, shown);
    if (is_long)
        text_add(text, "...");
    py_clear_error();
    py_release(shown);
    py.Py_DecRef(exact);
    return 0;
}
