/* SPDX-License-Identifier: MIT
 *
 * The parser works on a buffer, so that tests need no kernel.
 */
#include "process_stats.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_BYTES = 8192 };

/* The number of a line `name:   123 kB`, in bytes. */
static uint64_t kilobytes(const char *text, const char *name)
{
    /* A process may have been given any name, and so a text like one of these lines. */
    const char *line = strstr(text, name);
    while (line != NULL && line != text && line[-1] != '\n')
        line = strstr(line + 1, name);
    if (line == NULL)
        return PROCESS_STATS_UNKNOWN;
    const char *at = line + strlen(name);
    while (*at == ' ' || *at == '\t')
        at++;
    uint64_t number = 0;
    const char *first = at;
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    return at != first && strncmp(at, " kB", 3) == 0 ? number * 1024 : PROCESS_STATS_UNKNOWN;
}

void process_stats_parse(struct process_stats *stats, const char *text)
{
    stats->resident_bytes = kilobytes(text, "VmRSS:");
    stats->anonymous_bytes = kilobytes(text, "RssAnon:");
    stats->swapped_bytes = kilobytes(text, "VmSwap:");
}

void process_stats_read(struct process_stats *stats)
{
    char text[STATUS_BYTES] = "";
    size_t size = 0;
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    while (file >= 0 && size < sizeof(text) - 1 &&
           (got = read(file, text + size, sizeof(text) - 1 - size)) > 0)
        size += (size_t)got;
    if (file >= 0)
        close(file);
    text[size] = '\0';
    process_stats_parse(stats, text);
}
