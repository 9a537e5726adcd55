/* SPDX-License-Identifier: MIT */
#include "complaints.h"

#include "wording.h"

#include <string.h>

enum { TOLD_MAX = 5 };

static const char *const names[SKIPPED_KINDS][2] = {
    [SKIPPED_DAMAGED] = {"damaged line", "damaged lines"},
    [SKIPPED_SCHEMA] = {"snapshot of another schema", "snapshots of another schema"},
    [SKIPPED_LONG] = {"line that is too long", "lines that are too long"},
    [SKIPPED_CUT] = {"snapshot cut short", "snapshots cut short"},
    [SKIPPED_SHORTENED] = {"snapshot without its end, whose tables are used",
                           "snapshots without their end, whose tables are used"},
};

/* Some of it may be out of the file. */
static void tell(const char *file, uint64_t line, const char *words)
{
    struct text text = {0};
    wording_add_safe(&text, file, strlen(file));
    text_add(&text, ":%llu: ", (unsigned long long)line);
    wording_add_safe(&text, words, strlen(words));
    if (!text.failed)
        fprintf(stderr, "memprof-report: %s\n", text.bytes);
    text_clear(&text);
}

void complaints_add(struct complaints *complaints, enum skipped what, const char *file,
                    uint64_t line, const char *text)
{
    complaints->counts[what]++;
    if (text == NULL || complaints->told > TOLD_MAX)
        return;
    if (complaints->told++ == TOLD_MAX)
        fprintf(stderr, "memprof-report: more of this kind is counted only\n");
    else
        tell(file, line, text);
}

void complaints_write(const struct complaints *complaints, FILE *out)
{
    const char *before = "Skipped: ";
    for (int i = 0; i < SKIPPED_KINDS; i++) {
        uint64_t count = complaints->counts[i];
        if (count == 0)
            continue;
        fprintf(out, "%s%llu %s", before, (unsigned long long)count, names[i][count != 1]);
        before = ", ";
    }
    if (before[0] == ',')
        fprintf(out, "\n");
}
