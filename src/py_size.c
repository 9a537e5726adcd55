/* SPDX-License-Identifier: MIT
 *
 * CPython's own arithmetic is asked rather than repeated: _PySys_GetSizeOf() looks __sizeof__ up on
 * the class, refuses what is negative or no int, and adds the pre-header of collected objects
 * (Python/sysmodule.c).
 */
#include "py_size.h"

static PyObject *getsizeof;

int py_size_begin(void)
{
    if (py._PySys_GetSizeOf != NULL || getsizeof != NULL)
        return 0;
    PyObject *sys = py.PyImport_ImportModule("sys");
    if (sys != NULL)
        getsizeof = py_attribute(sys, "getsizeof");
    py_release(sys);
    py_clear_error();
    return getsizeof != NULL ? 0 : -1;
}

static ssize_t ask_sys_getsizeof(PyObject *object)
{
    PyObject *answer = py.PyObject_CallFunctionObjArgs(getsizeof, object, NULL);
    if (answer == NULL)
        return -1;
    ssize_t size = py.PyLong_AsSsize_t(answer);
    py.Py_DecRef(answer);
    return size;
}

uint64_t py_size_of(PyObject *object)
{
    ssize_t size = py._PySys_GetSizeOf != NULL ? (ssize_t)py._PySys_GetSizeOf(object)
                                               : ask_sys_getsizeof(object);
    if (py_clear_error() || size < 0 || (uint64_t)size > PY_SIZE_LIMIT_BYTES)
        return 0;
    return (uint64_t)size;
}
