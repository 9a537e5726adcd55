/* SPDX-License-Identifier: MIT
 *
 * One web page with all that the model knows. It loads nothing from anywhere.
 */
#ifndef MEMPROF_REPORT_HTML_H
#define MEMPROF_REPORT_HTML_H

#include "model.h"

/* Whether this program was built with what the page needs; said on standard error if not. */
bool html_is_there(void);

/* Writes the page to a file. -1, and said on standard error, if that cannot be. */
int html_write(const char *path, const struct model *model);

#endif
