/* SPDX-License-Identifier: MIT
 *
 * The one table of options. The reader of the file, the reader of the environment, the README's
 * table and the tests all follow it. */
#ifndef MEMPROF_OPTIONS_H
#define MEMPROF_OPTIONS_H

#include <stddef.h>

#include "config/config.h"
#include "config/yaml_scalar.h"

enum option_type {
    OPTION_BOOLEAN,
    OPTION_INTEGER,
    OPTION_SIGNAL,
    OPTION_CHOICE,
    OPTION_NAMES,
    OPTION_PATH
};

enum option_fault { OPTION_ACCEPTED, OPTION_WRONG_TYPE, OPTION_OUT_OF_RANGE };

struct option {
    const char *name;
    enum option_type type;
    long fallback;              /* 0 of a list or path, which is empty */
    long minimum, maximum;      /* of an integer; the most names of a list or bytes of a path */
    const char *const *choices; /* of a choice; ends with NULL */
    size_t offset;              /* of its field in struct config */
};

#define OPTION_COUNT 17
/* The row of the switch for everything: the first, because nothing is to be read before it. */
#define OPTION_ENABLED 0
#define OPTION_TEXT_SIZE 128
#define OPTION_VARIABLE_SIZE 48

extern const struct option option_table[OPTION_COUNT];

/* Both return NULL when there is none. Nearest forgives typing errors, casing and an unfinished
 * word. */
const struct option *option_find(const char *name, size_t length);
const struct option *option_nearest(const char *name, size_t length);

/* The environment variable that overrides it: MEMPROF_ENV_PREFIX and its name in capitals. Returns
 * `text`. */
char *option_variable(const struct option *option, char text[OPTION_VARIABLE_SIZE]);

/* One sentence on what it does. Not for the library: the linker leaves it out there. */
const char *option_help(const struct option *option);

/* The option's field: a struct config_names of OPTION_NAMES, a struct config_path of
 * OPTION_PATH, else a long. */
void *option_slot(const struct option *option, struct config *config);

/* Sets the field to the option's default. */
void option_reset(const struct option *option, struct config *config);

/* Reads a scalar of the file into the option's field, which it leaves alone when it fails. A string
 * that was quoted counts as the number or boolean it spells; one of OPTION_NAMES may be several,
 * separated by commas, and all of them are added to those that the field has. */
enum option_fault option_parse(const struct option *option, const struct scalar *scalar,
                               void *value);

/* Reads the text of an environment variable, which must not have white space around it. Booleans
 * may also be 1 or 0, or be written in any casing. */
enum option_fault option_parse_variable(const struct option *option, const char *text,
                                        size_t length, void *value);

/* What is allowed: `an integer from 10 to 31,536,000`. Returns buffer. */
char *option_describe(const struct option *option, char buffer[OPTION_TEXT_SIZE]);

/* A field as a user would write it: `true`, `60`, `SIGRTMIN+3`, `auto`, `[a.B, c.D]`,
 * `/tmp/a`; `''` for no path. Cut where the buffer ends. Returns buffer. */
char *option_format(const struct option *option, const void *slot, char buffer[OPTION_TEXT_SIZE]);

/* `boolean`, `integer`, `signal`, `choice`, `list` or `path`. */
const char *option_type_name(enum option_type type);

#endif
