/* SPDX-License-Identifier: MIT
 *
 * Stands in for a Python of another architecture: emulate ARGUMENT... runs ROOT/usr/bin/python3 under
 * EMULATOR, both named when this is compiled. Static, so that the LD_PRELOAD meant for the emulated
 * program does not meet a dynamic linker of this machine on its way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    char preload[4096];
    char **command = calloc((size_t)count + 8, sizeof(*command));
    const char *wanted = getenv("LD_PRELOAD");
    int used = 0;
    if (command == NULL)
        return 126;
    command[used++] = EMULATOR;
    command[used++] = "-L";
    command[used++] = ROOT;
    if (wanted != NULL) {
        snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", wanted);
        command[used++] = "-E";
        command[used++] = preload;
        unsetenv("LD_PRELOAD");
    }
    command[used++] = ROOT "/usr/bin/python3";
    for (int i = 1; i < count; i++)
        command[used++] = arguments[i];
    execv(EMULATOR, command);
    perror(EMULATOR);
    return 126;
}
