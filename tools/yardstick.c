/* SPDX-License-Identifier: MIT
 *
 * What cannot be beaten, for tools/memprof-bench to compare with: following the collector's lists
 * from object to object, and a copy of the process that ends at once. Called through ctypes.PyDLL,
 * which keeps the GIL.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct gc_head {
    uintptr_t next;
    uintptr_t previous;
};

struct generation {
    struct gc_head head;
    int threshold, count;
};

double yardstick_chase_ms(int64_t *count);
double yardstick_fork_ms(void);
double yardstick_chase_in_copy_ms(void);

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const struct gc_head *next_of(const struct gc_head *head)
{
    return (const struct gc_head *)(head->next & ~(uintptr_t)3);
}

/* Follows all three lists, and counts. An object that was tracked just now is the newest of the
 * youngest list: its `next` is the head. -1 where this is no CPython. */
double yardstick_chase_ms(int64_t *count)
{
    void *(*new_list)(ssize_t) = (void *(*)(ssize_t))dlsym(RTLD_DEFAULT, "PyList_New");
    void (*release)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "Py_DecRef");
    void *newest = new_list != NULL && release != NULL ? new_list(0) : NULL;
    if (newest == NULL)
        return -1;
    const struct generation *first =
        (const struct generation *)(const void *)next_of((const struct gc_head *)newest - 1);
    release(newest);
    double start_ms = now_ms();
    *count = 0;
    for (int i = 0; i < 3; i++) {
        const struct gc_head *head = &first[i].head;
        for (const struct gc_head *at = next_of(head); at != head; at = next_of(at))
            ++*count;
    }
    return now_ms() - start_ms;
}

/* How long the caller stands still for a copy of its process, -1 where there is none to be had. */
double yardstick_fork_ms(void)
{
    double start_ms = now_ms();
    long process = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (process == 0)
        _exit(0);
    double end_ms = now_ms();
    if (process < 0)
        return -1;
    waitpid((pid_t)process, NULL, __WALL);
    return end_ms - start_ms;
}

/* How long a copy takes to follow the lists: what is dear there is to meet each page for the first
 * time. -1 where there is none to be had. */
double yardstick_chase_in_copy_ms(void)
{
    int ends[2];
    double took_ms = -1;
    if (pipe(ends) != 0)
        return -1;
    long process = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (process == 0) {
        int64_t count;
        took_ms = yardstick_chase_ms(&count);
        _exit(write(ends[1], &took_ms, sizeof(took_ms)) != sizeof(took_ms));
    }
    close(ends[1]);
    if (process > 0 && read(ends[0], &took_ms, sizeof(took_ms)) != sizeof(took_ms))
        took_ms = -1;
    close(ends[0]);
    if (process > 0)
        waitpid((pid_t)process, NULL, __WALL);
    return took_ms;
}
