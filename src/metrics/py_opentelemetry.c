/* SPDX-License-Identifier: MIT
 *
 * opentelemetry.metrics.get_meter_provider() would load a provider where a variable names one
 * (OTEL_PYTHON_METER_PROVIDER), which is for the program to do: so what it returns is looked at
 * instead, opentelemetry.metrics._internal._METER_PROVIDER, which is None until the program sets
 * it (opentelemetry-api 1.10 and later).
 */
#include "metrics/py_opentelemetry.h"

#include "memprof.h"
#include "metrics/gauges.h"

static bool is_registered;

void py_opentelemetry_begin(void)
{
    is_registered = false;
}

bool py_opentelemetry_exports_to_prometheus(void)
{
    return is_registered && py_module_if_ready("opentelemetry.exporter.prometheus") != NULL;
}

PyObject *py_opentelemetry_find(void)
{
    PyObject *api = py_module_if_ready("opentelemetry.metrics._internal");
    PyObject *provider = api != NULL ? py_attribute(api, "_METER_PROVIDER") : NULL;
    if (provider == NULL || provider != py._Py_NoneStruct)
        return provider;
    py.Py_DecRef(provider);
    return NULL;
}

bool py_opentelemetry_is_expected(void)
{
    PyObject *provider = py_opentelemetry_find();
    py_release(provider);
    return provider == NULL && py_module_if_ready("opentelemetry.metrics") != NULL;
}

/* {"class": name}, or None. New reference. */
static PyObject *attributes_of(const struct gauge_value *value)
{
    if (value->class == NULL) {
        py.Py_IncRef(py._Py_NoneStruct);
        return py._Py_NoneStruct;
    }
    PyObject *attributes = py.PyDict_New();
    PyObject *name = py_string(value->class);
    if (attributes != NULL && name != NULL)
        py.PyDict_SetItemString(attributes, GAUGE_CLASS, name);
    py_release(name);
    return attributes;
}

static void add_observation(PyObject *list, PyObject *class, const struct gauge_value *value)
{
    PyObject *number = py.PyLong_FromUnsignedLongLong(value->value);
    PyObject *attributes = attributes_of(value);
    PyObject *observation = NULL;
    if (number != NULL && attributes != NULL)
        observation = py.PyObject_CallFunctionObjArgs(class, number, attributes, NULL);
    if (observation != NULL)
        py.PyList_Append(list, observation);
    py_clear_error();
    py_release(number);
    py_release(attributes);
    py_release(observation);
}

/* What a gauge calls when it is read: `self` says which one it is, and it returns Observations. */
static PyObject *observe(PyObject *self, PyObject *arguments)
{
    (void)arguments; /* CallbackOptions: for how long it may take */
    enum gauge gauge = (enum gauge)py.PyLong_AsLong(self);
    PyObject *list = py.PyList_New(0);
    PyObject *api = py_module_if_ready("opentelemetry.metrics");
    PyObject *class = api != NULL ? py_attribute(api, "Observation") : NULL;
    struct gauges *gauges = gauges_hold();
    if (list != NULL && class != NULL && gauges != NULL) {
        size_t count;
        const struct gauge_value *values = gauges_values(gauges, gauge, &count);
        for (size_t i = 0; i < count; i++)
            add_observation(list, class, &values[i]);
    }
    gauges_release(gauges);
    py_release(class);
    return list;
}

/* [a callable for this gauge]. New reference. */
static PyObject *callbacks_of(enum gauge gauge)
{
    static struct py_method method = {"memprof_observe", observe, PY_METH_VARARGS, NULL};
    PyObject *self = py.PyLong_FromLongLong(gauge);
    PyObject *callback = self != NULL ? py_callable(&method, self) : NULL;
    PyObject *list = py.PyList_New(0);
    if (list != NULL && callback != NULL)
        py.PyList_Append(list, callback);
    py_clear_error();
    py_release(self);
    py_release(callback);
    return list;
}

/* create_observable_gauge(name, callbacks, unit, description) of opentelemetry/metrics/_internal.
 */
static int create(PyObject *function, enum gauge gauge)
{
    PyObject *name = py_string(gauge_name(gauge));
    PyObject *unit = py_string(gauge_unit(gauge));
    PyObject *description = py_string(gauge_description(gauge));
    PyObject *callbacks = callbacks_of(gauge);
    PyObject *instrument = NULL;
    if (name != NULL && unit != NULL && description != NULL && callbacks != NULL)
        instrument =
            py.PyObject_CallFunctionObjArgs(function, name, callbacks, unit, description, NULL);
    int status = instrument != NULL ? 0 : -1;
    py_clear_error();
    py_release(name);
    py_release(unit);
    py_release(description);
    py_release(callbacks);
    py_release(instrument);
    return status;
}

int py_opentelemetry_register(PyObject *provider)
{
    PyObject *get_meter = py_attribute(provider, "get_meter");
    PyObject *name = py_string(MEMPROF_LOGGER);
    PyObject *meter = NULL;
    if (get_meter != NULL && name != NULL)
        meter = py.PyObject_CallFunctionObjArgs(get_meter, name, NULL);
    py_clear_error();
    PyObject *function = meter != NULL ? py_attribute(meter, "create_observable_gauge") : NULL;
    int status = function != NULL ? 0 : -1;
    for (enum gauge gauge = 0; gauge < GAUGE_COUNT && status == 0; gauge++)
        status = create(function, gauge);
    is_registered = status == 0;
    py_release(get_meter);
    py_release(name);
    py_release(meter);
    py_release(function);
    return status;
}
