/* SPDX-License-Identifier: MIT */
#include "wording.h"

#include "config/quote.h"
#include "config/utf8.h"
#include "report.h"

#include <string.h>

void wording_add_amount(struct text *text, int64_t amount, bool is_bytes)
{
    uint64_t size = amount < 0 ? -(uint64_t)amount : (uint64_t)amount;
    if (is_bytes)
        report_add_size(text, size);
    else
        report_add_count(text, size);
}

void wording_add_change(struct text *text, int64_t change, bool is_bytes)
{
    text_add(text, change < 0 ? "-" : "+");
    wording_add_amount(text, change, is_bytes);
}

void wording_add_rate(struct text *text, double per_hour, bool is_bytes)
{
    int64_t whole = per_hour > 9e18 ? INT64_MAX : per_hour < -9e18 ? -INT64_MAX : (int64_t)per_hour;
    if (whole == 0 && per_hour != 0)
        whole = per_hour > 0 ? 1 : -1;
    wording_add_change(text, whole, is_bytes);
    text_add(text, " per hour");
}

void wording_add_span(struct text *text, int64_t span_ms)
{
    long long seconds = (span_ms + 500) / 1000;
    if (seconds < 60)
        text_add(text, "%llds", seconds);
    else if (seconds < 3600)
        text_add(text, "%lldm", seconds / 60);
    else if (seconds < 86400)
        text_add(text, "%lldh %lldm", seconds / 3600, seconds % 3600 / 60);
    else
        text_add(text, "%lldd %lldh", seconds / 86400, seconds % 86400 / 3600);
}

void wording_add_safe(struct text *text, const char *words, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t character;
        size_t width = utf8_decode(words + i, size - i, &character);
        if (width == 0 || quote_is_invisible(character))
            text_add_bytes(text, "?", 1);
        else
            text_add_bytes(text, words + i, width);
        i += width > 0 ? width : 1;
    }
}

void wording_add_wrapped(struct text *text, const char *words, size_t indent, size_t width)
{
    size_t used = 0;
    for (const char *word = words; *word != '\0';) {
        size_t size = strcspn(word, " ");
        if (used > 0 && used + 1 + size > width) {
            text_add(text, "\n");
            used = 0;
        }
        if (used == 0)
            text_add(text, "%*s", (int)indent, "");
        else
            text_add(text, " ");
        wording_add_safe(text, word, size);
        used += size + (used > 0);
        word += size;
        word += strspn(word, " ");
    }
    text_add(text, "\n");
}
