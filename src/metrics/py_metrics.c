/* SPDX-License-Identifier: MIT
 *
 * Each of them is registered with once, and where that fails, never again: the first message says
 * so, and the second try would fail too.
 */
#include "metrics/py_metrics.h"

#include "message.h"
#include "metrics/gauges.h"
#include "metrics/py_opentelemetry.h"
#include "metrics/py_prometheus.h"
#include "py_gevent.h"

#include <stdatomic.h>

enum consumer { OPENTELEMETRY, PROMETHEUS, CONSUMERS };

static struct {
    bool is_tried[CONSUMERS];
    atomic_bool is_shown;
    atomic_bool is_busy;
} self;

void py_metrics_begin(void)
{
    self.is_tried[OPENTELEMETRY] = self.is_tried[PROMETHEUS] = false;
    self.is_shown = false;
    self.is_busy = false;
    py_opentelemetry_begin();
    gauges_clear();
}

void py_metrics_forget(void)
{
    self.is_busy = false;
    gauges_forget();
}

/* Python's own way to say which: `self` is the consumer, `object` what find() has found. */
static PyObject *register_with(PyObject *consumer, PyObject *object)
{
    bool is_prometheus = py.PyLong_AsLong(consumer) == PROMETHEUS;
    int status = is_prometheus ? py_prometheus_register(object) : py_opentelemetry_register(object);
    if (status == 0)
        self.is_shown = true;
    else
        message_write("metrics: %s does not take the gauges of memory_profiler; they are not "
                      "shown there",
                      is_prometheus ? "prometheus_client" : "OpenTelemetry");
    py.Py_IncRef(py._Py_NoneStruct);
    return py._Py_NoneStruct;
}

/* The locks are the program's, and gevent's where that has patched them (py_gevent.h). False where
 * there is no room for the call now. */
static bool call_with(enum consumer consumer, PyObject *object)
{
    static struct py_method method = {"memprof_register", register_with, PY_METH_O, NULL};
    PyObject *number = py.PyLong_FromLongLong(consumer);
    PyObject *function = number != NULL ? py_callable(&method, number) : NULL;
    PyObject *answer = NULL;
    bool is_called = false;
    if (function != NULL && py_gevent_is_patched()) {
        is_called = py_gevent_call(function, object) == 0;
    } else if (function != NULL) {
        answer = py.PyObject_CallFunctionObjArgs(function, object, NULL);
        is_called = answer != NULL;
    }
    py_clear_error();
    py_release(number);
    py_release(function);
    py_release(answer);
    return is_called;
}

bool py_metrics_attend(void)
{
    bool has_found = false;
    atomic_store(&self.is_busy, true);
    for (enum consumer consumer = 0; consumer < CONSUMERS; consumer++) {
        if (self.is_tried[consumer])
            continue;
        PyObject *object = consumer == PROMETHEUS ? py_prometheus_find() : py_opentelemetry_find();
        if (object == NULL)
            continue;
        self.is_tried[consumer] = call_with(consumer, object);
        has_found |= self.is_tried[consumer];
        py.Py_DecRef(object);
    }
    atomic_store(&self.is_busy, false);
    return has_found;
}

bool py_metrics_are_expected(void)
{
    return py_opentelemetry_is_expected();
}

bool py_metrics_are_shown(void)
{
    return atomic_load(&self.is_shown);
}

bool py_metrics_is_busy(void)
{
    return atomic_load(&self.is_busy);
}
