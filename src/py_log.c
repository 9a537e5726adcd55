/* SPDX-License-Identifier: MIT
 *
 * Every emission looks everything up anew: programs configure logging late, twice, and from other
 * threads. The only object kept is our own unregistered logger.
 */
#include "py_log.h"

#include "memprof.h"
#include "py_gevent.h"

#include <string.h>

enum { LEVEL_NOTSET = 0, PARENTS_LIMIT = 100 };

static PyObject *own_logger;

static int is_instance_of(PyObject *object, PyObject *module, const char *class_name)
{
    PyObject *class = py_attribute(module, class_name);
    if (class == NULL)
        return 0;
    int answer = py.PyObject_IsInstance(object, class);
    py.Py_DecRef(class);
    return !py_clear_error() && answer == 1;
}

/* logging.Logger.manager, or NULL. New reference. */
static PyObject *manager_of(PyObject *logging)
{
    PyObject *class = py_attribute(logging, "Logger");
    PyObject *manager = class != NULL ? py_attribute(class, "manager") : NULL;
    py_release(class);
    return manager;
}

/* The logger `memory_profiler` that the program has made, NULL where there is none. New reference.
 * logging.getLogger() would make one. */
static PyObject *program_logger(PyObject *logging, PyObject *manager)
{
    PyObject *loggers = py_attribute(manager, "loggerDict");
    PyObject *name = py_string(MEMPROF_LOGGER);
    PyObject *logger = NULL;
    if (loggers != NULL && name != NULL)
        logger = py.PyObject_GetItem(loggers, name);
    py_clear_error();
    py_release(loggers);
    py_release(name);
    /* A PlaceHolder stands where only a child of that name was made. */
    if (logger != NULL && !is_instance_of(logger, logging, "Logger")) {
        py.Py_DecRef(logger);
        logger = NULL;
    }
    return logger;
}

static PyObject *make_logger(PyObject *class)
{
    PyObject *name = py_string(MEMPROF_LOGGER);
    PyObject *logger = NULL;
    if (class != NULL && name != NULL)
        logger = py.PyObject_CallFunctionObjArgs(class, name, NULL);
    py_clear_error();
    py_release(name);
    return logger;
}

/* Our own logger, below the root, of the class that the program has chosen for its loggers. */
static PyObject *unregistered_logger(PyObject *logging)
{
    if (own_logger == NULL) {
        PyObject *choose = py_attribute(logging, "getLoggerClass");
        PyObject *class = NULL;
        if (choose != NULL)
            class = py.PyObject_CallFunctionObjArgs(choose, NULL);
        py_clear_error();
        own_logger = make_logger(class);
        py_release(choose);
        py_release(class);
    }
    PyObject *root = py_attribute(logging, "root");
    if (own_logger != NULL && root != NULL)
        py.PyObject_SetAttrString(own_logger, "parent", root);
    py_clear_error();
    py_release(root);
    if (own_logger != NULL)
        py.Py_IncRef(own_logger);
    return own_logger;
}

static int handler_takes(PyObject *logging, PyObject *handler, enum py_log_level level)
{
    return py_integer(py_attribute(handler, "level"), LEVEL_NOTSET) <= (int)level &&
           !is_instance_of(handler, logging, "NullHandler");
}

static int any_handler_takes(PyObject *logging, PyObject *logger, enum py_log_level level)
{
    PyObject *handlers = py_attribute(logger, "handlers");
    ssize_t count = handlers != NULL ? py.PyList_Size(handlers) : 0;
    int takes = 0;
    for (ssize_t i = 0; i < count && !takes; i++) {
        PyObject *handler = py.PyList_GetItem(handlers, i);
        if (handler == NULL)
            break;
        py.Py_IncRef(handler);
        takes = handler_takes(logging, handler, level);
        py.Py_DecRef(handler);
    }
    py_clear_error();
    py_release(handlers);
    return takes;
}

