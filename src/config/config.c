/* SPDX-License-Identifier: MIT
 *
 * The environment is read before the file and wins over it, and MEMPROF_ENABLED before everything:
 * a user who says no must not be bothered by, or depend on, anything else being right. */
#include "config/config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_file.h"
#include "config/config_message.h"
#include "config/file.h"
#include "memprof.h"
#include "config/options.h"
#include "config/quote.h"
#include "config/source.h"

static const char *look_up(const struct config_environment *environment, const char *name)
{
    const char *value = environment->lookup(name, environment->context);

    return value == NULL ? "" : value;
}

static bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

/* Moves text to its first character that is no white space and returns the length up to the last.
 */
static size_t trim(const char **text)
{
    size_t length;

    while (is_space(**text))
        ++*text;
    length = strlen(*text);
    while (length > 0 && is_space((*text)[length - 1]))
        length--;
    return length;
}

/* Sets *overridden. */
static int read_variable(struct config *config, const struct option *option, bool *overridden,
                         const struct config_environment *environment, struct fault *fault)
{
    char variable[OPTION_VARIABLE_SIZE];
    const char *text = look_up(environment, option_variable(option, variable));
    size_t length = trim(&text);
    char found[QUOTE_SIZE], allowed[OPTION_TEXT_SIZE];

    *overridden = length > 0;
    if (length == 0 ||
        option_parse_variable(option, text, length, option_slot(option, config)) == OPTION_ACCEPTED)
        return 0;
    return fault_set(fault, 0, 0, "%s: found %s, allowed: %s", variable,
                     quote_text(found, text, length), option_describe(option, allowed));
}

static void set_defaults(struct config *config)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_reset(&option_table[i], config);
}

static int read_file(struct config *config, struct config_file *file,
                     const struct config_environment *environment, struct fault *fault)
{
    struct source text;
    char *bytes;
    size_t size;
    int result;

    if (file_read(file->name, MEMPROF_CONFIG_LIMIT_BYTES, &bytes, &size, fault) != 0 ||
        source_decode(&text, bytes, size, fault) != 0)
        return -1;
    file->text = text.bytes;
    file->size = text.size;
    result = config_file_apply(config, file, environment, fault);
    source_destroy(&text);
    return result;
}

bool config_is_switched_off(const struct config_environment *environment)
{
    const struct option *option = &option_table[OPTION_ENABLED];
    char variable[OPTION_VARIABLE_SIZE];
    const char *text = look_up(environment, option_variable(option, variable));
    size_t length = trim(&text);
    long enabled;

    return length > 0 && option_parse_variable(option, text, length, &enabled) == OPTION_ACCEPTED &&
           !enabled;
}

static int load(struct config *config, struct config_file *file,
                const struct config_environment *environment, struct fault *fault)
{
    /* Preloading us is a request in itself; naming a file leaves the decision to the file. */
    config->enabled = file->name == NULL;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (read_variable(config, &option_table[i], &file->overridden[i], environment, fault) !=
            0) {
            file->name = NULL;
            return -1;
        }
        if (i == OPTION_ENABLED && file->overridden[i] && !config->enabled)
            return 0;
    }
    return file->name == NULL ? 0 : read_file(config, file, environment, fault);
}

int config_load(struct config *config, const struct config_environment *environment)
{
    struct fault fault = {0};
    struct config_file file = {.name = look_up(environment, MEMPROF_ENV_CONFIG)};

    if (file.name[0] == '\0')
        file.name = NULL;
    set_defaults(config);
    if (load(config, &file, environment, &fault) == 0)
        return 0;
    set_defaults(config);
    config->enabled = 0;
    config_report(environment, CONFIG_ERROR, file.name, &fault);
    return -1;
}
