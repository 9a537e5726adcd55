/* SPDX-License-Identifier: MIT
 *
 * The gauges as a collector of prometheus_client.
 */
#ifndef MEMPROF_PY_PROMETHEUS_H
#define MEMPROF_PY_PROMETHEUS_H

#include "py_api.h"

/* prometheus_client.REGISTRY, or NULL where the program has not imported that. Imports nothing. New
 * reference. GIL. */
PyObject *py_prometheus_find(void);

/* Registers a collector with it, which is asked when the program is scraped. Where OpenTelemetry's
 * exporter for Prometheus shows the same gauges in the same registry, it has nothing to tell. Takes
 * the registry's lock. 0, or -1 where something was raised: the program has metrics of these names.
 * GIL. */
int py_prometheus_register(PyObject *registry);

#endif
