/* SPDX-License-Identifier: MIT
 *
 * Invariant: no byte outside of `text` is looked at, and a date that does not exist is none.
 */
#include "moment.h"

#include <string.h>
#include <time.h>

enum { DATE_SIZE = 19, MS_PER_SECOND = 1000, SECONDS_PER_DAY = 86400 };

/* `count` digits: their value, or -1. */
static int digits_at(const char *text, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + text[i] - '0';
    }
    return number;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* -1 if there is no such time. */
static int64_t seconds_of(int year, int month, int day, const char *clock)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    parts.tm_hour = digits_at(clock, 2);
    parts.tm_min = digits_at(clock + 3, 2);
    parts.tm_sec = digits_at(clock + 6, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of(year, month) ||
        clock[2] != ':' || clock[5] != ':' || parts.tm_hour < 0 || parts.tm_hour > 23 ||
        parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 60)
        return -1;
    return timegm(&parts);
}

static size_t read_fraction(const char *text, size_t size, int64_t *ms)
{
    static const int64_t weights[] = {100, 10, 1};
    *ms = 0;
    if (size < 2 || (text[0] != '.' && text[0] != ',') || digits_at(text + 1, 1) < 0)
        return 0;
    size_t i = 1;
    for (; i < size && digits_at(text + i, 1) >= 0; i++)
        if (i <= 3)
            *ms += digits_at(text + i, 1) * weights[i - 1];
    return i;
}

/* `Z`, `+01:00` or `+0100`. */
static size_t read_zone(const char *text, size_t size, int64_t *offset_seconds)
{
    *offset_seconds = 0;
    if (size > 0 && text[0] == 'Z')
        return 1;
    if (size < 5 || (text[0] != '+' && text[0] != '-'))
        return 0;
    size_t colon = text[3] == ':';
    if (size < 5 + colon)
        return 0;
    int hours = digits_at(text + 1, 2), minutes = digits_at(text + 3 + colon, 2);
    if (hours < 0 || minutes < 0)
        return 0;
    *offset_seconds = (text[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
    return 5 + colon;
}

size_t moment_read(const char *text, size_t size, struct moment *moment)
{
    if (size < DATE_SIZE || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != ' '))
        return 0;
    int64_t ms, offset;
    int64_t seconds =
        seconds_of(digits_at(text, 4), digits_at(text + 5, 2), digits_at(text + 8, 2), text + 11);
    if (seconds < 0)
        return 0;
    size_t read = DATE_SIZE;
    read += read_fraction(text + read, size - read, &ms);
    size_t zone = read_zone(text + read, size - read, &offset);
    *moment = (struct moment){(seconds - offset) * MS_PER_SECOND + ms, zone > 0};
    return read + zone;
}

bool moment_find(const char *text, size_t size, struct moment *moment)
{
    for (size_t i = 0; i + DATE_SIZE <= size; i++)
        if (moment_read(text + i, size - i, moment) > 0)
            return true;
    return false;
}

size_t moment_read_syslog(const char *text, size_t size, int64_t now_ms, struct moment *moment)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    enum { SYSLOG_SIZE = 15 };
    if (size < SYSLOG_SIZE || text[3] != ' ' || text[6] != ' ')
        return 0;
    int month = 0;
    while (month < 12 && memcmp(months + month * 3, text, 3) != 0)
        month++;
    int day = text[4] == ' ' ? digits_at(text + 5, 1) : digits_at(text + 4, 2);
    time_t latest = (time_t)(now_ms / MS_PER_SECOND + SECONDS_PER_DAY);
    struct tm parts;
    if (gmtime_r(&latest, &parts) == NULL)
        return 0;
    int64_t seconds = seconds_of(parts.tm_year + 1900, month + 1, day, text + 7);
    if (seconds < 0 || seconds > latest)
        seconds = seconds_of(parts.tm_year + 1899, month + 1, day, text + 7);
    if (seconds < 0)
        return 0;
    *moment = (struct moment){seconds * MS_PER_SECOND, false};
    return SYSLOG_SIZE;
}

void moment_write(char text[MOMENT_TEXT_SIZE], struct moment moment)
{
    time_t seconds = (time_t)(moment.time_ms / MS_PER_SECOND);
    struct tm parts;
    text[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(text, MOMENT_TEXT_SIZE, moment.is_utc ? "%F %T UTC" : "%F %T", &parts);
}
