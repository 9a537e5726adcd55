/* SPDX-License-Identifier: MIT
 *
 * What the user asked for, from the environment and the YAML file. */
#ifndef MEMPROF_CONFIG_H
#define MEMPROF_CONFIG_H

#include <stdbool.h>

#include "memprof.h"

/* A list of names: one after the other, each followed by its NUL, and the last one by a second NUL.
 * In place, so that a configuration is copied by assignment and owns nothing. */
struct config_names {
    char text[MEMPROF_NAMES_LIMIT_BYTES + 2];
};

/* A path; empty for none. */
struct config_path {
    char text[MEMPROF_PATH_LIMIT_BYTES + 1];
};

/* One field per option of the table in options.c: a list is its names, a path its text, everything
 * else one long.
 * Booleans are 0 or 1, a choice is the index into its choices, a signal is its number or 0 for
 * none. */
struct config {
    long enabled;
    long interval_seconds;
    long top_n_classes;
    long follow_children;
    long collect;
    long count_untracked;
    long snapshot_mode;
    long fork_timeout_seconds;
    long max_overhead_percent;
    long snapshot_signal;
    long snapshot_at_exit;
    long output;
    long metrics;
    struct config_path snapshot_file;
    long snapshot_file_max_mb;
    long leak_detection;
    struct config_names retention_classes;
};

enum config_output { CONFIG_OUTPUT_AUTO, CONFIG_OUTPUT_LOGGING, CONFIG_OUTPUT_STDERR };

enum config_mode { CONFIG_MODE_AUTO, CONFIG_MODE_INLINE, CONFIG_MODE_FORK };

enum config_severity { CONFIG_WARNING, CONFIG_ERROR };

/* How the loader sees the world; the production one asks getenv and prints. */
struct config_environment {
    /* The value of a variable, NULL when unset; must stay valid until config_load returns. */
    const char *(*lookup)(const char *name, void *context);
    /* Gets one line of printable UTF-8 without prefix or newline, valid during the call only. */
    void (*report)(enum config_severity severity, const char *text, void *context);
    void *context;
};

/* Whether MEMPROF_ENABLED says no: the switch that is read before anything else. */
bool config_is_switched_off(const struct config_environment *environment);

/* Returns 0 with *config filled, warnings may have been reported; or -1 with exactly one
 * CONFIG_ERROR reported and *config set to the defaults with `enabled` 0: the profiler must stay
 * off. Reads nothing but the environment when that says the profiler is off. Takes less than a
 * second of CPU time and 64 MiB whatever the file holds. Runs no Python code. */
int config_load(struct config *config, const struct config_environment *environment);

#endif
