/* SPDX-License-Identifier: MIT
 *
 * Every symbol of CPython that the profiler uses, with the signature that Include/ gives it in
 * 3.8 to 3.15. Each is exported by static executables and by libpython alike.
 *
 * PY_FUNCTION(return type, name, parameters)   without it the interpreter is not profiled
 * PY_OPTIONAL(return type, name, parameters)   may be NULL; the comment says since when
 * PY_DATA(type, name)                          the address of an exported object
 *
 * No include guard: py_api.h and py_api.c expand the list each in its own way.
 */

/* Life of the interpreter and of a thread in it (pylifecycle.h, pystate.h, ceval.h). */
PY_FUNCTION(int, Py_IsInitialized, (void))
PY_FUNCTION(int, PyGILState_Ensure, (void))
PY_FUNCTION(void, PyGILState_Release, (int))
PY_FUNCTION(int, PyGILState_Check, (void))
PY_FUNCTION(PyThreadState *, PyGILState_GetThisThreadState, (void))
/* The same function: up to 3.12, and from 3.13 on. */
PY_OPTIONAL(PyThreadState *, _PyThreadState_UncheckedGet, (void))
PY_OPTIONAL(PyThreadState *, PyThreadState_GetUnchecked, (void))
PY_FUNCTION(PyThreadState *, PyEval_SaveThread, (void))
PY_FUNCTION(void, PyEval_RestoreThread, (PyThreadState *))
PY_FUNCTION(PyObject *, PyEval_GetFrame, (void))
PY_FUNCTION(int, Py_AddPendingCall, (int (*)(void *), void *))
PY_FUNCTION(int, PySys_AddAuditHook, (int (*)(const char *, PyObject *, void *), void *))

/* Modules, attributes, calls. */
PY_FUNCTION(PyObject *, PyImport_ImportModule, (const char *))
PY_FUNCTION(PyObject *, PyImport_GetModuleDict, (void))
PY_FUNCTION(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *))
PY_FUNCTION(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))
PY_FUNCTION(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *))
PY_FUNCTION(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))
PY_FUNCTION(PyObject *, PyCFunction_NewEx, (struct py_method *, PyObject *, PyObject *))
PY_FUNCTION(PyObject *, PyObject_Type, (PyObject *))
PY_FUNCTION(PyObject *, PyObject_Repr, (PyObject *))
PY_FUNCTION(int, PyObject_IsTrue, (PyObject *))
PY_FUNCTION(int, PyObject_IsInstance, (PyObject *, PyObject *))
PY_FUNCTION(PyObject *, PyObject_GetItem, (PyObject *, PyObject *))
PY_FUNCTION(int, PyObject_SetItem, (PyObject *, PyObject *, PyObject *))
PY_FUNCTION(int, PyObject_DelItem, (PyObject *, PyObject *))

/* Values. */
PY_FUNCTION(PyObject *, PyUnicode_DecodeUTF8, (const char *, ssize_t, const char *))
PY_FUNCTION(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, ssize_t *))
PY_FUNCTION(PyObject *, PyUnicode_FromObject, (PyObject *))
PY_FUNCTION(PyObject *, PyUnicode_Substring, (PyObject *, ssize_t, ssize_t))
PY_FUNCTION(ssize_t, PyUnicode_GetLength, (PyObject *))
PY_FUNCTION(int, PyUnicode_CompareWithASCIIString, (PyObject *, const char *))
PY_FUNCTION(uint32_t, PyUnicode_ReadChar, (PyObject *, ssize_t))
PY_FUNCTION(PyObject *, PyBytes_FromStringAndSize, (const char *, ssize_t))
PY_FUNCTION(PyObject *, PyLong_FromLongLong, (long long))
PY_FUNCTION(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))
PY_FUNCTION(long, PyLong_AsLong, (PyObject *))
PY_FUNCTION(ssize_t, PyLong_AsSsize_t, (PyObject *))
PY_FUNCTION(PyObject *, PyFloat_FromDouble, (double))
PY_FUNCTION(PyObject *, PyTuple_New, (ssize_t))
PY_FUNCTION(PyObject *, PyDict_New, (void))
PY_FUNCTION(PyObject *, PyDict_GetItemString, (PyObject *, const char *))
PY_FUNCTION(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))
PY_FUNCTION(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *))
PY_FUNCTION(int, PyDict_Next, (PyObject *, ssize_t *, PyObject **, PyObject **))
PY_FUNCTION(ssize_t, PyDict_Size, (PyObject *))
PY_FUNCTION(PyObject *, PyUnicode_InternFromString, (const char *))
PY_FUNCTION(PyObject *, PyList_New, (ssize_t))
PY_FUNCTION(ssize_t, PyList_Size, (PyObject *))
PY_FUNCTION(int, PyList_Append, (PyObject *, PyObject *))
PY_FUNCTION(PyObject *, PyList_GetItem, (PyObject *, ssize_t))
PY_FUNCTION(PyObject *, PyTuple_GetItem, (PyObject *, ssize_t))
PY_FUNCTION(ssize_t, PySet_Size, (PyObject *))
PY_FUNCTION(ssize_t, PySequence_Size, (PyObject *))
PY_FUNCTION(PyObject *, PySequence_GetItem, (PyObject *, ssize_t))
PY_FUNCTION(PyObject *, PyMapping_Keys, (PyObject *))
PY_FUNCTION(PyObject *, PyModule_New, (const char *))
PY_FUNCTION(PyObject *, PyModule_GetDict, (PyObject *))
PY_FUNCTION(PyObject *, PyObject_GenericGetDict, (PyObject *, void *))
PY_FUNCTION(int, PyUnicode_IsIdentifier, (PyObject *))

