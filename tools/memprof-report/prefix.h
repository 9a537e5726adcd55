/* SPDX-License-Identifier: MIT
 *
 * What collectors of logs put before every line: the time (`docker logs -t`), the container
 * (`docker compose logs`, `kubectl logs --prefix`), the unit (journalctl), the stream (the files of
 * a Kubernetes node). Pure.
 */
#ifndef MEMPROF_REPORT_PREFIX_H
#define MEMPROF_REPORT_PREFIX_H

#include "moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prefix {
    size_t size;        /* of all of it */
    const char *source; /* within the line; empty if none is named */
    size_t source_size;
    int64_t pid; /* or READING_UNKNOWN */
    bool has_moment;
    struct moment moment;
    bool has_stream; /* stdout or stderr is named */
    bool is_partial; /* the next line of this source goes on where this one ends */
};

/* `now_ms` is for times that name no year. */
struct prefix prefix_read(const char *line, size_t size, int64_t now_ms);

#endif
