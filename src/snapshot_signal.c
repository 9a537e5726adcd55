/* SPDX-License-Identifier: MIT
 *
 * Invariant: `installed` is the number of the signal whose handler was ours when last seen, or 0.
 */
#include "snapshot_signal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int installed;
static void (*call_when_asked)(void);

static void on_signal(int number)
{
    (void)number;
    call_when_asked();
}

static bool is_handled_by(int number, void (*handler)(int))
{
    struct sigaction current;
    return sigaction(number, NULL, &current) == 0 && (current.sa_flags & SA_SIGINFO) == 0 &&
           current.sa_handler == handler;
}

int snapshot_signal_install(int number, void (*asked)(void))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK; /* threads of Go have little other room */
    sigemptyset(&action.sa_mask);
    if (!is_handled_by(number, SIG_DFL))
        return -1;
    call_when_asked = asked;
    if (sigaction(number, &action, NULL) != 0)
        return -1;
    installed = number;
    return 0;
}

bool snapshot_signal_is_installed(void)
{
    return installed != 0 && is_handled_by(installed, on_signal);
}

void snapshot_signal_remove(void)
{
    if (snapshot_signal_is_installed())
        signal(installed, SIG_DFL);
    installed = 0;
}

void snapshot_signal_name(int number, char name[16])
{
    if (number == SIGUSR1 || number == SIGUSR2)
        snprintf(name, 16, "SIGUSR%d", number == SIGUSR1 ? 1 : 2);
    else if (number == SIGRTMIN)
        snprintf(name, 16, "SIGRTMIN");
    else
        snprintf(name, 16, "SIGRTMIN+%d", number - SIGRTMIN);
}
