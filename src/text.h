/* SPDX-License-Identifier: MIT
 *
 * A growing string of bytes.
 */
#ifndef MEMPROF_TEXT_H
#define MEMPROF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Zero is the empty text. Once an allocation has failed, `failed` stays set and later additions do
 * nothing: callers check once, at the end. */
struct text {
    char *bytes; /* of memory.h, always followed by a NUL, which is not counted */
    size_t size;
    size_t capacity;
    bool failed;
};

void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees what the text owns and leaves it empty. */
void text_clear(struct text *text);

#endif
