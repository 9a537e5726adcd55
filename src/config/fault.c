/* SPDX-License-Identifier: MIT
 *
 * A fault keeps the first text written to it; later ones are consequences. The text is always
 * terminated and never spans lines, because everything variable in it went through quote.c. */
#include "config/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, size_t line, size_t column, const char *format, ...)
{
    va_list arguments;

    if (fault->text[0] != '\0')
        return -1;
    fault->line = line;
    fault->column = column;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return -1;
}

int fault_out_of_memory(struct fault *fault)
{
    return fault_set(fault, 0, 0, "out of memory");
}
