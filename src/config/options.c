/* SPDX-License-Identifier: MIT
 *
 * Every fact about an option is in its row of OPTION_ROWS and nowhere else: adding an option means
 * adding a row here and a field to struct config. */
#include "config/options.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/names.h"
#include "config/path.h"
#include "memprof.h"

static const char *const modes[] = {"auto", "inline", "fork", NULL};
static const char *const outputs[] = {"auto", "logging", "stderr", NULL};

/* ROW(name, type, default, minimum, maximum, choices, help) */
/* clang-format off */
#define OPTION_ROWS(ROW) \
    ROW(enabled, OPTION_BOOLEAN, 0, 0, 1, NULL, \
        "Profile this program. Without a configuration file the default is true.") \
    ROW(interval_seconds, OPTION_INTEGER, \
        60, MEMPROF_INTERVAL_SECONDS_MINIMUM, MEMPROF_INTERVAL_SECONDS_MAXIMUM, NULL, \
        "Seconds between two snapshots.") \
    ROW(top_n_classes, OPTION_INTEGER, \
        50, MEMPROF_TOP_N_CLASSES_MINIMUM, MEMPROF_TOP_N_CLASSES_MAXIMUM, NULL, \
        "Number of classes in each table of a snapshot.") \
    ROW(follow_children, OPTION_BOOLEAN, 0, 0, 1, NULL, \
        "Profile forked workers and Python children of this process too.") \
    ROW(collect, OPTION_BOOLEAN, 1, 0, 1, NULL, \
        "Leave garbage out: by `gc.collect()`, or in a forked copy by the same rule.") \
    ROW(count_untracked, OPTION_BOOLEAN, 0, 0, 1, NULL, \
        "Count strings, bytes, numbers and what else the collector does not track too.") \
    ROW(snapshot_mode, OPTION_CHOICE, CONFIG_MODE_AUTO, 0, 0, modes, \
        "Walk the heap with the program standing still, in a forked copy, or whichever pauses less.") \
    ROW(fork_timeout_seconds, OPTION_INTEGER, \
        60, MEMPROF_FORK_TIMEOUT_SECONDS_MINIMUM, MEMPROF_FORK_TIMEOUT_SECONDS_MAXIMUM, NULL, \
        "Seconds after which a forked copy that has not ended is killed.") \
    ROW(max_overhead_percent, OPTION_INTEGER, 5, 1, 100, NULL, \
        "Share of time that pauses may take; above it the interval is stretched.") \
    ROW(snapshot_signal, OPTION_SIGNAL, 0, 0, 0, NULL, \
        "The signal that asks for a snapshot at once.") \
    ROW(snapshot_at_exit, OPTION_BOOLEAN, 0, 0, 1, NULL, \
        "Take a last snapshot when the program ends.") \
    ROW(output, OPTION_CHOICE, CONFIG_OUTPUT_AUTO, 0, 0, outputs, \
        "Where records go: Python's logging, descriptor 2, or whichever of them somebody sees.") \
    ROW(metrics, OPTION_BOOLEAN, 1, 0, 1, NULL, \
        "Show the figures in the program's own metrics, by OpenTelemetry or prometheus_client.") \
    ROW(snapshot_file, OPTION_PATH, 0, 0, MEMPROF_PATH_LIMIT_BYTES, NULL, \
        "File that gets each snapshot as a line of JSON; `%p` in it is the process id.") \
    ROW(snapshot_file_max_mb, OPTION_INTEGER, \
        64, 1, MEMPROF_SNAPSHOT_FILE_MAX_MB_MAXIMUM, NULL, \
        "Megabytes after which that file is renamed to one that ends in `.1`.") \
    ROW(leak_detection, OPTION_BOOLEAN, 1, 0, 1, NULL, \
        "Say what has grown since the first snapshot, which classes leak, and who holds them.") \
    ROW(retention_classes, OPTION_NAMES, 0, 0, MEMPROF_NAMES_LIMIT, NULL, \
        "Classes whose holders are told in snapshots asked for by signal.")
