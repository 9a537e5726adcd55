/* SPDX-License-Identifier: MIT
 *
 * `!ENV ${NAME:default}`, as the Python package pyaml-env 1.2 resolves it. */
#ifndef MEMPROF_ENV_TEMPLATE_H
#define MEMPROF_ENV_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* More than any sensible template has; pyaml-env has no limits. */
#define TEMPLATE_LIMIT_BYTES 4096
#define TEMPLATE_RESULT_LIMIT_BYTES 16384

struct template
{
    char *text; /* owned; the resolved string */
    size_t length;
    char tag[64]; /* the tag:yaml.org,2002:x the template asks for, or "" */
    const char
        *variable; /* borrowed from the source: the first one unset without a default, else */
    size_t variable_length; /* the first one; NULL when there is no placeholder */
    bool missing;           /* that variable is unset and has no default */
};

enum template_fault { TEMPLATE_RESOLVED, TEMPLATE_TOO_LONG, TEMPLATE_OUT_OF_MEMORY };

/* There is nothing to destroy unless it returns TEMPLATE_RESOLVED. */
enum template_fault template_resolve(struct template *result, const char *source, size_t length,
                                     const struct config_environment *environment);

void template_destroy(struct template *result);

#endif
