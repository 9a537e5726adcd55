/* SPDX-License-Identifier: MIT
 *
 * Tells when the interpreter is up, by an audit hook (PEP 578) that is taken out again.
 *
 * A hook that stays makes every audited operation build an argument tuple (id(), sys._getframe()
 * and f.__code__ cost twice as much), and its entry, malloc'ed before Py_Initialize, is freed by
 * the allocator that Python is configured for later: with -X dev the process would abort at exit.
 */
#ifndef MEMPROF_PY_AUDIT_H
#define MEMPROF_PY_AUDIT_H

/* Adds the hook; may be called before Py_Initialize, that is its purpose. At the first audit event
 * of an initialised interpreter the hook is unlinked and `ready` is called once, on the thread that
 * raised the event (the one that initialises Python), with the GIL held, early in `import site`.
 * Returns 0, or -1 where the hook could not be added, or is linked already. Needs no GIL. */
int py_audit_arm(void (*ready)(void));

#endif
