/* SPDX-License-Identifier: MIT
 *
 * Loads a configuration as the profiler would and prints it, for tests written in other languages.
 * Without arguments: loads once. With `-`: for each line of standard input, `path NAME=value ...`
 * separated by tabs, loads with exactly that environment and prints one block that ends with ".".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "memprof.h"
#include "config/options.h"

static const char *look_up(const char *name, void *context)
{
    char **variables = context;

    for (; *variables != NULL; variables++) {
        size_t length = strlen(name);

        if (strncmp(*variables, name, length) == 0 && (*variables)[length] == '=')
            return *variables + length + 1;
    }
    return NULL;
}

static const char *look_up_real(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

static void report(enum config_severity severity, const char *text, void *context)
{
    (void)context;
    printf("%s: %s\n", severity == CONFIG_ERROR ? "error" : "warning", text);
}

static void load(const struct config_environment *environment)
{
    struct config config;
    char text[OPTION_TEXT_SIZE];

    if (config_load(&config, environment) != 0)
        return;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];

        printf("%s=%s\n", option->name, option_format(option, option_slot(option, &config), text));
    }
}

/* Lets Python compare the README's table with ours. */
static void print_table(void)
{
    char fallback[OPTION_TEXT_SIZE], allowed[OPTION_TEXT_SIZE], variable[OPTION_VARIABLE_SIZE];

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];

        printf("%s\t%s\t%s\t%s\t%s\t%s\n", option->name, option_type_name(option->type),
               option_format(option, &option->fallback, fallback), option_describe(option, allowed),
               option_variable(option, variable), option_help(option));
    }
}

static void load_lines(void)
{
    static char line[1 << 20];
    char *variables[64];
    struct config_environment environment = {look_up, report, variables};

    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t count = 0;

        line[strcspn(line, "\n")] = '\0';
        for (char *word = strtok(line, "\t"); word != NULL && count < 63; word = strtok(NULL, "\t"))
            variables[count++] = word;
        variables[count] = NULL;
        load(&environment);
        printf(".\n");
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    const struct config_environment environment = {look_up_real, report, NULL};

    if (argc > 1 && strcmp(argv[1], "-") == 0)
        load_lines();
    else if (argc > 1 && strcmp(argv[1], "--table") == 0)
        print_table();
    else
        load(&environment);
    return 0;
}
