/* SPDX-License-Identifier: MIT
 *
 * A snapshot as snapshot_file writes it, schema 1.
 */
#ifndef MEMPROF_REPORT_JSON_SNAPSHOT_H
#define MEMPROF_REPORT_JSON_SNAPSHOT_H

#include "sink.h"

#include <jansson.h>

/* Hands the snapshot and its verdicts to the sink. One that is not as it should be is complained of
 * there, and nothing of it is used. -1 when out of memory. */
int json_snapshot_read(json_t *object, const struct sink *sink);

#endif
