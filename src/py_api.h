/* SPDX-License-Identifier: MIT
 *
 * The door to CPython: resolves every symbol of py_symbols.h at run time, so that one library
 * serves every version and no Python header is needed. Objects are opaque here.
 *
 * Use as `py.PyList_Size(list)`: CPython's names verbatim, so that grep finds them.
 * Unless a comment says otherwise, every function behind `py` needs the GIL (or, on free-threaded
 * builds, an attached thread state), and a Python exception never leaves a py_* file.
 */
#ifndef MEMPROF_PY_API_H
#define MEMPROF_PY_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct _object PyObject;
typedef struct _ts PyThreadState;

/* PyMethodDef of Include/methodobject.h. */
struct py_method {
    const char *ml_name;
    PyObject *(*ml_meth)(PyObject *self, PyObject *arguments);
    int ml_flags;
    const char *ml_doc;
};

/* PyMemberDef of Include/structmember.h. */
struct py_member {
    const char *name;
    int type;
    ssize_t offset;
    int flags;
    const char *doc;
};

enum { PY_T_OBJECT = 6, PY_T_OBJECT_EX = 16, PY_RELATIVE_OFFSET = 8 };

/* PyMemAllocatorEx of Include/cpython/pymem.h. */
struct py_allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};

enum { PY_METH_VARARGS = 0x0001, PY_METH_NOARGS = 0x0004, PY_METH_O = 0x0008 };

struct py_api {
#define PY_FUNCTION(type, name, parameters) type(*name) parameters;
#define PY_OPTIONAL(type, name, parameters) type(*name) parameters;
#define PY_DATA(type, name) type *name;
#include "py_symbols.h"
#undef PY_FUNCTION
#undef PY_OPTIONAL
#undef PY_DATA
};

extern struct py_api py;

/* Looks every symbol up in `library` (a dlopen handle, or RTLD_DEFAULT for the global scope).
 * Returns 0, or -1 where a required symbol is missing: then this is no CPython >= 3.8 and `py` must
 * not be used. Needs no GIL and runs no Python code. */
int py_api_resolve(void *library);

/* True where the global scope holds a CPython >= 3.8, initialised or not. */
int py_api_is_present(void);

/* Drops the reference that `*slot` holds, if any, and empties it. */
void py_drop(PyObject **slot);

/* Drops the reference; NULL is fine. */
void py_release(PyObject *object);

/* A callable of `method`, which must live as long as the process; `self`, which may be NULL, is
 * what it gets first. New reference, or NULL with the exception cleared. */
PyObject *py_callable(struct py_method *method, PyObject *self);

/* The str of `text`; what is no UTF-8 in it becomes U+FFFD. New reference, or NULL with the
 * exception cleared. */
PyObject *py_string(const char *text);

/* `object.name`, or NULL with the exception cleared. New reference. */
PyObject *py_attribute(PyObject *object, const char *name);

/* `object`'s class; borrowed: a living object holds it. */
PyObject *py_class_of(PyObject *object);

/* What `dict` holds under the exact str `name`, or NULL. Borrowed. Looks at every key: to look it
 * up would run the __eq__ of keys that are made from str. */
PyObject *py_dict_item(PyObject *dict, const char *name);

/* `type.__dict__[name].__get__`: reads an attribute of a class without asking its metaclass. New
 * reference, or NULL with the exception cleared. */
PyObject *py_type_getter(const char *name);

/* `sys.modules[name]` where its import has ended, else NULL. Imports nothing, nor ends an import
 * that waits until the module is used. Borrowed. */
PyObject *py_module_if_ready(const char *name);

/* True, false, or `otherwise` where asking raised. Steals the reference; NULL gives `otherwise`. */
int py_truth(PyObject *object, int otherwise);

/* The value of an int, or `otherwise`. Steals the reference; NULL gives `otherwise`. */
long py_integer(PyObject *object, long otherwise);

/* Whether this is a build without a GIL; also where it does not say. */
bool py_is_free_threaded(void);

/* Clears a pending exception. Returns 1 if there was one. */
int py_clear_error(void);

#endif
