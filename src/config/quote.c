/* SPDX-License-Identifier: MIT
 *
 * A character is written whole or not at all, so a cut never leaves half an escape or half a UTF-8
 * sequence behind, and 4 bytes are always kept free for "..." and the terminator. */
#include "config/quote.h"

#include <stdio.h>
#include <string.h>

#include "config/utf8.h"

#define RESERVED 4 /* "..." and the terminator */

bool quote_is_invisible(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) || character == 0xAD ||
           (character >= 0x200B && character <= 0x200F) ||
           (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x2069) || character == 0xFEFF ||
           character >= 0xE0000;
}

/* Writes one character into piece. Returns how many bytes of the text it stands for. */
static size_t escape_character(char piece[12], const char *text, size_t length)
{
    uint32_t character;
    size_t width = utf8_decode(text, length, &character);

    if (width == 0) {
        snprintf(piece, 12, "\\x%02x", (unsigned)(unsigned char)text[0]);
        return 1;
    }
    if (character == '\n')
        strcpy(piece, "\\n");
    else if (character == '\t')
        strcpy(piece, "\\t");
    else if (character == '"' || character == '\\')
        snprintf(piece, 12, "\\%c", (int)character);
    else if (quote_is_invisible(character) && character < 0x100)
        snprintf(piece, 12, "\\x%02x", (unsigned)character);
    else if (quote_is_invisible(character))
        snprintf(piece, 12, "\\U%08x", (unsigned)character);
    else
        snprintf(piece, 12, "%.*s", (int)width, text);
    return width;
}

static size_t count_characters(const char *piece)
{
    size_t count = 0;

    for (; *piece != '\0'; piece++)
        count += ((unsigned char)*piece & 0xC0u) != 0x80u;
    return count;
}

char *quote_bare(char *buffer, size_t size, const char *text, size_t length, size_t most)
{
    size_t used = 0, shown = 0;

    while (length > 0) {
        char piece[12];
        size_t consumed = escape_character(piece, text, length);
        size_t bytes = strlen(piece);

        shown += count_characters(piece);
        if (shown > most || used + bytes + RESERVED > size) {
            memcpy(buffer + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(buffer + used, piece, bytes);
        used += bytes;
        text += consumed;
        length -= consumed;
    }
    buffer[used] = '\0';
    return buffer;
}

char *quote_text(char buffer[QUOTE_SIZE], const char *text, size_t length)
{
    size_t used;

    buffer[0] = '"';
    quote_bare(buffer + 1, QUOTE_SIZE - 2, text, length, QUOTE_CHARACTERS);
    used = strlen(buffer);
    buffer[used] = '"';
    buffer[used + 1] = '\0';
    return buffer;
}