/* clang-format on */

#define OPTION(name, type, fallback, minimum, maximum, choices, help) \
    {#name, type, fallback, minimum, maximum, choices, offsetof(struct config, name)},
const struct option option_table[OPTION_COUNT] = {OPTION_ROWS(OPTION)};
#undef OPTION

const char *option_help(const struct option *option)
{
#define HELP(name, type, fallback, minimum, maximum, choices, help) help,
    static const char *const table[OPTION_COUNT] = {OPTION_ROWS(HELP)};
#undef HELP
    return table[option - option_table];
}

char *option_variable(const struct option *option, char text[OPTION_VARIABLE_SIZE])
{
    size_t size = sizeof(MEMPROF_ENV_PREFIX) - 1;

    memcpy(text, MEMPROF_ENV_PREFIX, size);
    for (const char *at = option->name; *at != '\0' && size < OPTION_VARIABLE_SIZE - 1; at++)
        text[size++] = *at == '_' ? '_' : (char)(*at & ~0x20);
    text[size] = '\0';
    return text;
}

_Static_assert(sizeof(struct config) == (OPTION_COUNT - 2) * sizeof(long) +
                                            sizeof(struct config_names) +
                                            sizeof(struct config_path),
               "one field, one row");

static size_t distance_minimum(size_t first, size_t second, size_t third)
{
    size_t least = first < second ? first : second;

    return least < third ? least : third;
}

static char fold(char character)
{
    if (character >= 'A' && character <= 'Z')
        return (char)(character | 0x20);
    return character == '-' || character == ' ' ? '_' : character;
}

#define NAME_LIMIT 64

/* Levenshtein's distance, one row of the table at a time; length is at most NAME_LIMIT. */
static size_t edit_distance(const char *text, size_t length, const char *name)
{
    size_t row[NAME_LIMIT + 1];

    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t j = 1; name[j - 1] != '\0'; j++) {
        size_t diagonal = row[0];

        row[0] = j;
        for (size_t i = 1; i <= length; i++) {
            size_t above = row[i];
            size_t replaced = diagonal + (fold(text[i - 1]) != name[j - 1]);

            row[i] = distance_minimum(above + 1, row[i - 1] + 1, replaced);
            diagonal = above;
        }
    }
    return row[length];
}

const struct option *option_find(const char *name, size_t length)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];

        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

const struct option *option_nearest(const char *name, size_t length)
{
    const struct option *nearest = NULL;
    size_t least = SIZE_MAX;

    if (length == 0 || length > NAME_LIMIT)
        return NULL;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];
        size_t distance = edit_distance(name, length, option->name);
        size_t tolerance = strlen(option->name) / 3;

        if (length >= 4 && strncmp(option->name, name, length) == 0)
            tolerance = NAME_LIMIT;
        if (distance <= tolerance && distance < least) {
            least = distance;
            nearest = option;
        }
    }
    return nearest;
}

void *option_slot(const struct option *option, struct config *config)
{
    return (char *)config + option->offset;
}

void option_reset(const struct option *option, struct config *config)
{
    if (option->type == OPTION_NAMES)
        memset(option_slot(option, config), 0, sizeof(struct config_names));
    else if (option->type == OPTION_PATH)
        memset(option_slot(option, config), 0, sizeof(struct config_path));
    else
        *(long *)option_slot(option, config) = option->fallback;
}

static enum option_fault parse_boolean(const struct scalar *scalar, long *value)
{
    if (scalar->kind != SCALAR_BOOLEAN)
        return OPTION_WRONG_TYPE;
    *value = scalar->value;
    return OPTION_ACCEPTED;
}

static enum option_fault parse_integer(const struct option *option, const struct scalar *scalar,
                                       long *value)
{
    if (scalar->kind != SCALAR_INTEGER)
        return OPTION_WRONG_TYPE;
    if (scalar->value < option->minimum || scalar->value > option->maximum)
        return OPTION_OUT_OF_RANGE;
    *value = scalar->value;
    return OPTION_ACCEPTED;
}

