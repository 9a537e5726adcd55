/* SPDX-License-Identifier: MIT
 *
 * Verdicts come before the line, which has them in it, and after the section on growth, because
 * what they say is what that shows.
 */
#include "account.h"

#include "bell.h"
#include "growth/growth_text.h"
#include "report.h"
#include "snapshot_line.h"

#include <string.h>
#include <unistd.h>

void account_begin(struct account *account, const struct config *config, long pid)
{
    memset(account, 0, sizeof(*account));
    account->config = config;
    account->pid = pid;
    account->begun_ms = monotonic_us() / 1000;
    if (config->leak_detection)
        account->history = history_create();
}

void account_end(struct account *account)
{
    history_destroy(account->history);
    account->history = NULL;
    footprints_clear(&account->footprints);
}

size_t account_foresee(const struct account *account, const struct snapshot *snapshot,
                       uint64_t start_ms, struct held_wish *wishes)
{
    if (account->history == NULL)
        return 0;
    return history_foresee(account->history, snapshot, start_ms, wishes, HISTORY_FORESEE_LIMIT);
}

static size_t rows_of(const struct account *account)
{
    return (size_t)account->config->top_n_classes;
}

static void add_footprint(struct account *account, struct snapshot *snapshot)
{
    footprint_complete(&snapshot->footprint, snapshot->bytes, snapshot->objects,
                       snapshot->sequence);
    footprints_add(&account->footprints, &snapshot->footprint);
    snapshot->footprints = &account->footprints;
}

static void write_verdicts(struct account *account, const struct snapshot *snapshot,
                           struct account_words *words)
{
    struct suspects suspects = {.count = 0};
    time_t now = time(NULL);
    suspects_find(&suspects, account->history, snapshot);
    for (size_t i = 0; i < suspects.count; i++) {
        size_t place = words->verdict_count++;
        growth_text_add_suspect(&words->verdicts[place], &suspects.list[i], now);
        words->events[place] = suspects.list[i].event;
        words->suspects[place] = suspects.list[i].name;
    }
    suspects_clear(&suspects);
}

/* Every comparable snapshot counts, so this comes once for each. */
static void add_to_history(struct account *account, struct snapshot *snapshot, uint64_t start_ms,
                           struct text *growth, struct account_words *words)
{
    add_footprint(account, snapshot);
    if (account->history == NULL)
        return;
    history_add(account->history, snapshot, start_ms);
    growth_text_add(growth, account->history, snapshot, rows_of(account));
    write_verdicts(account, snapshot, words);
}

static void write_line(const struct account *account, const struct snapshot *snapshot,
                       uint64_t start_ms, const struct timespec *start_time,
                       struct account_words *words)
{
    struct snapshot_verdict verdicts[SUSPECTS_LIMIT];
    size_t count = 0;
    for (size_t i = 0; i < words->verdict_count; i++) {
        if (!words->verdicts[i].failed)
            verdicts[count++] = (struct snapshot_verdict){words->events[i], words->suspects[i],
                                                          words->verdicts[i].bytes};
    }
    const struct snapshot_line line = {
        .time = *start_time,
        .elapsed_ms = start_ms - account->begun_ms,
        .pid = (long)getpid(),
        .rows = rows_of(account),
        .verdicts = verdicts,
        .verdict_count = count,
    };
    snapshot_line_add(&words->line, snapshot, &line);
}

int account_tell(struct account *account, struct snapshot *snapshot, uint64_t start_ms,
                 const struct timespec *start_time, bool is_comparable, struct account_words *words)
{
    struct text growth = {0};
    if (is_comparable)
        add_to_history(account, snapshot, start_ms, &growth, words);
    report_write(&words->record, snapshot, &growth, rows_of(account), account->pid);
    text_clear(&growth);
    if (account->config->snapshot_file.text[0] != '\0')
        write_line(account, snapshot, start_ms, start_time, words);
    return words->record.failed || words->line.failed ? -1 : 0;
}

const char *account_next_suspect(const struct account *account, size_t *position)
{
    return account->history != NULL ? suspects_next_told(account->history, position) : NULL;
}

void account_words_clear(struct account_words *words)
{
    text_clear(&words->record);
    text_clear(&words->line);
    while (words->verdict_count > 0)
        text_clear(&words->verdicts[--words->verdict_count]);
}
