/* SPDX-License-Identifier: MIT
 *
 * Loads arbitrary bytes as the configuration file, without a file, and checks what config.h
 * promises. Crashes with __builtin_trap, which libFuzzer reports like any other crash. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/config_file.h"
#include "config/options.h"
#include "config/source.h"
#include "config/utf8.h"

static const char *look_up(const char *name, void *context)
{
    (void)context;
    if (strcmp(name, "A") == 0)
        return "60";
    return strcmp(name, "B") == 0 ? "x${A}" : NULL;
}

static void check(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_text(const char *text)
{
    size_t length = strlen(text);

    check(length > 0);
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t width = utf8_decode(text + at, length - at, &character);

        check(width > 0 && character >= 0x20 && character != 0x7F);
        at += width;
    }
}

static void report(enum config_severity severity, const char *text, void *context)
{
    (void)context;
    check(severity == CONFIG_WARNING);
    check_text(text);
}

static void check_names(const struct config_names *names)
{
    size_t count = 0;

    for (const char *name = names->text; *name != '\0'; name += strlen(name) + 1, count++)
        check_text(name);
    check(count <= MEMPROF_NAMES_LIMIT);
}

static void check_values(struct config *config)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];
        long value = *(long *)option_slot(option, config);

        if (option->type == OPTION_BOOLEAN)
            check(value == 0 || value == 1);
        if (option->type == OPTION_INTEGER)
            check(value >= option->minimum && value <= option->maximum);
        if (option->type == OPTION_SIGNAL)
            check(value >= 0 && value <= 64);
        if (option->type == OPTION_CHOICE)
            check(value >= 0 && value <= 2);
        if (option->type == OPTION_PATH && *(const char *)option_slot(option, config) != '\0')
            check_text(option_slot(option, config));
        if (option->type == OPTION_NAMES)
            check_names(option_slot(option, config));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_environment environment = {look_up, report, NULL};
    struct config config;
    struct fault fault = {0};
    struct source text;
    char *bytes = malloc(size + 1);

    if (size > 0)
        memcpy(bytes, data, size);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_reset(&option_table[i], &config);
    if (source_decode(&text, bytes, size, &fault) == 0) {
        struct config_file file = {.name = "F", .text = text.bytes, .size = text.size};

        if (config_file_apply(&config, &file, &environment, &fault) == 0)
            check(fault.text[0] == '\0');
        else
            check_text(fault.text);
        source_destroy(&text);
    } else {
        check_text(fault.text);
    }
    check_values(&config);
    return 0;
}
