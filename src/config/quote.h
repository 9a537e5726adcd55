/* SPDX-License-Identifier: MIT
 *
 * Makes foreign text safe to show inside a one-line message. */
#ifndef MEMPROF_QUOTE_H
#define MEMPROF_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTE_CHARACTERS 60
/* Room for a quoted value: up to 4 bytes a character, the quotes, "..." and the terminator. */
#define QUOTE_SIZE (QUOTE_CHARACTERS * 4 + 8)

/* Writes the text without quotes, escaped like a C string: control and invisible characters,
 * quotes, backslashes and bytes that are not UTF-8. Shows at most `most` characters, then "...".
 * The result is valid UTF-8, has no newline and is always terminated. Returns buffer. */
char *quote_bare(char *buffer, size_t size, const char *text, size_t length, size_t most);

/* The same, cut at QUOTE_CHARACTERS, between double quotes. */
char *quote_text(char buffer[QUOTE_SIZE], const char *text, size_t length);

/* What a terminal or a log viewer would act upon, hide or reorder instead of showing. */
bool quote_is_invisible(uint32_t character);

#endif