/* Follows Logger.callHandlers() of Lib/logging/__init__.py: up the parents while they propagate.
 * `*cut` tells that the chain ended because a logger does not propagate. A mock in the place of the
 * root logger has as many parents as are asked for. */
static int chain_takes(PyObject *logging, PyObject *logger, enum py_log_level level, int *cut)
{
    int takes = 0;
    *cut = 0;
    py.Py_IncRef(logger);
    for (int i = 0; i < PARENTS_LIMIT && logger != NULL && logger != py._Py_NoneStruct; i++) {
        takes = any_handler_takes(logging, logger, level);
        *cut = !py_truth(py_attribute(logger, "propagate"), 1);
        if (takes || *cut)
            break;
        PyObject *parent = py_attribute(logger, "parent");
        py.Py_DecRef(logger);
        logger = parent;
    }
    py_release(logger);
    return takes;
}

static enum py_log_route route_of(PyObject *logging, PyObject *logger, int is_programs,
                                  enum py_log_level level)
{
    int cut;
    int takes = chain_takes(logging, logger, level, &cut);
    if (is_programs && (py_truth(py_attribute(logger, "disabled"), 0) ||
                        py_integer(py_attribute(logger, "level"), LEVEL_NOTSET) > (int)level))
        return PY_LOG_DECLINED;
    if (takes)
        return PY_LOG_HEARD;
    return cut ? PY_LOG_DECLINED : PY_LOG_UNHEARD;
}

/* The logger to use now: the program's, else ours. New reference, NULL where there is none. */
static PyObject *current_logger(PyObject *logging, PyObject *manager, int *is_programs)
{
    PyObject *logger = program_logger(logging, manager);
    *is_programs = logger != NULL;
    return logger != NULL ? logger : unregistered_logger(logging);
}

enum py_log_route py_log_route(enum py_log_level level)
{
    PyObject *logging = py_module_if_ready("logging");
    if (logging == NULL || py_module_if_ready("threading") == NULL)
        return PY_LOG_ABSENT;
    PyObject *manager = manager_of(logging);
    if (manager == NULL)
        return PY_LOG_ABSENT;
    enum py_log_route route = PY_LOG_DISABLED;
    if (py_integer(py_attribute(manager, "disable"), 0) < (int)level) {
        int is_programs;
        PyObject *logger = current_logger(logging, manager, &is_programs);
        route = logger != NULL ? route_of(logging, logger, is_programs, level) : PY_LOG_ABSENT;
        py_release(logger);
    }
    py.Py_DecRef(manager);
    return route;
}

/* threading gives a thread that it did not start a daemonic _DummyThread; we only name it. */
static void name_this_thread(void)
{
    PyObject *threading = py_module_if_ready("threading");
    PyObject *current = threading != NULL ? py_attribute(threading, "current_thread") : NULL;
    PyObject *thread = current != NULL ? py.PyObject_CallFunctionObjArgs(current, NULL) : NULL;
    PyObject *name = py_string(MEMPROF_THREAD);
    if (thread != NULL && name != NULL)
        py.PyObject_SetAttrString(thread, "name", name);
    py_clear_error();
    py_release(current);
    py_release(thread);
    py_release(name);
}

static PyObject *extra_dictionary(const struct py_log_extra *extra, size_t count)
{
    PyObject *dictionary = py.PyDict_New();
    for (size_t i = 0; dictionary != NULL && i < count; i++) {
        PyObject *value = extra[i].is_integer
                              ? py.PyLong_FromUnsignedLongLong((unsigned long long)extra[i].value)
                              : py.PyFloat_FromDouble(extra[i].value);
        if (value != NULL)
            py.PyDict_SetItemString(dictionary, extra[i].name, value);
        py_release(value);
    }
    return dictionary;
}

/* Logger.makeRecord(name, level, fn, lno, msg, args, exc_info, func, extra): with no arguments to
 * merge, a `%` in the text stays what it is. */
