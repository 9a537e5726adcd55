/* SPDX-License-Identifier: MIT
 *
 * The fault's text is safe to show as it is; the file's name comes from outside and is escaped. */
#include "config/config_message.h"

#include <stdio.h>
#include <string.h>

#include "config/quote.h"

#define FILE_NAME_CHARACTERS 200
#define FILE_NAME_SIZE (FILE_NAME_CHARACTERS * 4 + 8)

void config_report(const struct config_environment *environment, enum config_severity severity,
                   const char *file, const struct fault *fault)
{
    char name[FILE_NAME_SIZE] = "", place[48] = "";
    char text[FILE_NAME_SIZE + sizeof place + FAULT_TEXT_SIZE + 4];

    if (file != NULL)
        quote_bare(name, sizeof name, file, strlen(file), FILE_NAME_CHARACTERS);
    if (fault->line > 0)
        snprintf(place, sizeof place, ":%zu:%zu", fault->line, fault->column);
    snprintf(text, sizeof text, "%s%s%s%s", name, place, file == NULL ? "" : ": ", fault->text);
    environment->report(severity, text, environment->context);
}
