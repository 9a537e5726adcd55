/* SPDX-License-Identifier: MIT
 *
 * The contract between the profiler, its tools and its tests: names and limits that users see.
 */
#ifndef MEMPROF_H
#define MEMPROF_H

/* Names the YAML file to read; unset or empty means that the preload itself is the request. */
#define MEMPROF_ENV_CONFIG "MEMPROF_CONFIG"
/* Every option can be overridden by a variable of its own: this prefix and its upper-case name. */
#define MEMPROF_ENV_PREFIX "MEMPROF_"
#define MEMPROF_ENV_SNAPSHOT_FILE MEMPROF_ENV_PREFIX "SNAPSHOT_FILE"
/* Set by the first profiled process of a process tree to its process id, for its descendants. */
#define MEMPROF_ENV_MARK "MEMPROF_PROFILED_PID"

#define MEMPROF_CONFIG_LIMIT_BYTES (4 * 1024 * 1024)

/* Where the options live in the file, from the root of its first document. */
#define MEMPROF_SECTION_PATH {"general", "monitoring", "memory_profiling"}
#define MEMPROF_SECTION_LEVELS 3
#define MEMPROF_SECTION_NAME "general.monitoring.memory_profiling"

#define MEMPROF_INTERVAL_SECONDS_MINIMUM 10
#define MEMPROF_INTERVAL_SECONDS_MAXIMUM 31536000 /* 365 days */
#define MEMPROF_TOP_N_CLASSES_MINIMUM 1
#define MEMPROF_TOP_N_CLASSES_MAXIMUM 1000000
#define MEMPROF_FORK_TIMEOUT_SECONDS_MINIMUM 1
#define MEMPROF_FORK_TIMEOUT_SECONDS_MAXIMUM 3600
/* Of a list of class names: all of them together, each with its NUL. */
#define MEMPROF_NAMES_LIMIT 16
#define MEMPROF_NAMES_LIMIT_BYTES 2046
/* Of a path, without its NUL. */
#define MEMPROF_PATH_LIMIT_BYTES 1023
#define MEMPROF_SNAPSHOT_FILE_MAX_MB_MAXIMUM 1000000

/* What every record carries: its logger, its thread and the file that it names as its origin. */
#define MEMPROF_LOGGER "memory_profiler"
#define MEMPROF_THREAD "MemoryProfiler"
#define MEMPROF_LIBRARY "libmemprof.so"
#define MEMPROF_STARTED "Main :: Starting memory profiler"

/* The version of the lines of `snapshot_file`: a new one where something in them means something
 * else than before. What is added does not raise it. */
#define MEMPROF_SCHEMA_VERSION 1
/* How each of these lines begins, whatever the version. */
#define MEMPROF_LINE_START "{\"memprof\":"

#endif
