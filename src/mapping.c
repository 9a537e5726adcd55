/* SPDX-License-Identifier: MIT
 *
 * rt_sigprocmask copies the set before it looks at what to do with it, and refuses to do what it
 * does not know: EINVAL where the eight bytes at an address can be read, EFAULT where they cannot.
 * No sandbox forbids it, and it needs no descriptor. That it works so is seen each time at an
 * address that nobody can read.
 */
#include "mapping.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SET_BYTES = 8, NO_SUCH_ACTION = -1 };

/* 0 where they can be read, else an error. */
static int ask(uintptr_t address)
{
    if (syscall(SYS_rt_sigprocmask, NO_SUCH_ACTION, address, NULL, (size_t)SET_BYTES) == 0)
        return EFAULT; /* what is not asked about NULL */
    return errno == EINVAL ? 0 : errno;
}

bool mapping_is_readable(const void *address, size_t size)
{
    const uintptr_t kernel = ~(uintptr_t)4095;
    uintptr_t first = (uintptr_t)address, last = first + size - SET_BYTES;
    return ask(kernel) == EFAULT && ask(first) == 0 && ask(last) == 0;
}
