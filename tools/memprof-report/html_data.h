/* SPDX-License-Identifier: MIT
 *
 * The model as JSON that may stand within a <script> of a page, whatever the names in it hold.
 */
#ifndef MEMPROF_REPORT_HTML_DATA_H
#define MEMPROF_REPORT_HTML_DATA_H

#include "model.h"

#include <stdio.h>

/* 0, or -1 when out of memory. What cannot be written shows in ferror(). */
int html_data_write(FILE *out, const struct model *model);

/* A JSON string: nothing in it ends a script or begins a tag, and it is valid UTF-8. */
void html_data_write_text(FILE *out, const char *text);

#endif
