/* SPDX-License-Identifier: MIT
 *
 * The grammar below restates the regular expressions of PyYAML's resolver.py, one function each.
 * They overlap nowhere, so the order in which they are tried does not matter, and none of them
 * needs to go back over a character it has taken. */
#include "config/yaml_scalar.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/quote.h"

#define DIGITS "0123456789"
#define DIGITS_ "0123456789_"
#define NO_LIMIT SIZE_MAX

struct cursor {
    const char *at;
    const char *end;
};

/* Moves over up to `most` characters of the set. Returns false when there are fewer than least. */
static bool take(struct cursor *cursor, const char *set, size_t least, size_t most)
{
    size_t taken = 0;

    while (taken < most && cursor->at < cursor->end && *cursor->at != '\0' &&
           strchr(set, *cursor->at) != NULL) {
        cursor->at++;
        taken++;
    }
    return taken >= least;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static bool at_end(const struct cursor *cursor)
{
    return cursor->at == cursor->end;
}

static bool take_any_word(struct cursor *cursor, const char *const *words)
{
    for (; *words != NULL; words++) {
        struct cursor attempt = *cursor;

        if (take_word(&attempt, *words) && at_end(&attempt))
            return true;
    }
    return false;
}

/* (?::[0-5]?[0-9])+ */
static bool take_sixtieths(struct cursor *cursor)
{
    size_t parts = 0;

    while (take(cursor, ":", 1, 1)) {
        const char *start = cursor->at;

        if (!take(cursor, DIGITS, 1, 2) || (cursor->at - start == 2 && *start > '5'))
            return false;
        parts++;
    }
    return parts > 0;
}

static int digit_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

static void append_digit(long *value, int base, int digit)
{
    if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, digit, value))
        *value = LONG_MAX;
}

/* Digits and underscores up to the end; false when another character or no digit is among them. */
static bool take_number(struct cursor *cursor, int base, long *value)
{
    bool any = false;

    for (*value = 0; !at_end(cursor); cursor->at++) {
        int digit = digit_value(*cursor->at);

        if (*cursor->at == '_')
            continue;
        if (digit < 0 || digit >= base)
            return false;
        append_digit(value, base, digit);
        any = true;
    }
    return any;
}

/* [1-9][0-9_]*(?::[0-5]?[0-9])* */
static bool take_decimal_or_sixtieths(struct cursor *cursor, long *value)
{
    struct cursor whole = *cursor, sixtieths = *cursor;

    take(&sixtieths, DIGITS_, 0, NO_LIMIT);
    whole.end = sixtieths.at;
    if (*cursor->at == '_' || !take_number(&whole, 10, value))
        return false;
    if (at_end(&sixtieths))
        return true;
    cursor->at = sixtieths.at;
    if (!take_sixtieths(&sixtieths) || !at_end(&sixtieths))
        return false;
    while (take(cursor, ":", 1, 1)) {
        int part = 0;

        for (; cursor->at < cursor->end && *cursor->at != ':'; cursor->at++)
            part = part * 10 + digit_value(*cursor->at);
        append_digit(value, 60, part);
    }
    return true;
}

static bool is_integer(struct cursor cursor, long *value)
{
    bool negative = !at_end(&cursor) && *cursor.at == '-';
    bool matches;

    take(&cursor, "+-", 0, 1);
    if (at_end(&cursor))
        return false;
    if (take_word(&cursor, "0b"))
        matches = take_number(&cursor, 2, value);
    else if (take_word(&cursor, "0x"))
        matches = take_number(&cursor, 16, value);
    else if (*cursor.at == '0')
        matches = take_number(&cursor, 8, value);
    else
        matches = take_decimal_or_sixtieths(&cursor, value);
    if (matches && negative)
        *value = *value == LONG_MAX ? LONG_MIN : -*value;
    return matches;
}

static bool take_exponent(struct cursor *cursor)
{
    if (take(cursor, "eE", 1, 1))
        return take(cursor, "+-", 1, 1) && take(cursor, DIGITS, 1, NO_LIMIT);
    return true;
}

