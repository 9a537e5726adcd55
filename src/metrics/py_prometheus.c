/* SPDX-License-Identifier: MIT
 *
 * A collector is anything with a method `collect`; a module object is the plainest thing that can
 * have one, and be the key of a dict.
 */
#include "metrics/py_prometheus.h"

#include "memprof.h"
#include "metrics/gauges.h"
#include "metrics/py_opentelemetry.h"

PyObject *py_prometheus_find(void)
{
    PyObject *client = py_module_if_ready("prometheus_client");
    return client != NULL ? py_attribute(client, "REGISTRY") : NULL;
}

/* [text], or [] without one. New reference. */
static PyObject *list_of(const char *text)
{
    PyObject *list = py.PyList_New(0);
    PyObject *string = text != NULL ? py_string(text) : NULL;
    if (list != NULL && string != NULL)
        py.PyList_Append(list, string);
    py_clear_error();
    py_release(string);
    return list;
}

/* Metric.add_metric(labels, value) of prometheus_client/metrics_core.py. */
static void add_value(PyObject *add_metric, const struct gauge_value *value)
{
    PyObject *labels = list_of(value->class);
    PyObject *number = py.PyLong_FromUnsignedLongLong(value->value);
    PyObject *answer = NULL;
    if (labels != NULL && number != NULL)
        answer = py.PyObject_CallFunctionObjArgs(add_metric, labels, number, NULL);
    py_clear_error();
    py_release(labels);
    py_release(number);
    py_release(answer);
}

/* GaugeMetricFamily(name, documentation, value, labels) of the same file. New reference. */
static PyObject *new_family(PyObject *class, enum gauge gauge)
{
    char text[GAUGE_TEXT_SIZE];
    gauge_write_prometheus_name(gauge, text);
    PyObject *name = py_string(text);
    PyObject *description = py_string(gauge_description(gauge));
    PyObject *labels = list_of(gauge_has_class(gauge) ? GAUGE_CLASS : NULL);
    PyObject *family = NULL;
    if (name != NULL && description != NULL && labels != NULL)
        family = py.PyObject_CallFunctionObjArgs(class, name, description, py._Py_NoneStruct,
                                                 labels, NULL);
    py_clear_error();
    py_release(name);
    py_release(description);
    py_release(labels);
    return family;
}

static void add_family(PyObject *list, PyObject *class, enum gauge gauge,
                       const struct gauges *gauges)
{
    PyObject *family = new_family(class, gauge);
    PyObject *add_metric = family != NULL ? py_attribute(family, "add_metric") : NULL;
    size_t count = 0;
    const struct gauge_value *values = NULL;
    if (add_metric != NULL && gauges != NULL)
        values = gauges_values(gauges, gauge, &count);
    for (size_t i = 0; i < count; i++)
        add_value(add_metric, &values[i]);
    if (add_metric != NULL)
        py.PyList_Append(list, family);
    py_clear_error();
    py_release(add_metric);
    py_release(family);
}

/* At registration too, for the names. */
static PyObject *collect(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyObject *list = py.PyList_New(0);
    PyObject *core = py_module_if_ready("prometheus_client.metrics_core");
    PyObject *class = core != NULL ? py_attribute(core, "GaugeMetricFamily") : NULL;
    struct gauges *gauges = gauges_hold();
    if (list != NULL && class != NULL && !py_opentelemetry_exports_to_prometheus()) {
        for (enum gauge gauge = 0; gauge < GAUGE_COUNT; gauge++)
            add_family(list, class, gauge, gauges);
    }
    gauges_release(gauges);
    py_release(class);
    return list;
}

/* New reference. */
static PyObject *new_collector(void)
{
    static struct py_method method = {"memprof_collect", collect, PY_METH_NOARGS, NULL};
    PyObject *collector = py.PyModule_New(MEMPROF_LOGGER);
    PyObject *function = py_callable(&method, NULL);
    if (collector != NULL && function != NULL)
        py.PyObject_SetAttrString(collector, "collect", function);
    py_clear_error();
    py_release(function);
    return collector;
}

int py_prometheus_register(PyObject *registry)
{
    PyObject *function = py_attribute(registry, "register");
    PyObject *collector = new_collector();
    PyObject *answer = NULL;
    if (function != NULL && collector != NULL)
        answer = py.PyObject_CallFunctionObjArgs(function, collector, NULL);
    int status = answer != NULL ? 0 : -1;
    py_clear_error();
    py_release(function);
    py_release(collector);
    py_release(answer);
    return status;
}
