/* SPDX-License-Identifier: MIT
 *
 * What pyaml-env does, oddities included, because the program reads the same file with it: the
 * placeholders are found in the source once; then each in turn is replaced wherever its exact text
 * occurs in the string so far; `${NAME:}` is no placeholder, because a default has at least one
 * character; and with a type tag only the first placeholder is replaced. */
#include "config/env_template.h"

#include <stdlib.h>
#include <string.h>

#include "config/yaml_scalar.h"

#define NO_VALUE "N/A"

struct placeholder {
    const char *text; /* from $ to } */
    size_t length;
    const char *name;
    size_t name_length;
    const char *fallback; /* NULL when none is given */
    size_t fallback_length;
};

static const char *find_bytes(const char *text, size_t length, const char *needle, size_t size)
{
    const char *end = text + length;

    while ((size_t)(end - text) >= size) {
        const char *found = memchr(text, needle[0], (size_t)(end - text) - size + 1);

        if (found == NULL || memcmp(found, needle, size) == 0)
            return found;
        text = found + 1;
    }
    return NULL;
}

/* \$\{([^}{:]+)(:[^}]+)?\} at text */
static bool match_placeholder(const char *text, const char *end, struct placeholder *placeholder)
{
    const char *at = text + 2;

    *placeholder = (struct placeholder){.text = text, .name = at};
    while (at < end && *at != '}' && *at != '{' && *at != ':')
        at++;
    placeholder->name_length = (size_t)(at - placeholder->name);
    if (placeholder->name_length == 0 || at == end)
        return false;
    if (*at == ':') {
        placeholder->fallback = ++at;
        while (at < end && *at != '}')
            at++;
        placeholder->fallback_length = (size_t)(at - placeholder->fallback);
        if (placeholder->fallback_length == 0 || at == end)
            return false;
    }
    placeholder->length = (size_t)(at + 1 - text);
    return *at == '}';
}

static bool next_placeholder(const char **at, const char *end, struct placeholder *placeholder)
{
    const char *found;

    while ((found = find_bytes(*at, (size_t)(end - *at), "${", 2)) != NULL) {
        if (match_placeholder(found, end, placeholder)) {
            *at = found + placeholder->length;
            return true;
        }
        *at = found + 1;
    }
    return false;
}

static const char *look_up(const struct placeholder *placeholder,
                           const struct config_environment *environment)
{
    char name[TEMPLATE_LIMIT_BYTES + 1];

    /* No variable has such a name, but getenv() might be led astray by it. */
    if (memchr(placeholder->name, '=', placeholder->name_length) != NULL ||
        memchr(placeholder->name, '\0', placeholder->name_length) != NULL)
        return NULL;
    memcpy(name, placeholder->name, placeholder->name_length);
    name[placeholder->name_length] = '\0';
    return environment->lookup(name, environment->context);
}

/* Replaces every occurrence of needle in the result's text. */
static enum template_fault replace(struct template *result, const char *needle,
                                   size_t needle_length, const char *value, size_t value_length)
{
    char *replaced = malloc(TEMPLATE_RESULT_LIMIT_BYTES + 1);
    const char *rest = result->text, *end = result->text + result->length;
    size_t used = 0;

    if (replaced == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    while (rest < end) {
        const char *found = find_bytes(rest, (size_t)(end - rest), needle, needle_length);
        size_t before = (size_t)((found == NULL ? end : found) - rest);
        size_t inserted = found == NULL ? 0 : value_length;

        if (before + inserted > TEMPLATE_RESULT_LIMIT_BYTES - used) {
            free(replaced);
            return TEMPLATE_TOO_LONG;
        }
        memcpy(replaced + used, rest, before);
        memcpy(replaced + used + before, value, inserted);
        used += before + inserted;
        rest = found == NULL ? end : found + needle_length;
    }
    free(result->text);
    result->text = replaced;
    result->length = used;
    return TEMPLATE_RESOLVED;
}

static bool is_word(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
           (character >= 'a' && character <= 'z') || character == '_';
}

static bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

/* tag:yaml.org,2002:\w+\s; several of them, joined, are a tag that nobody knows. The text to be
 * removed is the tag and the white space behind it. */
static void find_type_tag(struct template *result, const char *source, size_t length,
                          char removed[65])
{
    const char *at = source, *end = source + length;

    removed[0] = '\0';
    while ((at = find_bytes(at, (size_t)(end - at), YAML_TAG_PREFIX, sizeof YAML_TAG_PREFIX - 1)) !=
           NULL) {
        const char *stop = at + sizeof YAML_TAG_PREFIX - 1;
        size_t size;

        while (stop < end && is_word(*stop))
            stop++;
        size = (size_t)(stop - at);
        if (size == sizeof YAML_TAG_PREFIX - 1 || stop == end || !is_space(*stop)) {
            at++;
            continue;
        }
        if (size >= sizeof result->tag || result->tag[0] != '\0') {
            strcpy(result->tag, YAML_TAG_PREFIX "?");
            removed[0] = '\0';
            return;
        }
        memcpy(result->tag, at, size);
        result->tag[size] = '\0';
        memcpy(removed, at, size + 1);
        removed[size + 1] = '\0';
        at = stop;
    }
}

/* Names the variable a message should blame. */
static void note_variable(struct template *result, const struct placeholder *placeholder,
                          const char *value)
{
    bool missing = value == NULL && placeholder->fallback == NULL;

    if (result->variable != NULL && (result->missing || !missing))
        return;
    result->variable = placeholder->name;
    result->variable_length = placeholder->name_length;
    result->missing = missing;
}

static enum template_fault substitute(struct template *result,
                                      const struct placeholder *placeholder,
                                      const struct config_environment *environment)
{
    const char *value = look_up(placeholder, environment);
    size_t length = value == NULL ? 0 : strlen(value);

    note_variable(result, placeholder, value);
    if (value == NULL) {
        value = placeholder->fallback == NULL ? NO_VALUE : placeholder->fallback;
        length = placeholder->fallback == NULL ? sizeof NO_VALUE - 1 : placeholder->fallback_length;
    }
    return replace(result, placeholder->text, placeholder->length, value, length);
}

static enum template_fault resolve(struct template *result, const char *source, size_t length,
                                   const struct config_environment *environment)
{
    const char *at = source, *end = source + length;
    struct placeholder placeholder;
    enum template_fault fault = TEMPLATE_RESOLVED;
    char removed[65];

    find_type_tag(result, source, length, removed);
    if (removed[0] != '\0')
        fault = replace(result, removed, strlen(removed), "", 0);
    while (fault == TEMPLATE_RESOLVED && next_placeholder(&at, end, &placeholder)) {
        fault = substitute(result, &placeholder, environment);
        if (result->tag[0] != '\0')
            return fault;
    }
    result->tag[0] = '\0'; /* pyaml-env applies the type only after a replacement */
    return fault;
}

enum template_fault template_resolve(struct template *result, const char *source, size_t length,
                                     const struct config_environment *environment)
{
    enum template_fault fault;

    memset(result, 0, sizeof *result);
    if (length > TEMPLATE_LIMIT_BYTES)
        return TEMPLATE_TOO_LONG;
    result->text = malloc(length + 1);
    if (result->text == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    memcpy(result->text, source, length);
    result->length = length;
    fault = resolve(result, source, length, environment);
    if (fault != TEMPLATE_RESOLVED)
        template_destroy(result);
    return fault;
}

void template_destroy(struct template *result)
{
    free(result->text);
    memset(result, 0, sizeof *result);
}