static bool is_float(struct cursor cursor)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const not_numbers[] = {".nan", ".NaN", ".NAN", NULL};
    struct cursor unsigned_part = cursor;

    if (take_any_word(&cursor, not_numbers))
        return true;
    if (take(&unsigned_part, ".", 1, 1) && take(&unsigned_part, DIGITS, 1, 1) &&
        take(&unsigned_part, DIGITS_, 0, NO_LIMIT) && take_exponent(&unsigned_part))
        return at_end(&unsigned_part);
    take(&cursor, "+-", 0, 1);
    if (take_any_word(&cursor, infinities))
        return true;
    if (!take(&cursor, DIGITS, 1, 1) || !take(&cursor, DIGITS_, 0, NO_LIMIT))
        return false;
    if (!at_end(&cursor) && *cursor.at == ':')
        return take_sixtieths(&cursor) && take(&cursor, ".", 1, 1) &&
               take(&cursor, DIGITS_, 0, NO_LIMIT) && at_end(&cursor);
    return take(&cursor, ".", 1, 1) && take(&cursor, DIGITS_, 0, NO_LIMIT) &&
           take_exponent(&cursor) && at_end(&cursor);
}

static bool take_time_zone(struct cursor *cursor)
{
    take(cursor, " \t", 0, NO_LIMIT);
    if (take(cursor, "Z", 1, 1))
        return true;
    if (!take(cursor, "+-", 1, 1) || !take(cursor, DIGITS, 1, 2))
        return false;
    return at_end(cursor) || (take(cursor, ":", 1, 1) && take(cursor, DIGITS, 2, 2));
}

static bool is_timestamp(struct cursor cursor)
{
    const char *month, *day;

    if (!take(&cursor, DIGITS, 4, 4) || !take(&cursor, "-", 1, 1))
        return false;
    month = cursor.at;
    if (!take(&cursor, DIGITS, 1, 2) || !take(&cursor, "-", 1, 1))
        return false;
    day = cursor.at;
    if (!take(&cursor, DIGITS, 1, 2))
        return false;
    if (at_end(&cursor))
        return day - month == 3 && cursor.at - day == 2;
    if (!take(&cursor, "Tt", 1, 1) && !take(&cursor, " \t", 1, NO_LIMIT))
        return false;
    if (!take(&cursor, DIGITS, 1, 2) || !take(&cursor, ":", 1, 1) || !take(&cursor, DIGITS, 2, 2) ||
        !take(&cursor, ":", 1, 1) || !take(&cursor, DIGITS, 2, 2))
        return false;
    if (take(&cursor, ".", 1, 1))
        take(&cursor, DIGITS, 0, NO_LIMIT);
    return at_end(&cursor) || (take_time_zone(&cursor) && at_end(&cursor));
}

static bool is_null(struct cursor cursor)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

    return take_any_word(&cursor, words);
}

/* True, TRUE and true are booleans, tRUE is not. */
static bool has_plain_casing(const char *text, size_t length)
{
    bool first_upper = text[0] <= 'Z';

    for (size_t i = 1; i < length; i++) {
        bool upper = text[i] <= 'Z';

        if (upper && (!first_upper || text[1] > 'Z'))
            return false;
        if (!upper && text[1] <= 'Z')
            return false;
    }
    return true;
}

int scalar_boolean_word(const char *text, size_t length)
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};

    for (size_t word = 0; word < sizeof words / sizeof words[0]; word++) {
        size_t i = 0;

        /* Setting bit 5 folds the case of a letter and makes no letter of anything else. */
        while (i < length && words[word][i] != '\0' && (text[i] | 0x20) == words[word][i])
            i++;
        if (i == length && words[word][i] == '\0')
            return (int)(word & 1u);
    }
    return -1;
}

struct scalar scalar_quoted(const char *text, size_t length)
{
    return (struct scalar){.kind = SCALAR_STRING, .text = text, .length = length};
}

struct scalar scalar_plain(const char *text, size_t length)
{
    struct scalar scalar = scalar_quoted(text, length);
    struct cursor cursor = {text, text + length};
    int truth = scalar_boolean_word(text, length);
    long integer;

