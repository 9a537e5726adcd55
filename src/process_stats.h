/* SPDX-License-Identifier: MIT
 *
 * The memory of this process as the kernel counts it: /proc/self/status, see proc(5).
 */
#ifndef MEMPROF_PROCESS_STATS_H
#define MEMPROF_PROCESS_STATS_H

#include <stdint.h>

#define PROCESS_STATS_UNKNOWN UINT64_MAX

/* Each member is PROCESS_STATS_UNKNOWN where the kernel does not tell. */
struct process_stats {
    uint64_t resident_bytes;  /* VmRSS */
    uint64_t anonymous_bytes; /* RssAnon: the heap and other private memory, without files */
    uint64_t swapped_bytes;   /* VmSwap */
};

void process_stats_read(struct process_stats *stats);

/* The same of the text of a status file. */
void process_stats_parse(struct process_stats *stats, const char *text);

#endif
