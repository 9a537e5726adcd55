/* SPDX-License-Identifier: MIT
 *
 * Reads a small regular file whole. */
#ifndef MEMPROF_FILE_H
#define MEMPROF_FILE_H

#include <stddef.h>

#include "config/fault.h"

/* Sets *bytes (malloc'ed, the caller frees it) and *size. Returns -1 with the fault set when the
 * file cannot be read, is not a regular file or is larger than limit_bytes. Never blocks: nothing
 * but a regular file is opened for longer than it takes to see what it is. */
int file_read(const char *path, size_t limit_bytes, char **bytes, size_t *size,
              struct fault *fault);

#endif
