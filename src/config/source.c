/* SPDX-License-Identifier: MIT
 *
 * Whatever leaves this file is valid UTF-8 without NUL, so neither the YAML reader nor a message
 * has to think about encodings again. The file is judged as a whole, before any of it is parsed. */
#include "config/source.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"

static const char allowed[] = "text in UTF-8, or in UTF-16 with a byte order mark";

void source_destroy(struct source *text)
{
    free(text->bytes);
    text->bytes = NULL;
    text->size = 0;
}

void source_locate(const char *bytes, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte == '\n' || (byte == '\r' && !(i + 1 < offset && bytes[i + 1] == '\n'))) {
            ++*line;
            *column = 1;
        } else {
            *column += (byte & 0xC0u) != 0x80u;
        }
    }
}

static int refuse(const char *bytes, size_t offset, const char *found, struct fault *fault)
{
    size_t line, column;

    source_locate(bytes, offset, &line, &column);
    return fault_set(fault, line, column, "found %s, allowed: %s", found, allowed);
}

static int check_utf8(const char *bytes, size_t size, struct fault *fault)
{
    size_t at = 0;

    while (at < size) {
        uint32_t character;
        size_t width = utf8_decode(bytes + at, size - at, &character);

        if (width == 0)
            return refuse(bytes, at, "bytes that are not UTF-8", fault);
        if (character == 0)
            return refuse(bytes, at, "a NUL byte", fault);
        at += width;
    }
    return 0;
}

static uint32_t unit_at(const char *bytes, size_t at, bool big_endian)
{
    unsigned first = (unsigned char)bytes[at], second = (unsigned char)bytes[at + 1];

    return big_endian ? first << 8 | second : second << 8 | first;
}

/* Returns the bytes taken, or 0 when no UTF-16 character starts here. */
static size_t utf16_decode(const char *bytes, size_t length, bool big_endian, uint32_t *character)
{
    uint32_t high, low;

    if (length < 2)
        return 0;
    high = unit_at(bytes, 0, big_endian);
    *character = high;
    if (high < 0xD800 || high > 0xDFFF)
        return 2;
    if (high > 0xDBFF || length < 4)
        return 0;
    low = unit_at(bytes, 2, big_endian);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *character = 0x10000 + ((high & 0x3FFu) << 10 | (low & 0x3FFu));
    return 4;
}

static int convert_utf16(struct source *text, const char *bytes, size_t size, bool big_endian,
                         struct fault *fault)
{
    size_t at = 0;

    /* Two bytes become at most three. */
    text->bytes = malloc(size / 2 * 3 + 1);
    if (text->bytes == NULL)
        return fault_out_of_memory(fault);
    while (at < size) {
        uint32_t character;
        size_t width = utf16_decode(bytes + at, size - at, big_endian, &character);

        if (width == 0)
            return refuse(text->bytes, text->size, "bytes that are not UTF-16", fault);
        if (character == 0)
            return refuse(text->bytes, text->size, "a NUL character", fault);
        text->size += utf8_encode(character, text->bytes + text->size);
        at += width;
    }
    return 0;
}

int source_decode(struct source *text, char *bytes, size_t size, struct fault *fault)
{
    int result;

    text->bytes = NULL;
    text->size = 0;
    if (size >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0)) {
        result = convert_utf16(text, bytes + 2, size - 2, bytes[0] == '\xFE', fault);
        free(bytes);
    } else {
        size_t mark = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

        memmove(bytes, bytes + mark, size - mark);
        text->bytes = bytes;
        text->size = size - mark;
        result = check_utf8(text->bytes, text->size, fault);
    }
    if (result != 0)
        source_destroy(text);
    return result;
}
