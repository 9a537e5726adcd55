/* SPDX-License-Identifier: MIT
 *
 * Either every required symbol is resolved or the interpreter is left alone.
 *
 * dlsym() may call calloc() in some C libraries, so everything is looked up once, early, and never
 * while the heap is walked.
 */
#include "py_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

struct py_api py;

/* Names one after the other and members by their order, not pointers to both: the linker would have
 * to write a page full of those in every process that inherits the preload. */
static const char names[] =
#define PY_FUNCTION(type, name, parameters) #name "\0"
#define PY_OPTIONAL(type, name, parameters) #name "\0"
#define PY_DATA(type, name) #name "\0"
#include "py_symbols.h"
#undef PY_FUNCTION
#undef PY_OPTIONAL
#undef PY_DATA
    ;

static const bool required[] = {
#define PY_FUNCTION(type, name, parameters) true,
#define PY_OPTIONAL(type, name, parameters) false,
#define PY_DATA(type, name) true,
#include "py_symbols.h"
#undef PY_FUNCTION
#undef PY_OPTIONAL
#undef PY_DATA
};

_Static_assert(sizeof(py) == sizeof(required) / sizeof(required[0]) * sizeof(void *),
               "struct py_api holds one pointer for each symbol");

int py_api_resolve(void *library)
{
    const char *name = names;
    bool missing = false;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        void *found = dlsym(library, name);
        memcpy((char *)&py + i * sizeof(found), &found, sizeof(found));
        missing |= required[i] && found == NULL;
        name += strlen(name) + 1;
    }
    return missing ? -1 : 0;
}

/* Bound by the dynamic linker where the global scope has it. A dlsym() that finds nothing allocates
 * its error message: in a small program as expensive as all else that the preload costs. */
extern int PySys_AddAuditHook(int (*hook)(const char *, PyObject *, void *), void *data)
    __attribute__((weak));

int py_api_is_present(void)
{
    /* PEP 578 came with 3.8; PyPy and older interpreters lack the function. */
    return PySys_AddAuditHook != NULL;
}

void py_release(PyObject *object)
{
    if (object != NULL)
        py.Py_DecRef(object);
}

void py_drop(PyObject **slot)
{
    PyObject *object = *slot;
    *slot = NULL;
    py_release(object);
}

PyObject *py_callable(struct py_method *method, PyObject *self)
{
    PyObject *callable = py.PyCFunction_NewEx(method, self, NULL);
    py_clear_error();
    return callable;
}

PyObject *py_string(const char *text)
{
    PyObject *string = py.PyUnicode_DecodeUTF8(text, (ssize_t)strlen(text), "replace");
    py_clear_error();
    return string;
}

/* With a name that is one object each time: from 3.10 on the cache of methods tells names by their
 * addresses and holds them, so that each new one would take the place of one of the program's. */
PyObject *py_attribute(PyObject *object, const char *name)
{
    PyObject *key = py.PyUnicode_InternFromString(name);
    PyObject *value = key != NULL ? py.PyObject_GetAttr(object, key) : NULL;
    py_clear_error();
    py_release(key);
    return value;
}

PyObject *py_class_of(PyObject *object)
{
    PyObject *class = py.PyObject_Type(object);
    py_release(class);
    return class;
}

PyObject *py_dict_item(PyObject *dict, const char *name)
{
    PyObject *key, *value;
    ssize_t position = 0;
    while (py.PyDict_Next(dict, &position, &key, &value)) {
        if (py_class_of(key) == py.PyUnicode_Type &&
            py.PyUnicode_CompareWithASCIIString(key, name) == 0)
            return value;
    }
    return NULL;
}

PyObject *py_type_getter(const char *name)
{
    PyObject *dictionary = py_attribute(py.PyType_Type, "__dict__");
    PyObject *key = py.PyUnicode_InternFromString(name);
    PyObject *descriptor = NULL;
    if (dictionary != NULL && key != NULL)
        descriptor = py.PyObject_GetItem(dictionary, key);
    PyObject *getter = descriptor != NULL ? py_attribute(descriptor, "__get__") : NULL;
    py_clear_error();
    py_release(dictionary);
    py_release(key);
    py_release(descriptor);
    return getter;
}

/* importlib.util.LazyLoader: the first attribute that is asked for, whichever, imports it. */
static bool is_lazy(PyObject *module)
{
    PyObject *class = py_class_of(module);
    if (class == py.PyModule_Type)
        return false;
    PyObject *name = py_attribute(class, "__name__");
    bool lazy = name != NULL && py_class_of(name) == py.PyUnicode_Type &&
                py.PyUnicode_CompareWithASCIIString(name, "_LazyModule") == 0;
    py_release(name);
    return lazy;
}

PyObject *py_module_if_ready(const char *name)
{
    PyObject *module = py.PyDict_GetItemString(py.PyImport_GetModuleDict(), name);
    if (module == NULL || module == py._Py_NoneStruct || is_lazy(module))
        return NULL;
    PyObject *spec = py_attribute(module, "__spec__");
    if (spec == NULL)
        return module;
    /* importlib sets _initializing while the module's body runs (Lib/importlib/_bootstrap.py). */
    int importing = py_truth(py_attribute(spec, "_initializing"), 0);
    py_release(spec);
    return importing ? NULL : module;
}

int py_truth(PyObject *object, int otherwise)
{
    if (object == NULL)
        return otherwise;
    int truth = py.PyObject_IsTrue(object);
    py.Py_DecRef(object);
    return py_clear_error() ? otherwise : truth;
}

long py_integer(PyObject *object, long otherwise)
{
    if (object == NULL)
        return otherwise;
    long value = py.PyLong_AsLong(object);
    py.Py_DecRef(object);
    return py_clear_error() ? otherwise : value;
}

bool py_is_free_threaded(void)
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

int py_clear_error(void)
{
    if (py.PyErr_Occurred() == NULL)
        return 0;
    py.PyErr_Clear();
    return 1;
}