static PyObject *make_record(PyObject *logger, enum py_log_level wanted, PyObject *message,
                             PyObject *extra)
{
    PyObject *make = py_attribute(logger, "makeRecord");
    PyObject *name = py_string(MEMPROF_LOGGER);
    PyObject *level = py.PyLong_FromLongLong(wanted);
    PyObject *file = py_string(MEMPROF_LIBRARY);
    PyObject *line = py.PyLong_FromLongLong(0);
    PyObject *arguments = py.PyTuple_New(0);
    PyObject *none = py._Py_NoneStruct;
    PyObject *record = NULL;
    if (make != NULL && name != NULL && level != NULL && file != NULL && line != NULL &&
        arguments != NULL)
        record = py.PyObject_CallFunctionObjArgs(make, name, level, file, line, message, arguments,
                                                 none, none, extra, NULL);
    py_release(make);
    py_release(name);
    py_release(level);
    py_release(file);
    py_release(line);
    py_release(arguments);
    return record;
}

static int handle(PyObject *logger, PyObject *record)
{
    PyObject *function = py_attribute(logger, "handle");
    PyObject *answer = NULL;
    if (function != NULL && py_gevent_is_patched()) {
        int queued = py_gevent_call(function, record);
        py.Py_DecRef(function);
        return queued;
    }
    if (function != NULL)
        answer = py.PyObject_CallFunctionObjArgs(function, record, NULL);
    int status = answer != NULL ? 0 : -1;
    py_release(function);
    py_release(answer);
    py_clear_error();
    return status;
}

int py_log_emit(enum py_log_level level, const char *text, size_t size,
                const struct py_log_extra *extra, size_t count)
{
    PyObject *logging = py_module_if_ready("logging");
    PyObject *manager = logging != NULL ? manager_of(logging) : NULL;
    if (manager == NULL)
        return -1;
    int is_programs;
    PyObject *logger = current_logger(logging, manager, &is_programs);
    PyObject *message = py.PyUnicode_DecodeUTF8(text, (ssize_t)size, "replace");
    PyObject *attributes = extra_dictionary(extra, count);
    PyObject *record = NULL;
    name_this_thread();
    if (logger != NULL && message != NULL && attributes != NULL)
        record = make_record(logger, level, message, attributes);
    py_clear_error();
    int status = record != NULL ? handle(logger, record) : -1;
    py.Py_DecRef(manager);
    py_release(logger);
    py_release(message);
    py_release(attributes);
    py_release(record);
    return status;
}

/* From 3.13 on an object in the thread's own storage takes the thread out of the books when it dies
 * (_DeleteDummyThreadOnDel of Lib/threading.py), and keeps the _DummyThread alive until then. */
static void drop_thread_local_reference(PyObject *threading)
{
    PyObject *storage = py_attribute(threading, "_thread_local_info");
    PyObject *reference = NULL;
    if (storage != NULL)
        reference = py_attribute(storage, "_track_dummy_thread_ref");
    if (reference != NULL)
        py.PyObject_SetAttrString(storage, "_track_dummy_thread_ref", py._Py_NoneStruct);
    py_clear_error();
    py_release(reference);
    py_clear_error();
    py_release(storage);
}

void py_log_begin(void)
{
    py_gevent_forget();
    own_logger = NULL;
}

void py_log_forget(void)
{
    py_gevent_forget();
}

void py_log_end_soon(void)
{
    py_gevent_end_soon();
}

void py_log_end(void)
{
    py_gevent_end();
    py_drop(&own_logger);
}

void py_log_leave_thread(void)
{
    PyObject *threading = py_module_if_ready("threading");
    if (threading == NULL)
        return;
    drop_thread_local_reference(threading);
    PyObject *active = py_attribute(threading, "_active");
    PyObject *ask = py_attribute(threading, "get_ident");
    PyObject *ident = ask != NULL ? py.PyObject_CallFunctionObjArgs(ask, NULL) : NULL;
    if (active != NULL && ident != NULL)
        py.PyObject_DelItem(active, ident); /* KeyError where the thread is not in the books */
    py_clear_error();
    py_release(active);
    py_release(ask);
    py_release(ident);
}
