/* SPDX-License-Identifier: MIT
 *
 * Invariant: bytes == NULL or bytes[size] == '\0', and size < capacity.
 */
#include "text.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    size_t needed = text->size + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity == 0 ? 256 : text->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    char *bytes = memory_resize(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (!reserve(text, size))
        return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
    char part[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(part, sizeof(part), format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof(part)) {
        text_add_bytes(text, part, (size_t)size);
        return;
    }
    if (size < 0 || !reserve(text, (size_t)size))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

void text_clear(struct text *text)
{
    memory_free(text->bytes);
    *text = (struct text){0};
}
