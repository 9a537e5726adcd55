/* SPDX-License-Identifier: MIT
 *
 * Only shortest forms of Unicode scalar values are characters here; everything else decodes to 0.
 */
#include "config/utf8.h"

static size_t sequence_length(unsigned char lead, uint32_t *bits, uint32_t *smallest)
{
    if (lead < 0x80) {
        *bits = lead;
        *smallest = 0;
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        *bits = lead & 0x1Fu;
        *smallest = 0x80;
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *bits = lead & 0x0Fu;
        *smallest = 0x800;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *bits = lead & 0x07u;
        *smallest = 0x10000;
        return 4;
    }
    return 0;
}

size_t utf8_decode(const char *bytes, size_t length, uint32_t *character)
{
    uint32_t value = 0, smallest = 0;
    size_t width;

    if (length == 0)
        return 0;
    width = sequence_length((unsigned char)bytes[0], &value, &smallest);
    if (width == 0 || width > length)
        return 0;
    for (size_t i = 1; i < width; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if ((byte & 0xC0u) != 0x80u)
            return 0;
        value = value << 6 | (byte & 0x3Fu);
    }
    if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *character = value;
    return width;
}

size_t utf8_encode(uint32_t character, char *bytes)
{
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        bytes[0] = (char)(0xC0u | character >> 6);
        bytes[1] = (char)(0x80u | (character & 0x3Fu));
        return 2;
    }
    if (character < 0x10000) {
        bytes[0] = (char)(0xE0u | character >> 12);
        bytes[1] = (char)(0x80u | (character >> 6 & 0x3Fu));
        bytes[2] = (char)(0x80u | (character & 0x3Fu));
        return 3;
    }
    bytes[0] = (char)(0xF0u | character >> 18);
    bytes[1] = (char)(0x80u | (character >> 12 & 0x3Fu));
    bytes[2] = (char)(0x80u | (character >> 6 & 0x3Fu));
    bytes[3] = (char)(0x80u | (character & 0x3Fu));
    return 4;
}
