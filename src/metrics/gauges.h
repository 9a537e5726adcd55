/* SPDX-License-Identifier: MIT
 *
 * The figures of the latest snapshot as what systems of metrics call gauges: which there are, and
 * what each says now. No Python; any thread may ask, at any time.
 */
#ifndef MEMPROF_GAUGES_H
#define MEMPROF_GAUGES_H

#include "snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gauge {
    GAUGE_CLASS_OBJECTS, /* these two once for each class of their table, */
    GAUGE_CLASS_SIZE,
    GAUGE_CLASS_SUSPECTED, /* 1 for each class that is suspected of a leak, */
    GAUGE_PYTHON_OBJECTS,  /* all others once */
    GAUGE_PYTHON_SIZE,
    GAUGE_PYTHON_BLOCKS,
    GAUGE_PROCESS_RESIDENT,
    GAUGE_PROCESS_ANONYMOUS,
    GAUGE_PROCESS_SWAPPED,
    GAUGE_ALLOCATOR_USED,
    GAUGE_ALLOCATOR_FREE,
    GAUGE_COUNT
};

/* The attribute, or label, that holds the name of the class. */
#define GAUGE_CLASS "class"

/* As OpenTelemetry has them: memory_profiler.class.size, and a unit of UCUM, `By` for bytes. */
const char *gauge_name(enum gauge gauge);
const char *gauge_unit(enum gauge gauge);
const char *gauge_description(enum gauge gauge);
bool gauge_has_class(enum gauge gauge);

/* As Prometheus has it, memory_profiler_class_size_bytes: what OpenTelemetry's rules for Prometheus
 * make of the name and the unit. */
enum { GAUGE_TEXT_SIZE = 64 };
void gauge_write_prometheus_name(enum gauge gauge, char text[GAUGE_TEXT_SIZE]);

struct gauge_value {
    const char *class; /* NULL where the gauge has none */
    uint64_t value;
};

/* The gauges of one snapshot, which stay as they are. */
struct gauges;

/* The latest ones, or NULL where this very process has had no snapshot: give them back soon. */
struct gauges *gauges_hold(void);
void gauges_release(struct gauges *gauges);

/* What is known of one of them; none where nothing is. Valid until gauges_release(). */
const struct gauge_value *gauges_values(const struct gauges *gauges, enum gauge gauge,
                                        size_t *count);

enum { GAUGES_SUSPECTS_LIMIT = 32 };

/* A ranked snapshot takes the place of the one before; at most `rows` classes of each table are
 * kept, and of the suspects, which end with NULL, those up to the limit. Where memory is short the
 * one before stays. */
void gauges_set(const struct snapshot *snapshot, size_t rows, const char *const *suspects);

/* None any more. */
void gauges_clear(void);

/* In a forked child: they are the parent's, and whoever held them is not there. */
void gauges_forget(void);

#endif
