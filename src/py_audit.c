/* SPDX-License-Identifier: MIT
 *
 * Invariant: `head` is either NULL or the one word of _PyRuntime that changed while the hook was
 * added, and it then pointed to an entry whose second word is our hook. CPython keeps its audit
 * hooks in a singly linked list {next, hookCFunction, userData} (_Py_AuditHookEntry,
 * Include/internal/pycore_sysmodule.h and, from 3.13, pycore_audit.h), so unlinking is one store;
 * later hooks are appended behind ours and stay. Nothing is written unless all of that still holds.
 */
#include "py_audit.h"

#include "elf_symbol.h"
#include "py_api.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

typedef int (*audit_hook)(const char *event, PyObject *arguments, void *data);

struct audit_entry {
    struct audit_entry *next;
    audit_hook hook;
    void *data;
};

static struct audit_entry **head;
static void (*call_when_ready)(void);

static int on_event(const char *event, PyObject *arguments, void *data);

static int entry_is_ours(const struct audit_entry *entry)
{
    return entry != NULL && entry->hook == on_event;
}

/* The interpreter walks the list while it calls us and reads our `next` afterwards, so the entry
 * is never freed: 24 bytes for the life of the process. */
static void unlink_hook(void)
{
    if (head != NULL && entry_is_ours(*head))
        *head = (*head)->next;
    head = NULL;
}

static void call_ready(void)
{
    void (*ready)(void) = call_when_ready;
    call_when_ready = NULL;
    unlink_hook();
    ready();
    py_clear_error();
}

/* A KeyboardInterrupt that Python code raises while we have it run would be cleared with the errors
 * of our own: one that has come is left to the program, which goes on with it, and the next one
 * waits. */
static int on_event(const char *event, PyObject *arguments, void *data)
{
    (void)event, (void)arguments, (void)data;
    if (call_when_ready == NULL || !py.Py_IsInitialized() || !py.PyGILState_Check())
        return 0;
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    int status = py.PyErr_CheckSignals();
    if (status == 0)
        call_ready();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* The one word in which `now` differs from `before`, NULL if there is none or more than one. */
static struct audit_entry **changed_word(void **before, void **now, size_t count)
{
    void **found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (before[i] == now[i])
            continue;
        if (found != NULL)
            return NULL;
        found = &now[i];
    }
    return (struct audit_entry **)found;
}

int py_audit_arm(void (*ready)(void))
{
    if (call_when_ready != NULL)
        return -1;
    void **runtime = (void **)py._PyRuntime;
    size_t size = elf_symbol_size(runtime, "_PyRuntime");
    void *copy = MAP_FAILED;
    if (size > 0)
        copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return -1;
    memcpy(copy, runtime, size);
    call_when_ready = ready;
    int status = py.PySys_AddAuditHook(on_event, NULL);
    if (status == 0)
        head = changed_word(copy, runtime, size / sizeof(void *));
    else
        call_when_ready = NULL;
    munmap(copy, size);
    if (head != NULL && !entry_is_ours(*head))
        head = NULL;
    return status;
}
