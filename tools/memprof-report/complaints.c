/* SPDX-License-Identifier: MIT */
#include "complaints.h"

enum { TOLD_MAX = 5 };

static const char *const names[SKIPPED_KINDS][2] = {
    [SKIPPED_DAMAGED] = {"damaged line", "damaged lines"},
    [SKIPPED_SCHEMA] = {"snapshot of another schema", "snapshots of another schema"},
    [SKIPPED_LONG] = {"line that is too long", "lines that are too long"},
    [SKIPPED_CUT] = {"snapshot cut short", "snapshots cut short"},
    [SKIPPED_SHORTENED] = {"snapshot without its end, whose tables are used",
                           "snapshots without their end, whose tables are used"},
};

void complaints_add(struct complaints *complaints, enum skipped what, const char *file,
                    uint64_t line, const char *text)
{
    complaints->counts[what]++;
    if (text == NULL || complaints->told > TOLD_MAX)
        return;
    if (complaints->told++ == TOLD_MAX)
        fprintf(stderr, "memprof-report: more of this kind is counted only\n");
    else
        fprintf(stderr, "memprof-report: %s:%llu: %s\n", file, (unsigned long long)line, text);
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
