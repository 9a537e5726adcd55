/* SPDX-License-Identifier: MIT
 *
 * The gauges as observable gauges of the program's own OpenTelemetry.
 */
#ifndef MEMPROF_PY_OPENTELEMETRY_H
#define MEMPROF_PY_OPENTELEMETRY_H

#include "py_api.h"

/* The meter provider that the program has set, or NULL where it has set none yet. Imports nothing,
 * and makes none. New reference. GIL. */
PyObject *py_opentelemetry_find(void);

/* Makes the gauges with it; they are asked for when the program's readers collect. Runs the SDK's
 * code, which takes its locks. 0, or -1 where something was raised. GIL. */
int py_opentelemetry_register(PyObject *provider);

#endif
