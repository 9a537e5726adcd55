/* SPDX-License-Identifier: MIT
 *
 * Invariant: nothing is read behind `end`, and no number overflows: one that would is no amount.
 */
#include "amount.h"

#include <string.h>

enum { DIGITS_MAX = 17, SPAN_DAYS_MAX = 1000000 };

bool amount_read_word(const char **at, const char *end, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(end - *at) < size || memcmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool amount_read_count(const char **at, const char *end, int64_t *count)
{
    const char *byte = *at;
    int64_t number = 0;
    int digits = 0;
    for (; byte < end && (is_digit(*byte) || (*byte == ',' && digits > 0)); byte++) {
        if (*byte == ',')
            continue;
        if (++digits > DIGITS_MAX)
            return false;
        number = number * 10 + (*byte - '0');
    }
    if (digits == 0)
        return false;
    *at = byte;
    *count = number;
    return true;
}

static bool read_tenths(const char **at, const char *end, int64_t *tenths)
{
    const char *byte = *at;
    if (!amount_read_count(&byte, end, tenths) || *tenths > INT64_MAX / 100)
        return false;
    *tenths *= 10;
    if (end - byte >= 2 && byte[0] == '.' && is_digit(byte[1])) {
        *tenths += byte[1] - '0';
        byte += 2;
    }
    *at = byte;
    return true;
}

bool amount_read_size(const char **at, const char *end, int64_t *bytes)
{
    static const char *const units[] = {" B", " KB", " MB", " GB"};
    const char *byte = *at;
    int64_t tenths;
    if (!read_tenths(&byte, end, &tenths))
        return false;
    for (int i = 0; i < 4; i++) {
        int64_t unit = (int64_t)1 << (10 * i);
        if (!amount_read_word(&byte, end, units[i]))
            continue;
        if (tenths > INT64_MAX / unit)
            return false;
        *bytes = tenths * unit / 10;
        *at = byte;
        return true;
    }
    return false;
}

static int64_t milliseconds_of(char unit)
{
    switch (unit) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 3600 * 1000;
    case 'd':
        return 24 * 3600 * 1000;
    default:
        return 0;
    }
}

bool amount_read_span(const char **at, const char *end, int64_t *span_ms)
{
    const char *byte = *at;
    int64_t sum = 0, number;
    while (amount_read_count(&byte, end, &number)) {
        int64_t unit = byte < end ? milliseconds_of(*byte) : 0;
        if (unit == 0 || number > SPAN_DAYS_MAX || sum > SPAN_DAYS_MAX * milliseconds_of('d'))
            return false;
        sum += number * unit;
        byte++;
        *at = byte;
        *span_ms = sum;
        if (end - byte < 2 || *byte != ' ' || !is_digit(byte[1]))
            return true;
        byte++;
    }
    return false;
}
