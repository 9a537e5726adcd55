/* SPDX-License-Identifier: MIT
 *
 * Amounts as everything that is logged writes them, and memprof-report too.
 */
#include "report.h"

#include <stdio.h>

void report_add_count(struct text *text, uint64_t count)
{
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            text_add_bytes(text, ",", 1);
        text_add_bytes(text, &digits[i], 1);
    }
}

void report_add_share(struct text *text, uint64_t share, uint64_t whole)
{
    report_add_count(text, share);
    text_add(text, " of ");
    report_add_count(text, whole);
}

/* Tenths of `unit`, a half rounded to even as Python's own formatting does. In integers, because
 * printf would take the decimal point from the host's locale. */
static uint64_t tenths_of(uint64_t bytes, uint64_t unit)
{
    uint64_t rest = bytes % unit * 10;
    uint64_t tenths = bytes / unit * 10 + rest / unit;
    uint64_t twice = rest % unit * 2;
    return tenths + (twice > unit || (twice == unit && tenths % 2 == 1));
}

void report_add_size(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB"};
    if (bytes < 1024) {
        text_add(text, "%u B", (unsigned)bytes);
        return;
    }
    size_t i = 0;
    uint64_t unit = 1024;
    uint64_t tenths = tenths_of(bytes, unit);
    /* What would print as 1024.0 of a unit is 1.0 of the next. */
    for (; tenths >= 10240 && i < 2; i++) {
        unit *= 1024;
        tenths = tenths_of(bytes, unit);
    }
    text_add(text, "%llu.%u %s", (unsigned long long)(tenths / 10), (unsigned)(tenths % 10),
             units[i]);
}

static void add_tenths(struct text *text, uint64_t tenths, const char *unit)
{
    bool is_small = tenths < 1000;
    report_add_count(text, (tenths + (is_small ? 0 : 5)) / 10);
    if (is_small)
        text_add(text, ".%u", (unsigned)(tenths % 10));
    text_add(text, " %s", unit);
}

void report_add_milliseconds(struct text *text, double milliseconds)
{
    add_tenths(text, (uint64_t)(milliseconds * 10 + 0.5), "ms");
}

void report_add_seconds(struct text *text, uint64_t milliseconds)
{
    add_tenths(text, (milliseconds + 50) / 100, "s");
}