    if (truth >= 0 && has_plain_casing(text, length)) {
        scalar.kind = SCALAR_BOOLEAN;
        scalar.value = truth;
    } else if (is_integer(cursor, &integer)) {
        scalar.kind = SCALAR_INTEGER;
        scalar.value = integer;
    } else if (is_float(cursor)) {
        scalar.kind = SCALAR_FLOAT;
    } else if (is_timestamp(cursor)) {
        scalar.kind = SCALAR_TIMESTAMP;
    } else if (is_null(cursor)) {
        scalar.kind = SCALAR_NULL;
    }
    return scalar;
}

static int tag_boolean(struct scalar *scalar)
{
    int truth = scalar_boolean_word(scalar->text, scalar->length);

    scalar->kind = SCALAR_BOOLEAN;
    scalar->value = truth;
    return truth < 0 ? -1 : 0;
}

static int tag_number(struct scalar *scalar, enum scalar_kind kind)
{
    struct scalar plain = scalar_plain(scalar->text, scalar->length);
    bool matches = plain.kind == kind || (kind == SCALAR_FLOAT && plain.kind == SCALAR_INTEGER);

    *scalar = plain;
    scalar->kind = kind;
    return matches ? 0 : -1;
}

int scalar_tagged(struct scalar *scalar, const char *tag, const char *text, size_t length)
{
    size_t prefix = sizeof YAML_TAG_PREFIX - 1;
    const char *name = tag + prefix;

    *scalar = scalar_quoted(text, length);
    if (strncmp(tag, YAML_TAG_PREFIX, prefix) != 0)
        return -1;
    if (strcmp(name, "str") == 0)
        return 0;
    if (strcmp(name, "bool") == 0)
        return tag_boolean(scalar);
    if (strcmp(name, "int") == 0)
        return tag_number(scalar, SCALAR_INTEGER);
    if (strcmp(name, "float") == 0)
        return tag_number(scalar, SCALAR_FLOAT);
    if (strcmp(name, "timestamp") == 0)
        return tag_number(scalar, SCALAR_TIMESTAMP);
    if (strcmp(name, "binary") == 0)
        scalar->kind = SCALAR_BINARY;
    else if (strcmp(name, "null") == 0)
        scalar->kind = SCALAR_NULL;
    else
        return -1;
    return 0;
}

const char *scalar_kind_name(enum scalar_kind kind)
{
    static const char *const names[] = {"null",        "a boolean",      "an integer", "a float",
                                        "a timestamp", "a binary value", "a string"};

    return names[kind];
}

/* 011 is 9 and 1:30 is 90, which not everybody expects. */
static bool is_self_evident(const struct scalar *scalar)
{
    char decimal[24];
    int length = snprintf(decimal, sizeof decimal, "%ld", scalar->value);

    return scalar->value == LONG_MAX || scalar->value == LONG_MIN ||
           ((size_t)length == scalar->length && memcmp(decimal, scalar->text, scalar->length) == 0);
}

char *scalar_describe(const struct scalar *scalar, char buffer[SCALAR_DESCRIPTION_SIZE])
{
    char shown[QUOTE_SIZE];

    quote_bare(shown, sizeof shown, scalar->text, scalar->length, QUOTE_CHARACTERS);
    if (scalar->kind == SCALAR_STRING)
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "the string %s",
                 quote_text(shown, scalar->text, scalar->length));
    else if (scalar->kind == SCALAR_FLOAT)
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "the float %s", shown);
    else if (scalar->kind == SCALAR_TIMESTAMP)
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "the timestamp %s", shown);
    else if (scalar->kind == SCALAR_INTEGER && !is_self_evident(scalar))
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "%s (%ld)", shown, scalar->value);
    else if (scalar->kind == SCALAR_INTEGER || scalar->kind == SCALAR_BOOLEAN)
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "%s", shown);
    else
        snprintf(buffer, SCALAR_DESCRIPTION_SIZE, "%s", scalar_kind_name(scalar->kind));
    return buffer;
}
