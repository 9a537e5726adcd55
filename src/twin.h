/* SPDX-License-Identifier: MIT
 *
 * A copy of this process that works on its own copy of the memory, sends an answer and ends.
 *
 * The program does not notice it: no SIGCHLD, no pid that wait() returns, no member of its process
 * group or session, none of its descriptors, locks, handlers or exit functions. It ends at the
 * latest a moment after this process has ended.
 */
#ifndef MEMPROF_TWIN_H
#define MEMPROF_TWIN_H

#include "text.h"

#include <stdint.h>
#include <sys/types.h>

/* Zero is no twin. */
struct twin {
    pid_t process;
    int descriptor; /* the answer's end of a pipe */
    uint64_t deadline_ms;
    struct text received; /* the answer, preceded by its size */
};

enum twin_state {
    TWIN_WORKS,
    TWIN_ANSWERED, /* all of the answer is there */
    TWIN_LATE,     /* it did not end in time */
    TWIN_BROKEN    /* it ended without an answer: out of memory, killed or crashed */
};

/* Makes a twin of the calling thread, and calls `work` in it, which puts the answer into `answer`
 * and returns 0. No other thread exists there, so nothing may be called that takes a lock (no
 * malloc(), but memory.h is isolated already), other than after twin_venture(). Returns 0, or an
 * errno value. */
int twin_start(struct twin *twin, uint64_t timeout_ms, int (*work)(struct text *answer));

/* In `work`: sends `answer` as it is now, should what follows wait for ever on a lock that another
 * thread held. After half a second, or half of what is left of `timeout_ms`, the twin then ends
 * with it. `answer` must stay untouched until twin_return(). */
void twin_venture(const struct text *answer);
void twin_return(void);

/* Takes what has come, waiting for it at most `wait_ms`. From TWIN_LATE and TWIN_BROKEN on, the
 * twin is gone. */
enum twin_state twin_attend(struct twin *twin, int wait_ms);

/* After TWIN_ANSWERED: the answer, valid until twin_end(). */
const char *twin_answer(const struct twin *twin, size_t *size);

/* Ends the twin, if there is one, and frees its answer. */
void twin_end(struct twin *twin);

/* In a forked child: the twin is the parent's. What has been received is not freed. */
void twin_forget(struct twin *twin);

#endif
