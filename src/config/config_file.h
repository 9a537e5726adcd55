/* SPDX-License-Identifier: MIT
 *
 * The section of the configuration file that is ours. */
#ifndef MEMPROF_CONFIG_FILE_H
#define MEMPROF_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/fault.h"
#include "config/options.h"

struct config_file {
    const char *name; /* as the user wrote it; for messages */
    const char *text; /* valid UTF-8 without NUL and without a byte order mark */
    size_t size;
    /* By index into option_table: set elsewhere already, whatever the file says about it. */
    bool overridden[OPTION_COUNT];
};

/* Writes the options that the file sets into *config and leaves the others alone. Reports warnings.
 * Returns -1 with the fault set, and *config half-written, when the file is at fault. */
int config_file_apply(struct config *config, const struct config_file *file,
                      const struct config_environment *environment, struct fault *fault);

#endif
