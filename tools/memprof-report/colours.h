/* SPDX-License-Identifier: MIT
 *
 * Logs that were written for a terminal: what colours them says nothing. Pure.
 */
#ifndef MEMPROF_REPORT_COLOURS_H
#define MEMPROF_REPORT_COLOURS_H

#include <stddef.h>

/* Moves the rest together, and returns how many bytes that is. */
size_t colours_remove(char *text, size_t size);

#endif
