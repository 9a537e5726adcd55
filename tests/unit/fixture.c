/* SPDX-License-Identifier: MIT
 *
 * The path of the temporary file differs in each run, so reports are kept with "F" in its place. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memprof.h"
#include "test.h"

static const char *look_up(const char *name, void *context)
{
    struct fixture *fixture = context;

    fixture->lookup_count++;
    for (size_t i = fixture->variable_count; i-- > 0;) {
        if (strcmp(fixture->names[i], name) == 0)
            return fixture->values[i];
    }
    return NULL;
}

static void report(enum config_severity severity, const char *text, void *context)
{
    struct fixture *fixture = context;
    size_t count = fixture->error_count + fixture->warning_count;
    size_t prefix = strlen(fixture->path);

    assert_true(count < FIXTURE_LINES);
    assert_null(strchr(text, '\n'));
    if (strncmp(text, fixture->path, prefix) == 0)
        snprintf(fixture->lines[count], sizeof fixture->lines[0], "F%s", text + prefix);
    else
        snprintf(fixture->lines[count], sizeof fixture->lines[0], "%s", text);
    if (severity == CONFIG_ERROR)
        fixture->error_count++;
    else
        fixture->warning_count++;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->directory, "/tmp/memprof-test-XXXXXX");
    if (mkdtemp(fixture->directory) == NULL)
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/config.yml", fixture->directory);
    fixture->environment = (struct config_environment){look_up, report, fixture};
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    unlink(fixture->path);
    rmdir(fixture->directory);
    free(fixture);
    return 0;
}

void fixture_set(struct fixture *fixture, const char *name, const char *value)
{
    assert_true(fixture->variable_count < FIXTURE_VARIABLES);
    fixture->names[fixture->variable_count] = name;
    fixture->values[fixture->variable_count++] = value;
}

void fixture_write(struct fixture *fixture, const char *bytes, size_t size)
{
    FILE *file = fopen(fixture->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    if (look_up(MEMPROF_ENV_CONFIG, fixture) == NULL)
        fixture_set(fixture, MEMPROF_ENV_CONFIG, fixture->path);
}

void fixture_load(struct fixture *fixture)
{
    fixture->error_count = 0;
    fixture->warning_count = 0;
    fixture->lookup_count = 0;
    memset(fixture->lines, 0, sizeof fixture->lines);
    memset(&fixture->config, 0x55, sizeof fixture->config);
    fixture->result = config_load(&fixture->config, &fixture->environment);
}

void fixture_load_text(struct fixture *fixture, const char *text)
{
    fixture_write(fixture, text, strlen(text));
    fixture_load(fixture);
}

void fixture_load_section(struct fixture *fixture, const char *lines)
{
    char text[8192] = "general:\n monitoring:\n  memory_profiling:\n";
    size_t used = strlen(text);

    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");

        used += (size_t)snprintf(text + used, sizeof text - used, "   %.*s\n", (int)length, lines);
        assert_true(used < sizeof text);
        lines += length + (lines[length] == '\n');
    }
    fixture_load_text(fixture, text);
}

void fixture_expect_error(const struct fixture *fixture, const char *line)
{
    size_t last = fixture->error_count + fixture->warning_count - 1;

    assert_int_equal(fixture->error_count, 1);
    assert_string_equal(fixture->lines[last], line);
    assert_int_equal(fixture->result, -1);
    assert_int_equal(fixture->config.enabled, 0);
}

void fixture_expect_warnings(const struct fixture *fixture, ...)
{
    va_list lines;
    const char *line;
    size_t count = 0;

    va_start(lines, fixture);
    while ((line = va_arg(lines, const char *)) != NULL)
        assert_string_equal(fixture->lines[count++], line);
    va_end(lines);
    assert_string_equal(fixture->lines[count], "");
    assert_int_equal(fixture->error_count, 0);
    assert_int_equal(fixture->warning_count, count);
    assert_int_equal(fixture->result, 0);
}