/* References and exceptions. */
PY_FUNCTION(void, Py_IncRef, (PyObject *))
PY_FUNCTION(void, Py_DecRef, (PyObject *))
PY_FUNCTION(PyObject *, PyErr_Occurred, (void))
PY_FUNCTION(void, PyErr_Clear, (void))
PY_FUNCTION(int, PyErr_CheckSignals, (void))

/* Include/cpython/sysmodule.h up to 3.12, Include/internal/pycore_sysmodule.h from 3.13 on, where
 * it stays exported for _pickle. Without it sys.getsizeof() itself is called. */
PY_OPTIONAL(size_t, _PySys_GetSizeOf, (PyObject *))

/* Borrowed reference, no exception, runs no Python code (Include/cpython/object.h). Without it every
 * object is sized by sys.getsizeof(). */
PY_OPTIONAL(PyObject *, _PyType_Lookup, (PyObject *, PyObject *))

/* Looks at tp_mro (Include/object.h). */
PY_FUNCTION(int, PyType_IsSubtype, (PyObject *, PyObject *))

/* What a copy of the process needs; without one of them snapshots are taken in place
 * (Include/object.h, Include/cpython/pymem.h). */
PY_OPTIONAL(void *, PyType_GetSlot, (PyObject *, int))
PY_OPTIONAL(unsigned long, PyType_GetFlags, (PyObject *))
PY_OPTIONAL(void, PyMem_SetAllocator, (int, struct py_allocator *))

/* From 3.12 on (Include/cpython/objimpl.h). The callback returns 1 to go on, 0 to end. */
PY_OPTIONAL(void, PyUnstable_GC_VisitObjects, (int (*)(PyObject *, void *), void *))
/* Frames that run; the last one since 3.9 (Include/cpython/pystate.h). */
PY_FUNCTION(PyThreadState *, PyInterpreterState_ThreadHead, (void *))
PY_FUNCTION(PyThreadState *, PyThreadState_Next, (PyThreadState *))
PY_FUNCTION(void *, PyInterpreterState_Main, (void))
PY_OPTIONAL(PyObject *, PyThreadState_GetFrame, (PyThreadState *))
/* Attributes that say the same raise an audit event, and hooks may be written in Python. The first
 * since 3.9, a new reference; the others' are borrowed. */
PY_OPTIONAL(PyObject *, PyFrame_GetCode, (PyObject *))
PY_FUNCTION(PyObject *, PyFunction_GetCode, (PyObject *))
PY_FUNCTION(PyObject *, PyFunction_GetDefaults, (PyObject *))
PY_FUNCTION(PyObject *, PyFunction_GetKwDefaults, (PyObject *))
PY_FUNCTION(PyObject *, PyFunction_GetClosure, (PyObject *))

PY_DATA(PyObject, _Py_NoneStruct)
PY_DATA(PyObject, PyType_Type)
PY_DATA(PyObject, PyBaseObject_Type)
PY_DATA(PyObject, PyUnicode_Type)
PY_DATA(PyObject, PyList_Type)
PY_DATA(PyObject, PyTuple_Type)
PY_DATA(PyObject, PyDict_Type)
PY_DATA(PyObject, PySet_Type)
PY_DATA(PyObject, PyFrozenSet_Type)
PY_DATA(PyObject, PyGen_Type)
PY_DATA(PyObject, PyCoro_Type)
PY_DATA(PyObject, PyAsyncGen_Type)
PY_DATA(PyObject, PyFrame_Type)
PY_DATA(PyObject, PyCode_Type)
PY_DATA(PyObject, PyCell_Type)
PY_DATA(PyObject, PyContext_Type)
PY_DATA(PyObject, PyContextVar_Type)
PY_DATA(PyObject, PyModule_Type)
PY_DATA(PyObject, PyLong_Type)
PY_DATA(PyObject, PyBool_Type)
PY_DATA(PyObject, PyFloat_Type)
PY_DATA(PyObject, PyBytes_Type)
PY_DATA(PyObject, PyDictProxy_Type)
PY_DATA(PyObject, PyMemberDescr_Type)
PY_DATA(PyObject, PyGetSetDescr_Type)
PY_DATA(PyObject, PyFunction_Type)
PY_DATA(PyObject, PyODict_Type)
PY_DATA(void *, _PyRuntime)
