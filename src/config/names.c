/* SPDX-License-Identifier: MIT
 *
 * A name is put where the second NUL of the list stands. */
#include "config/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "config/quote.h"
#include "config/utf8.h"

static bool is_space(char character)
{
    return character == ' ' || character == '\t';
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           character == '_' || (unsigned char)character >= 0x80;
}

/* Whatever a class may be called, <unknown>.Name among it, and nothing that would not show in a
 * log. */
static bool is_name(const char *text, size_t length)
{
    size_t first = length > 1 && text[0] == '<';

    if (length == 0 || !is_letter(text[first]))
        return false;
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t width = utf8_decode(text + at, length - at, &character);

        if (width == 0 || character == ' ' || quote_is_invisible(character))
            return false;
        at += width;
    }
    return true;
}

static int add_name(struct config_names *names, const char *text, size_t length)
{
    const char *at = names->text;
    size_t count = 0;

    for (; *at != '\0'; at += strlen(at) + 1, count++) {
        if (strlen(at) == length && memcmp(at, text, length) == 0)
            return 0;
    }
    size_t used = (size_t)(at - names->text);
    if (count == MEMPROF_NAMES_LIMIT || used + length + 2 > sizeof names->text)
        return -1;
    memcpy(names->text + used, text, length);
    memset(names->text + used + length, 0, 2);
    return 0;
}

int names_add(struct config_names *names, const char *text, size_t length)
{
    const char *end = text + length;

    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *first = text, *last = comma != NULL ? comma : end;

        while (first < last && is_space(*first))
            first++;
        while (last > first && is_space(last[-1]))
            last--;
        if (!is_name(first, (size_t)(last - first)) ||
            add_name(names, first, (size_t)(last - first)) != 0)
            return -1;
        if (comma == NULL)
            return 0;
        text = comma + 1;
    }
}
