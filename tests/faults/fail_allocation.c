/* SPDX-License-Identifier: MIT
 *
 * Preloaded beside libmemprof.so: makes its FAIL_ALLOCATION-th allocation fail, nobody else's.
 * Writes what it saw to descriptor FAIL_REPORT when the program ends: the number of allocations.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

static atomic_long seen;
static long fail_at = -1;
static atomic_uintptr_t library; /* its base address, 1 while unknown */

static int find_library(struct dl_phdr_info *file, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (strstr(file->dlpi_name, "libmemprof") == NULL)
        return 0;
    atomic_store(&library, file->dlpi_addr);
    return 1;
}

static void look_around(void)
{
    const char *number = getenv("FAIL_ALLOCATION");
    fail_at = number != NULL ? atol(number) : -1;
    atomic_store(&library, 1);
    dl_iterate_phdr(find_library, NULL);
}

static int is_ours(const void *caller)
{
    Dl_info info;
    if (atomic_load(&library) == 0)
        look_around();
    return atomic_load(&library) > 1 && dladdr(caller, &info) &&
           (uintptr_t)info.dli_fbase == atomic_load(&library);
}

static int must_fail(const void *caller)
{
    if (!is_ours(caller) || atomic_fetch_add(&seen, 1) + 1 != fail_at)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_realloc(pointer, size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = must_fail(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

__attribute__((destructor)) static void tell(void)
{
    const char *descriptor = getenv("FAIL_REPORT");
    if (descriptor != NULL)
        dprintf(atoi(descriptor), "%ld\n", atomic_load(&seen));
}
