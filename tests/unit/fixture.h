/* SPDX-License-Identifier: MIT
 *
 * A world for config_load: variables, a configuration file, and what was reported. */
#ifndef MEMPROF_FIXTURE_H
#define MEMPROF_FIXTURE_H

#include <stddef.h>

#include "config/config.h"

#define FIXTURE_LINES 64
#define FIXTURE_VARIABLES 20

struct fixture {
    char directory[64];
    char path[96]; /* where fixture_write puts the file; MEMPROF_CONFIG once it has */
    const char *names[FIXTURE_VARIABLES];
    const char *values[FIXTURE_VARIABLES];
    size_t variable_count;
    size_t lookup_count; /* how often anything was asked */
    size_t error_count, warning_count;
    char lines[FIXTURE_LINES][2048]; /* with the path replaced by "F" */
    struct config_environment environment;
    struct config config;
    int result;
};

/* For cmocka: a fresh fixture and its directory in *state. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Later ones win; a NULL value unsets. Both strings must outlive the fixture. */
void fixture_set(struct fixture *fixture, const char *name, const char *value);

/* Writes the file and sets MEMPROF_CONFIG to it. */
void fixture_write(struct fixture *fixture, const char *bytes, size_t size);

/* Forgets earlier reports and loads. */
void fixture_load(struct fixture *fixture);

/* fixture_write and fixture_load of a string. */
void fixture_load_text(struct fixture *fixture, const char *text);

/* The same for lines of our section, indented by three: they start in line 4, column 4. */
void fixture_load_section(struct fixture *fixture, const char *lines);

/* Fails unless loading gave exactly this error line and returned -1. */
void fixture_expect_error(const struct fixture *fixture, const char *line);

/* Fails unless loading went well with exactly these warning lines (the list ends with NULL). */
void fixture_expect_warnings(const struct fixture *fixture, ...) __attribute__((sentinel));

#endif