static enum option_fault parse_choice(const struct option *option, const struct scalar *scalar,
                                      long *value)
{
    if (scalar->kind != SCALAR_STRING)
        return OPTION_WRONG_TYPE;
    for (long i = 0; option->choices[i] != NULL; i++) {
        if (strlen(option->choices[i]) == scalar->length &&
            memcmp(option->choices[i], scalar->text, scalar->length) == 0) {
            *value = i;
            return OPTION_ACCEPTED;
        }
    }
    return OPTION_OUT_OF_RANGE;
}

/* "SIGRTMIN" or "SIGRTMIN+n", with text after the word SIGRTMIN. */
static enum option_fault parse_realtime_signal(const char *text, size_t length, long *value)
{
    long number = 0;

    if (length == 1 || length > 3 || (length > 1 && text[0] != '+'))
        return OPTION_OUT_OF_RANGE;
    for (size_t i = 1; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return OPTION_OUT_OF_RANGE;
        number = number * 10 + (text[i] - '0');
    }
    if (number > SIGRTMAX - SIGRTMIN)
        return OPTION_OUT_OF_RANGE;
    *value = SIGRTMIN + number;
    return OPTION_ACCEPTED;
}

static enum option_fault parse_signal(const struct scalar *scalar, long *value)
{
    static const char realtime[] = "SIGRTMIN";
    static const struct {
        const char *name;
        long number;
    } signals[] = {{"none", 0}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}};
    size_t prefix = sizeof realtime - 1;

    if (scalar->kind != SCALAR_STRING)
        return OPTION_WRONG_TYPE;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strlen(signals[i].name) == scalar->length &&
            memcmp(signals[i].name, scalar->text, scalar->length) == 0) {
            *value = signals[i].number;
            return OPTION_ACCEPTED;
        }
    }
    if (scalar->length < prefix || memcmp(scalar->text, realtime, prefix) != 0)
        return OPTION_OUT_OF_RANGE;
    return parse_realtime_signal(scalar->text + prefix, scalar->length - prefix, value);
}

static enum option_fault parse_names(const struct scalar *scalar, struct config_names *names)
{
    struct config_names more = *names;

    if (scalar->kind != SCALAR_STRING)
        return OPTION_WRONG_TYPE;
    if (names_add(&more, scalar->text, scalar->length) != 0)
        return OPTION_OUT_OF_RANGE;
    *names = more;
    return OPTION_ACCEPTED;
}

static enum option_fault parse_path(const struct scalar *scalar, struct config_path *path)
{
    if (scalar->kind != SCALAR_STRING)
        return OPTION_WRONG_TYPE;
    return path_set(path, scalar->text, scalar->length) == 0 ? OPTION_ACCEPTED
                                                             : OPTION_OUT_OF_RANGE;
}

enum option_fault option_parse(const struct option *option, const struct scalar *scalar,
                               void *value)
{
    struct scalar spelled = *scalar;

    if (scalar->kind == SCALAR_STRING)
        spelled = scalar_plain(scalar->text, scalar->length);
    switch (option->type) {
    case OPTION_BOOLEAN:
        return parse_boolean(&spelled, value);
    case OPTION_INTEGER:
        return parse_integer(option, &spelled, value);
    case OPTION_SIGNAL:
        return parse_signal(scalar, value);
    case OPTION_NAMES:
        return parse_names(scalar, value);
    case OPTION_PATH:
        return parse_path(scalar, value);
    default:
        return parse_choice(option, scalar, value);
    }
}

enum option_fault option_parse_variable(const struct option *option, const char *text,
                                        size_t length, void *value)
{
    struct scalar scalar = scalar_quoted(text, length);
    int truth = scalar_boolean_word(text, length);

    if (length == 1 && (text[0] == '0' || text[0] == '1'))
        truth = text[0] == '1';
    if (option->type != OPTION_BOOLEAN || truth < 0)
        return option_parse(option, &scalar, value);
    *(long *)value = truth;
    return OPTION_ACCEPTED;
}

