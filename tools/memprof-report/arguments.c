/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "amount.h"
#include "reading.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_HTML = 256, OPTION_DIFF, OPTION_FOLLOW, OPTION_ROWS, OPTION_PID, OPTION_VERSION };
enum { ROWS_MAX = 100 };

static const char usage[] =
    "Usage: memprof-report [--rows N] [--pid PID] [--html PAGE] [--follow] FILE...\n"
    "       memprof-report [--rows N] [--pid PID] --diff A B\n"
    "\n"
    "Says what the snapshots in FILE say together. FILE is what snapshot_file has written, or any "
    "log\n"
    "with the snapshots in it; - is standard input.\n"
    "\n"
    "  --rows N       classes in each ranking, 1 to 100 (10, and all with --diff)\n"
    "  --pid PID      only the process of this number\n"
    "  --html PAGE    write one web page, with charts, to the file PAGE\n"
    "  --follow       go on reading, and show what changes, until Ctrl-C\n"
    "  --diff         what has changed between two snapshots: A and B are FILE (its last one) or\n"
    "                 FILE@N (its Nth)\n"
    "  -h, --help     this text\n"
    "  --version      the version\n";

static int read_number(const char *name, const char *text, int64_t most, int64_t *number)
{
    const char *at = text, *end = text + strlen(text);
    if (strchr(text, ',') == NULL && amount_read_count(&at, end, number) && at == end &&
        *number >= 1 && *number <= most)
        return 0;
    fprintf(stderr, "memprof-report: %s: found \"%s\", allowed: an integer from 1 to %lld\n", name,
            text, (long long)most);
    return -1;
}

static int read_option(struct arguments *arguments, int option)
{
    int64_t rows;
    switch (option) {
    case OPTION_HTML:
        arguments->html = optarg;
        return 0;
    case OPTION_DIFF:
        arguments->is_diff = true;
        return 0;
    case OPTION_FOLLOW:
        arguments->is_follow = true;
        return 0;
    case OPTION_ROWS:
        if (read_number("--rows", optarg, ROWS_MAX, &rows) != 0)
            return -1;
        arguments->rows = (size_t)rows;
        return 0;
    case OPTION_PID:
        return read_number("--pid", optarg, INT32_MAX, &arguments->pid);
    case OPTION_VERSION:
        printf("memprof-report %s\n", MEMPROF_VERSION);
        arguments->is_over = true;
        return 0;
    case 'h':
        fputs(usage, stdout);
        arguments->is_over = true;
        return 0;
    default:
        fputs("Try memprof-report --help.\n", stderr);
        return -1;
    }
}

static int check(const struct arguments *arguments)
{
    const char *fault = NULL;
    if (arguments->is_diff && arguments->file_count != 2)
        fault = "--diff: allowed: two snapshots, each FILE or FILE@N";
    else if (arguments->is_diff && (arguments->is_follow || arguments->html != NULL))
        fault = "--diff: allowed: without --follow and --html";
    else if (arguments->is_follow && arguments->html != NULL)
        fault = "--follow: allowed: without --html";
    else if (arguments->file_count == 0)
        fault = "found no FILE, allowed: one or more, or - for standard input";
    if (fault == NULL)
        return 0;
    fprintf(stderr, "memprof-report: %s\nTry memprof-report --help.\n", fault);
    return -1;
}

int arguments_read(struct arguments *arguments, int count, char **words)
{
    static const struct option options[] = {
        {"html", required_argument, NULL, OPTION_HTML},
        {"diff", no_argument, NULL, OPTION_DIFF},
        {"follow", no_argument, NULL, OPTION_FOLLOW},
        {"rows", required_argument, NULL, OPTION_ROWS},
        {"pid", required_argument, NULL, OPTION_PID},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    *arguments = (struct arguments){.pid = READING_UNKNOWN};
    while ((option = getopt_long(count, words, "h", options, NULL)) != -1) {
        if (read_option(arguments, option) != 0)
            return -1;
        if (arguments->is_over)
            return 0;
    }
    arguments->files = words + optind;
    arguments->file_count = (size_t)(count - optind);
    return check(arguments);
}
