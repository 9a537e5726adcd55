/* SPDX-License-Identifier: MIT
 *
 * The command line.
 */
#ifndef MEMPROF_REPORT_ARGUMENTS_H
#define MEMPROF_REPORT_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arguments {
    char **files; /* the caller's argv; "-" is standard input */
    size_t file_count;
    const char *html;                 /* where the page goes, or NULL */
    bool is_diff, is_follow, is_over; /* the last: help or the version was asked for and given */
    size_t rows;                      /* 0 if that is not said */
    int64_t pid;                      /* or READING_UNKNOWN for all */
};

/* -1, and said on standard error what is wrong, if the command line is. */
int arguments_read(struct arguments *arguments, int count, char **words);

#endif
