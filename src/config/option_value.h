/* SPDX-License-Identifier: MIT
 *
 * A node of the file as the value of an option. */
#ifndef MEMPROF_OPTION_VALUE_H
#define MEMPROF_OPTION_VALUE_H

#include <stdbool.h>

#include "config/config.h"
#include "config/fault.h"
#include "config/options.h"
#include "config/yaml_tree.h"

/* Reads the node, which may be an alias and may carry a tag or an !ENV template, into the option's
 * field `value`; a list of such nodes only where the option is a list.
 * Returns -1 with the fault set and *value untouched when the option does not allow it. The fault
 * shows what was found only when shown is true, and otherwise tells its kind. */
int option_value_read(const struct option *option, const struct tree *tree, int node, bool shown,
                      const struct config_environment *environment, void *value,
                      struct fault *fault);

#endif
