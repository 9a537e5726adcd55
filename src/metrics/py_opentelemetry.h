/* SPDX-License-Identifier: MIT
 *
 * The gauges as observable gauges of the program's own OpenTelemetry.
 */
#ifndef MEMPROF_PY_OPENTELEMETRY_H
#define MEMPROF_PY_OPENTELEMETRY_H

#include "py_api.h"

/* For a new life of the interpreter: nothing is registered. Needs no GIL. */
void py_opentelemetry_begin(void);

/* The meter provider that the program has set, or NULL where it has set none yet. Imports nothing,
 * and makes none. New reference. GIL. */
PyObject *py_opentelemetry_find(void);

/* Whether the program has imported OpenTelemetry's API but set no provider yet. GIL. */
bool py_opentelemetry_is_expected(void);

/* Makes the gauges with it; they are asked for when the program's readers collect. Runs the SDK's
 * code, which takes its locks. 0, or -1 where something was raised. GIL. */
int py_opentelemetry_register(PyObject *provider);

/* Whether the gauges are in prometheus_client's registry too, by OpenTelemetry's own exporter. GIL.
 */
bool py_opentelemetry_exports_to_prometheus(void);

#endif
