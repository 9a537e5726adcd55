/* SPDX-License-Identifier: MIT
 *
 * UTF-8, one character at a time. */
#ifndef MEMPROF_UTF8_H
#define MEMPROF_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Reads the character that starts at bytes. Returns how many bytes it takes, or 0 when there is
 * none: end of input, a stray or missing continuation byte, an overlong form, a surrogate. */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *character);

/* Writes a valid character, at most 4 bytes, without a terminator. Returns how many. */
size_t utf8_encode(uint32_t character, char *bytes);

#endif
