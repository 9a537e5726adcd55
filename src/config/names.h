/* SPDX-License-Identifier: MIT
 *
 * Lists of class names. */
#ifndef MEMPROF_NAMES_H
#define MEMPROF_NAMES_H

#include <stddef.h>

#include "config/config.h"

/* Adds the names in a text, separated by commas with or without white space around them; those that
 * are there already are not added again. Returns -1, and *names may have some of them, where one is
 * empty or cannot be the name of a class, or where there are too many. */
int names_add(struct config_names *names, const char *text, size_t length);

#endif
