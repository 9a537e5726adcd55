/* SPDX-License-Identifier: MIT
 *
 * Every fork() of this process, also those that Python is not told of: uWSGI and C extensions fork
 * without os.register_at_fork's callbacks. vfork, posix_spawn and clone are not seen.
 */
#ifndef MEMPROF_FORK_WATCH_H
#define MEMPROF_FORK_WATCH_H

/* Has `before`, then `in_parent` or `in_child` called on the thread that forks, by whatever code
 * and in whatever state; no GIL is held for sure. Once per process: it cannot be taken back, and
 * children inherit it. Returns 0, or -1 where this libc has no such thing. */
int fork_watch_begin(void (*before)(void), void (*in_parent)(void), void (*in_child)(void));

#endif
