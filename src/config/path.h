/* SPDX-License-Identifier: MIT
 *
 * Paths of files. */
#ifndef MEMPROF_PATH_H
#define MEMPROF_PATH_H

#include <stddef.h>

#include "config/config.h"

/* Sets the path to a text, which may be empty. Returns -1, and leaves it alone, where the text is
 * too long, or holds what would not show in a message. */
int path_set(struct config_path *path, const char *text, size_t length);

/* Puts `directory`, which is absolute, before a path that is not. Returns -1, and leaves it alone,
 * where the whole is too long. */
int path_make_absolute(struct config_path *path, const char *directory);

#endif
