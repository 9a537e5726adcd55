/* SPDX-License-Identifier: MIT
 *
 * CPython's own arithmetic is asked rather than repeated: _PySys_GetSizeOf() looks __sizeof__ up on
 * the class, refuses what is negative or no int, and adds the pre-header of collected objects,
 * which differs between versions and classes (Python/sysmodule.c). A plan repeats only
 * object.__sizeof__ (Objects/typeobject.c) and takes its constant from CPython's answer for one
 * object of the class.
 */
#include "py_size.h"

#include <stdbool.h>
#include <string.h>

/* PyMethodDescrObject of Include/cpython/descrobject.h, behind its PyObject. */
struct method_descriptor {
    PyObject *d_type;
    PyObject *d_name;
    PyObject *d_qualname;
    struct py_method *d_method;
};

static PyObject *getsizeof;
static PyObject *sizeof_name;   /* '__sizeof__' */
static PyObject *object_sizeof; /* object.__sizeof__ */
static PyObject *get_name, *call_name;
static PyObject *get_basicsize; /* type.__dict__['__basicsize__'].__get__ */
static PyObject *get_itemsize;

int py_size_begin(void)
{
    getsizeof = NULL;
    if (py._PySys_GetSizeOf == NULL) {
        PyObject *sys = py.PyImport_ImportModule("sys");
        if (sys != NULL)
            getsizeof = py_attribute(sys, "getsizeof");
        py_release(sys);
        py_clear_error();
        if (getsizeof == NULL)
            return -1;
    }
    get_basicsize = py_type_getter("__basicsize__");
    get_itemsize = py_type_getter("__itemsize__");
    object_sizeof = py_attribute(py.PyBaseObject_Type, "__sizeof__");
    get_name = py.PyUnicode_InternFromString("__get__");
    call_name = py.PyUnicode_InternFromString("__call__");
    sizeof_name = py.PyUnicode_InternFromString("__sizeof__");
    py_clear_error();
    return get_basicsize != NULL && get_itemsize != NULL && object_sizeof != NULL &&
                   get_name != NULL && call_name != NULL && sizeof_name != NULL
               ? 0
               : -1;
}

static PyObject *look_up(PyObject *class, PyObject *name)
{
    return class != NULL && py._PyType_Lookup != NULL ? py._PyType_Lookup(class, name) : NULL;
}

static PyObject *method_of(PyObject *class)
{
    return look_up(class, sizeof_name);
}

static int is_python_function(PyObject *object)
{
    PyObject *class = object != NULL ? py.PyObject_Type(object) : NULL;
    py_release(class);
    return class != NULL && class == py.PyFunction_Type;
}

/* unittest.mock puts objects of Python classes in the place of methods. Each call of such a
 * stand-in is remembered, in a mock made for it: snapshots would grow the heap, and faster each
 * time. */
static int is_stand_in(PyObject *method)
{
    if (method == NULL || method == method_of(py.PyBaseObject_Type))
        return 0;
    PyObject *class = py.PyObject_Type(method);
    int answer = is_python_function(look_up(class, get_name)) ||
                 is_python_function(look_up(class, call_name));
    py_release(class);
    return answer;
}

static int has_stand_in(PyObject *object)
{
    PyObject *class = py.PyObject_Type(object);
    int answer = is_stand_in(method_of(class));
    py_release(class);
    return answer;
}