/* 31536000 -> 31,536,000. The printf flag for this asks the locale, which is not ours. */
static char *format_grouped(long value, char buffer[32])
{
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%ld", value < 0 ? -value : value);
    size_t used = 0;

    if (value < 0)
        buffer[used++] = '-';
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer[used++] = ',';
        buffer[used++] = digits[i];
    }
    buffer[used] = '\0';
    return buffer;
}

static void describe_choices(const char *const *choices, char buffer[OPTION_TEXT_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; choices[i] != NULL && used < OPTION_TEXT_SIZE; i++) {
        const char *joint = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";

        used += (size_t)snprintf(buffer + used, OPTION_TEXT_SIZE - used, "%s%s", joint, choices[i]);
    }
}

char *option_describe(const struct option *option, char buffer[OPTION_TEXT_SIZE])
{
    char minimum[32], maximum[32];

    switch (option->type) {
    case OPTION_BOOLEAN:
        snprintf(buffer, OPTION_TEXT_SIZE, "true or false");
        break;
    case OPTION_INTEGER:
        snprintf(buffer, OPTION_TEXT_SIZE, "an integer from %s to %s",
                 format_grouped(option->minimum, minimum),
                 format_grouped(option->maximum, maximum));
        break;
    case OPTION_SIGNAL:
        snprintf(buffer, OPTION_TEXT_SIZE, "none, SIGUSR1, SIGUSR2 or SIGRTMIN+0 to SIGRTMIN+%d",
                 SIGRTMAX - SIGRTMIN);
        break;
    case OPTION_CHOICE:
        describe_choices(option->choices, buffer);
        break;
    case OPTION_NAMES:
        snprintf(buffer, OPTION_TEXT_SIZE, "a list of at most %ld class names", option->maximum);
        break;
    case OPTION_PATH:
        snprintf(buffer, OPTION_TEXT_SIZE, "a path of at most %s bytes, all of them printable",
                 format_grouped(option->maximum, maximum));
        break;
    }
    return buffer;
}

static const char *signal_name(long number)
{
    if (number == 0)
        return "none";
    return number == SIGUSR1 ? "SIGUSR1" : number == SIGUSR2 ? "SIGUSR2" : NULL;
}

static char *format_names(const struct config_names *names, char buffer[OPTION_TEXT_SIZE])
{
    size_t used = (size_t)snprintf(buffer, OPTION_TEXT_SIZE, "[");

    for (const char *name = names->text; *name != '\0' && used < OPTION_TEXT_SIZE;
         name += strlen(name) + 1)
        used += (size_t)snprintf(buffer + used, OPTION_TEXT_SIZE - used, "%s%s",
                                 used > 1 ? ", " : "", name);
    if (used < OPTION_TEXT_SIZE)
        snprintf(buffer + used, OPTION_TEXT_SIZE - used, "]");
    return buffer;
}

char *option_format(const struct option *option, const void *slot, char buffer[OPTION_TEXT_SIZE])
{
    const char *word = NULL;
    long value;

    if (option->type == OPTION_NAMES)
        return format_names(slot, buffer);
    if (option->type == OPTION_PATH) {
        const char *path = slot;

        snprintf(buffer, OPTION_TEXT_SIZE, "%s", path[0] == '\0' ? "''" : path);
        return buffer;
    }
    value = *(const long *)slot;
    if (option->type == OPTION_BOOLEAN)
        word = value ? "true" : "false";
    else if (option->type == OPTION_CHOICE)
        word = option->choices[value];
    else if (option->type == OPTION_SIGNAL)
        word = signal_name(value);
    if (word != NULL)
        snprintf(buffer, OPTION_TEXT_SIZE, "%s", word);
    else if (option->type == OPTION_SIGNAL)
        snprintf(buffer, OPTION_TEXT_SIZE, "SIGRTMIN+%ld", value - SIGRTMIN);
    else
        snprintf(buffer, OPTION_TEXT_SIZE, "%ld", value);
    return buffer;
}

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {"boolean", "integer", "signal", "choice", "list", "path"};

    return names[type];
}
