/* SPDX-License-Identifier: MIT
 *
 * The text of a file as one block of valid UTF-8. */
#ifndef MEMPROF_SOURCE_H
#define MEMPROF_SOURCE_H

#include <stddef.h>

#include "config/fault.h"

struct source {
    char *bytes; /* owned; UTF-8 without byte order mark and without NUL */
    size_t size;
};

/* Takes over bytes (malloc'ed; released here when it fails) and turns them into UTF-8: a byte order
 * mark is dropped, UTF-16 with a byte order mark is converted. Returns -1 with the fault set when
 * the bytes are not text. */
int source_decode(struct source *text, char *bytes, size_t size, struct fault *fault);

void source_destroy(struct source *text);

/* The 1-based place of the byte at offset; columns count characters. */
void source_locate(const char *bytes, size_t offset, size_t *line, size_t *column);

#endif