void py_size_end(void)
{
    py_drop(&getsizeof);
    py_drop(&sizeof_name);
    py_drop(&object_sizeof);
    py_drop(&get_name);
    py_drop(&call_name);
    py_drop(&get_basicsize);
    py_drop(&get_itemsize);
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

/* What stands before the object is not in object.__sizeof__'s answer, nor here. */
static ssize_t ask_object_sizeof(PyObject *object)
{
    PyObject *answer = py.PyObject_CallFunctionObjArgs(object_sizeof, object, NULL);
    ssize_t size = answer != NULL ? py.PyLong_AsSsize_t(answer) : -1;
    py_release(answer);
    return size;
}

uint64_t py_size_of(PyObject *object)
{
    ssize_t size;
    if (has_stand_in(object))
        size = ask_object_sizeof(object);
    else if (py._PySys_GetSizeOf != NULL)
        size = (ssize_t)py._PySys_GetSizeOf(object);
    else
        size = ask_sys_getsizeof(object);
    if (py_clear_error() || size < 0 || (uint64_t)size > PY_SIZE_LIMIT_BYTES)
        return 0;
    return (uint64_t)size;
}

static int64_t native_size(const struct py_size_plan *plan, PyObject *object)
{
    PyObject *answer = plan->native(object, NULL);
    ssize_t size = answer != NULL ? py.PyLong_AsSsize_t(answer) : -1;
    py_release(answer);
    return py_clear_error() ? -1 : size;
}

static int64_t item_count(PyObject *object, size_t type_offset)
{
    ssize_t count;
    memcpy(&count, (const char *)object + type_offset + sizeof(void *), sizeof(count));
    return count;
}

uint64_t py_size_planned(const struct py_size_plan *plan, PyObject *object, size_t type_offset)
{
    int64_t size;
    if (plan->method == PY_SIZE_ASKED || plan->method == PY_SIZE_GENERAL)
        return py_size_of(object);
    if (plan->method == PY_SIZE_NATIVE)
        size = native_size(plan, object);
    else
        size = plan->item_bytes != 0 ? item_count(object, type_offset) * plan->item_bytes : 0;
    return size < 0 ? 0 : (uint64_t)(size + plan->constant_bytes);
}

static long number_of(PyObject *getter, PyObject *class)
{
    long number = py_integer(py.PyObject_CallFunctionObjArgs(getter, class, NULL), -1);
    py_clear_error();
    return number;
}

/* Whether a method descriptor is as long as it is taken for: the four words and a vectorcallfunc,
 * since 3.8. */
static bool descriptor_is_known(PyObject *descriptor, size_t type_offset)
{
    PyObject *class = py.PyObject_Type(descriptor);
    long words = 1 + (long)(sizeof(struct method_descriptor) / sizeof(void *)) + 1;
    long expected = (long)type_offset + words * (long)sizeof(void *);
    bool answer = class != NULL && number_of(get_basicsize, class) == expected;
    py_release(class);
    return answer;
}

/* The C function behind `found`, if that is the method `__sizeof__` that `owner` defines itself. */
static void *native_function(PyObject *found, PyObject *owner, size_t type_offset)
{
    struct method_descriptor descriptor;
    if (!descriptor_is_known(found, type_offset))
        return NULL;
    memcpy(&descriptor, (const char *)found + type_offset + sizeof(void *), sizeof(descriptor));
    if (descriptor.d_type != owner || descriptor.d_method->ml_flags != PY_METH_NOARGS ||
        strcmp(descriptor.d_method->ml_name, "__sizeof__") != 0)
        return NULL;
    return (void *)descriptor.d_method->ml_meth;
}

/* Leaves the plan as it is where the answers do not fit together. */
static void plan_fixed(struct py_size_plan *plan, PyObject *class, PyObject *example,
                       size_t type_offset)
{
    long item_bytes = number_of(get_itemsize, class);
    if (item_bytes < 0 || item_bytes > INT32_MAX || number_of(get_basicsize, class) < 0)
        return;
    int64_t items = item_bytes != 0 ? item_count(example, type_offset) * item_bytes : 0;
    int64_t constant = (int64_t)py_size_of(example) - items;
    if (items < 0 || constant < number_of(get_basicsize, class))
        return;
    *plan = (struct py_size_plan){PY_SIZE_FIXED, (uint32_t)item_bytes, constant, NULL};
}

static void plan_native(struct py_size_plan *plan, void *function, PyObject *example)
{
    struct py_size_plan native = {PY_SIZE_NATIVE, 0, 0, NULL};
    memcpy(&native.native, &function, sizeof(function));
    int64_t size = native_size(&native, example);
    native.constant_bytes = (int64_t)py_size_of(example) - size;
    if (size >= 0 && native.constant_bytes >= 0)
        *plan = native;
}

/* What sys.getsizeof() adds for what stands before a tracked object: PyGC_Head, and from 3.11 on
 * room for a managed dict or weak references. */
static int64_t header_bytes(PyObject *class)
{
    enum { GC_HEAD_BYTES = 16, MANAGED_BYTES = 16, MANAGED = 3 << 3 };
    unsigned long flags = py.PyType_GetFlags != NULL ? py.PyType_GetFlags(class) : 0;
    return GC_HEAD_BYTES + ((flags & MANAGED) != 0 ? MANAGED_BYTES : 0);
}

static struct py_size_plan plan_plain(PyObject *class, PyObject *example, size_t type_offset)
{
    long item_bytes = number_of(get_itemsize, class);
    int64_t items = item_bytes > 0 ? item_count(example, type_offset) * item_bytes : 0;
    int64_t constant = ask_object_sizeof(example) - items + header_bytes(class);
    py_clear_error();
    if (items < 0 || item_bytes > INT32_MAX || constant < 0)
        return (struct py_size_plan){PY_SIZE_FIXED, 0, 0, NULL};
    return (struct py_size_plan){PY_SIZE_FIXED, (uint32_t)(item_bytes > 0 ? item_bytes : 0),
                                 constant, NULL};
}

struct py_size_plan py_size_plan_without_python(PyObject *class, PyObject *example,
                                                size_t type_offset)
{
    PyObject *found = method_of(class);
    PyObject *kind = found != NULL ? py.PyObject_Type(found) : NULL;
    PyObject *written_in_c = py.PyObject_Type(object_sizeof);
    bool asks_c = kind != NULL && kind == written_in_c;
    py_release(kind);
    py_release(written_in_c);
    return asks_c ? (struct py_size_plan){PY_SIZE_ASKED, 0, 0, NULL}
                  : plan_plain(class, example, type_offset);
}

struct py_size_plan py_size_plan(PyObject *class, PyObject *example, size_t type_offset)
{
    struct py_size_plan plan = {PY_SIZE_GENERAL, 0, 0, NULL};
    PyObject *const containers[] = {py.PyList_Type, py.PyDict_Type, py.PySet_Type,
                                    py.PyFrozenSet_Type};
    /* `type` sizes static and heap types by different rules, generators and frames by what they
     * run. */
    PyObject *const others[] = {py.PyType_Type, py.PyGen_Type, py.PyCoro_Type, py.PyFrame_Type,
                                py.PyODict_Type};
    PyObject *found = method_of(class);
    if (found == NULL || type_offset == 0)
        return plan;
    if (found == method_of(py.PyBaseObject_Type)) {
        plan_fixed(&plan, class, example, type_offset);
        return plan;
    }
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        if (found == method_of(containers[i])) {
            void *function = native_function(found, containers[i], type_offset);
            if (function != NULL)
                plan_native(&plan, function, example);
            return plan;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (found == method_of(others[i]))
            plan.method = PY_SIZE_ASKED;
    }
    return plan;
}
