/* SPDX-License-Identifier: MIT
 *
 * Everything that is told of snapshots: the record, a line of JSON, and what to say of classes that
 * leak. Remembers the snapshots before as far as that needs it.
 */
#ifndef MEMPROF_ACCOUNT_H
#define MEMPROF_ACCOUNT_H

#include "config/config.h"
#include "footprint.h"
#include "growth/suspects.h"
#include "text.h"

#include <time.h>

/* Zero is empty. */
struct account {
    const struct config *config;
    long pid;                /* goes into every record, 0 for none */
    struct history *history; /* NULL without leak_detection, or when out of memory */
    struct footprints footprints;
    uint64_t begun_ms;
};

/* What is told of one snapshot. Zero is empty. */
struct account_words {
    struct text record;
    struct text line; /* empty without snapshot_file */
    struct text verdicts[SUSPECTS_LIMIT];
    enum trend_event events[SUSPECTS_LIMIT]; /* what each of them says, */
    const char *suspects[SUSPECTS_LIMIT];    /* of which class: the account's own */
    size_t verdict_count;
};

/* `config` must live as long as the account. */
void account_begin(struct account *account, const struct config *config, long pid);

void account_end(struct account *account);

/* Of which classes account_tell() would speak, if it were given this snapshot, which need not be
 * ranked: see history_foresee(). */
size_t account_foresee(const struct account *account, const struct snapshot *snapshot,
                       uint64_t start_ms, struct held_wish *wishes);

/* Fills `words` for a ranked snapshot, the next one of the account, that began at `start_ms`, and
 * by the wall clock at `start_time`. One that is not comparable does not count for growth, and
 * shows no change. 0, or -1 when out of memory; clear `words` in any case. No Python, no GIL. */
int account_tell(struct account *account, struct snapshot *snapshot, uint64_t start_ms,
                 const struct timespec *start_time, bool is_comparable,
                 struct account_words *words);

/* As suspects_next_told(); NULL at once without leak_detection. No Python, no GIL. */
const char *account_next_suspect(const struct account *account, size_t *position);

void account_words_clear(struct account_words *words);

#endif
