/* SPDX-License-Identifier: MIT
 *
 * The one place where a fault becomes a line of text for the user. */
#ifndef MEMPROF_CONFIG_MESSAGE_H
#define MEMPROF_CONFIG_MESSAGE_H

#include "config/config.h"
#include "config/fault.h"

/* Reports `<file>:<line>:<column>: <text>`, or without the parts that are not known. file is NULL
 * for a fault of the environment. */
void config_report(const struct config_environment *environment, enum config_severity severity,
                   const char *file, const struct fault *fault);

#endif
