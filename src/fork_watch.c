/* SPDX-License-Identifier: MIT
 *
 * musl exports pthread_atfork(); glibc links its own into each object from libc_nonshared.a, which
 * we do not link, and exports what that one calls.
 */
#include "fork_watch.h"

#include <stddef.h>

int __register_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void),
                      void *library) __attribute__((weak));
int pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
    __attribute__((weak));

int fork_watch_begin(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    static char this_library; /* its address tells glibc whose handlers these are */
    if (__register_atfork != NULL)
        return __register_atfork(before, in_parent, in_child, &this_library) == 0 ? 0 : -1;
    if (pthread_atfork != NULL)
        return pthread_atfork(before, in_parent, in_child) == 0 ? 0 : -1;
    return -1;
}
