/* SPDX-License-Identifier: MIT
 *
 * Preloaded: a disk that does not answer. */
#include <unistd.h>

int flock(int descriptor, int operation);

int flock(int descriptor, int operation)
{
    (void)descriptor;
    (void)operation;
    for (;;)
        pause();
}
