/* SPDX-License-Identifier: MIT
 *
 * One thing that is wrong: where, and one line of text that says what. */
#ifndef MEMPROF_FAULT_H
#define MEMPROF_FAULT_H

#include <stddef.h>

#define FAULT_TEXT_SIZE 1024

/* Zero-initialise it; an empty text means that nothing has failed. */
struct fault {
    size_t line; /* 1-based; 0 when the fault has no place in a file */
    size_t column;
    char text[FAULT_TEXT_SIZE];
};

/* Fills the fault, unless an earlier one is already there: the first cause is the one to tell.
 * Always returns -1, so that a function can fail with `return fault_set(...)`. */
int fault_set(struct fault *fault, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int fault_out_of_memory(struct fault *fault);

#endif
