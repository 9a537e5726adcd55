/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "wording.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_PER_LOOK = 256, PATIENCE_MS = 500, PERIOD_MS = 200 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, uint64_t total_bytes)
{
    *progress = (struct progress){.is_shown = isatty(STDERR_FILENO), .total_bytes = total_bytes};
    progress->next_ms = now_ms() + PATIENCE_MS;
}

static void show(const struct progress *progress, const char *name, uint64_t bytes)
{
    struct text text = {0};
    text_add(&text, "\rReading ");
    wording_add_safe(&text, name, strlen(name));
    text_add(&text, ": ");
    wording_add_amount(&text, (int64_t)bytes, true);
    if (progress->total_bytes > 0) {
        text_add(&text, " of ");
        wording_add_amount(&text, (int64_t)progress->total_bytes, true);
        text_add(&text, ", %u %%", (unsigned)(bytes * 100 / progress->total_bytes));
    }
    if (!text.failed)
        fprintf(stderr, "%s\033[K", text.bytes);
    text_clear(&text);
}

void progress_step(struct progress *progress, const char *name, uint64_t bytes)
{
    if (!progress->is_shown || ++progress->steps % LINES_PER_LOOK != 0)
        return;
    int64_t now = now_ms();
    if (now < progress->next_ms)
        return;
    progress->next_ms = now + PERIOD_MS;
    progress->is_dirty = true;
    show(progress, name, progress->bytes_before + bytes);
}

void progress_end(struct progress *progress)
{
    if (progress->is_dirty)
        fputs("\r\033[K", stderr);
    progress->is_dirty = false;
}
