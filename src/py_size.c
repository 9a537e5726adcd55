/* SPDX-License-Identifier: MIT
 *
 * CPython's own arithmetic is asked rather than repeated: _PySys_GetSizeOf() looks __sizeof__ up on
 * the class, refuses what is negative or no int, and adds the pre-header of collected objects,
 * which differs between versions and classes (Python/sysmodule.c). A plan repeats only
 * object.__sizeof__ (Objects/typeobject.c) and takes its constant from CPython's answer for one
 * object of the class.
 */
#include "py_size.h"

#include "py_namespace.h"

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
static bool knows_lists;

int py_size_begin(void)
{
    getsizeof = NULL;
    knows_lists = false;
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

static int64_t word_at(PyObject *object, size_t offset)
{
    int64_t word;
    memcpy(&word, (const char *)object + offset, sizeof(word));
    return word;
}

/* Behind ob_type in PyVarObject (Include/object.h). */
static size_t ob_size_offset(size_t type_offset)
{
    return type_offset + sizeof(void *);
}

/* Behind ob_item in PyListObject (Include/cpython/listobject.h). */
static size_t allocated_offset(size_t type_offset)
{
    return ob_size_offset(type_offset) + 2 * sizeof(void *);
}

uint64_t py_size_planned(const struct py_size_plan *plan, PyObject *object)
{
    if (plan->method == PY_SIZE_COUNTED)
        return py_size_counted(plan, object);
    if (plan->method != PY_SIZE_NATIVE)
        return py_size_of(object);
    int64_t size = native_size(plan, object);
    bool is_known = size >= 0 && (uint64_t)size <= PY_SIZE_LIMIT_BYTES;
    return is_known ? (uint64_t)(size + plan->constant_bytes) : 0;
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

/* The C function behind the method descriptor `found`, if it takes objects of `class`: any class
 * can have another one's __sizeof__. */
static void *native_function(PyObject *found, PyObject *class, size_t type_offset)
{
    struct method_descriptor descriptor;
    if (!descriptor_is_known(found, type_offset))
        return NULL;
    memcpy(&descriptor, (const char *)found + type_offset + sizeof(void *), sizeof(descriptor));
    if (!py.PyType_IsSubtype(class, descriptor.d_type) ||
        descriptor.d_method->ml_flags != PY_METH_NOARGS ||
        strcmp(descriptor.d_method->ml_name, "__sizeof__") != 0)
        return NULL;
    return (void *)descriptor.d_method->ml_meth;
}

/* A plan by which `example` has `bytes`. */
static struct py_size_plan count_items(PyObject *example, size_t count_offset, long item_bytes,
                                       int64_t bytes)
{
    struct py_size_plan plan = {PY_SIZE_COUNTED, (uint32_t)item_bytes, 0, count_offset, NULL};
    plan.constant_bytes = bytes;
    if (item_bytes != 0)
        plan.constant_bytes -= word_at(example, count_offset) * item_bytes;
    return plan;
}

/* Leaves the plan as it is where the answers do not fit together. */
static void plan_counted(struct py_size_plan *plan, PyObject *class, PyObject *example,
                         size_t type_offset)
{
    long item_bytes = number_of(get_itemsize, class);
    long basic_bytes = number_of(get_basicsize, class);
    if (item_bytes < 0 || item_bytes > INT32_MAX || basic_bytes < 0)
        return;
    int64_t bytes = (int64_t)py_size_of(example);
    struct py_size_plan counted =
        count_items(example, ob_size_offset(type_offset), item_bytes, bytes);
    if (counted.constant_bytes >= basic_bytes && counted.constant_bytes <= bytes)
        *plan = counted;
}

static struct py_size_plan plan_list(PyObject *example, size_t type_offset)
{
    return count_items(example, allocated_offset(type_offset), sizeof(void *),
                       (int64_t)py_size_of(example));
}

/* By a plan made of an empty one. */
static bool list_is_known(size_t type_offset, PyObject *empty, ssize_t length)
{
    struct py_size_plan plan = plan_list(empty, type_offset);
    PyObject *list = py.PyList_New(length);
    py_clear_error();
    bool known = list != NULL && word_at(list, allocated_offset(type_offset)) >= length &&
                 py_size_counted(&plan, list) == py_size_of(list);
    py_release(list);
    return known;
}

bool py_size_prove_lists(size_t type_offset)
{
    PyObject *empty = py.PyList_New(0);
    py_clear_error();
    knows_lists = empty != NULL && type_offset != 0 && list_is_known(type_offset, empty, 0) &&
                  list_is_known(type_offset, empty, 7) && list_is_known(type_offset, empty, 1000);
    py_release(empty);
    return knows_lists;
}

/* Leaves the plan as it is where the method descriptor `found` is none to be called directly. */
static void plan_native(struct py_size_plan *plan, PyObject *found, PyObject *class,
                        PyObject *example, size_t type_offset)
{
    struct py_size_plan native = {.method = PY_SIZE_NATIVE};
    void *function = native_function(found, class, type_offset);
    if (function == NULL)
        return;
    memcpy(&native.native, &function, sizeof(function));
    int64_t size = native_size(&native, example);
    native.constant_bytes = (int64_t)py_size_of(example) - size;
    if (size >= 0 && native.constant_bytes >= 0)
        *plan = native;
}

/* What sys.getsizeof() adds for what stands before an object that can be tracked: PyGC_Head, and
 * from 3.11 on room for a managed dict or weak references. */
static int64_t header_bytes(PyObject *class)
{
    enum { GC_HEAD_BYTES = 16, MANAGED_BYTES = 16, MANAGED = 3 << 3, HAVE_GC = 1 << 14 };
    unsigned long flags = py.PyType_GetFlags != NULL ? py.PyType_GetFlags(class) : HAVE_GC;
    if ((flags & HAVE_GC) == 0)
        return 0;
    return GC_HEAD_BYTES + ((flags & MANAGED) != 0 ? MANAGED_BYTES : 0);
}

static struct py_size_plan plan_plain(PyObject *class, PyObject *example, size_t type_offset)
{
    long item_bytes = number_of(get_itemsize, class);
    ssize_t bytes = ask_object_sizeof(example);
    py_clear_error();
    if (bytes < 0 || item_bytes < 0 || item_bytes > INT32_MAX)
        return (struct py_size_plan){.method = PY_SIZE_COUNTED};
    return count_items(example, ob_size_offset(type_offset), item_bytes,
                       bytes + header_bytes(class));
}

struct py_size_plan py_size_plan_without_python(PyObject *class, PyObject *example,
                                                size_t type_offset)
{
    PyObject *found = py_namespace_is_text(class) ? method_of(class) : NULL;
    if (found == NULL || py_class_of(found) != py_class_of(object_sizeof))
        return plan_plain(class, example, type_offset);
    struct py_size_plan plan = {.method = PY_SIZE_ASKED};
    plan_native(&plan, found, class, example, type_offset);
    return plan;
}

struct py_size_plan py_size_plan(PyObject *class, PyObject *example, size_t type_offset)
{
    struct py_size_plan plan = {.method = PY_SIZE_GENERAL};
    PyObject *const containers[] = {py.PyList_Type, py.PyDict_Type, py.PySet_Type,
                                    py.PyFrozenSet_Type};
    /* `type` sizes static and heap types by different rules, generators and frames by what they
     * run. */
    PyObject *const others[] = {py.PyType_Type, py.PyGen_Type, py.PyCoro_Type, py.PyFrame_Type,
                                py.PyODict_Type};
    PyObject *found = type_offset != 0 && py_namespace_is_text(class) ? method_of(class) : NULL;
    if (found == NULL)
        return plan;
    if (found == method_of(py.PyBaseObject_Type)) {
        plan_counted(&plan, class, example, type_offset);
        return plan;
    }
    if (knows_lists && found == method_of(py.PyList_Type) &&
        py.PyType_IsSubtype(class, py.PyList_Type))
        return plan_list(example, type_offset);
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        if (found == method_of(containers[i])) {
            plan_native(&plan, found, class, example, type_offset);
            return plan;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (found == method_of(others[i]))
            plan.method = PY_SIZE_ASKED;
    }
    return plan;
}
