/* SPDX-License-Identifier: MIT
 *
 * The signal that asks for a snapshot at once. A signal that the program handles is the program's.
 */
#ifndef MEMPROF_SNAPSHOT_SIGNAL_H
#define MEMPROF_SNAPSHOT_SIGNAL_H

#include <stdbool.h>

/* Installs a handler that calls `asked`, which must be async-signal-safe. SA_RESTART and SA_ONSTACK
 * are set; calls that no handler restarts (signal.pause(), sleeps in C) end early as with any
 * handler. Returns 0, or -1 where the signal's disposition is not the default any more. */
int snapshot_signal_install(int number, void (*asked)(void));

/* True while the handler installed above is still in place. */
bool snapshot_signal_is_installed(void);

/* Gives the signal its default disposition back, unless the program has taken it over. */
void snapshot_signal_remove(void);

/* `number` as a user writes it: SIGUSR1, SIGRTMIN+3. Into `name`, which has room for 16 bytes. */
void snapshot_signal_name(int number, char name[16]);

#endif
