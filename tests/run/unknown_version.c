/* SPDX-License-Identifier: MIT
 *
 * Preloaded beside libmemprof.so: makes an ordinary CPython look like one that nobody knows yet.
 * The first answer of PyList_Size() that the profiler gets, which is how many objects
 * gc.get_objects() has returned, does not agree with the collector's lists.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

void *dlvsym(void *library, const char *name, const char *version);

static ssize_t (*list_size)(void *list);

static ssize_t wrong_once(void *list)
{
    static int asked;
    return list_size(list) + (asked++ == 0);
}

static void *real_dlsym(void *library, const char *name)
{
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17"};
    void *(*found)(void *, const char *) = NULL;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && found == NULL; i++)
        found = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    return found != NULL ? found(library, name) : NULL;
}

void *dlsym(void *library, const char *name)
{
    void *found = real_dlsym(library, name);
    Dl_info caller;
    if (found == NULL || strcmp(name, "PyList_Size") != 0 ||
        dladdr(__builtin_return_address(0), &caller) == 0 ||
        strstr(caller.dli_fname, "libmemprof") == NULL)
        return found;
    list_size = (ssize_t(*)(void *))found;
    return (void *)wrong_once;
}
