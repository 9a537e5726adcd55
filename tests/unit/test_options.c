/* SPDX-License-Identifier: MIT */
#include "config/options.h"
#include "config/path.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static const struct option *find(const char *name)
{
    return option_find(name, strlen(name));
}

/* Every name, variable and slot is used once, and each variable follows from its name. */
static void test_table_is_consistent(void **state)
{
    char seen[sizeof(struct config) / sizeof(long)] = {0};

    (void)state;
    assert_string_equal(option_table[OPTION_ENABLED].name, "enabled");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];
        char variable[64] = "MEMPROF_", named[OPTION_VARIABLE_SIZE];
        size_t length = strlen(variable);

        assert_ptr_equal(find(option->name), option);
        assert_int_equal(option->offset % sizeof(long), 0);
        assert_int_equal(seen[option->offset / sizeof(long)]++, 0);
        for (const char *at = option->name; *at != '\0'; at++)
            variable[length++] = *at == '_' ? '_' : (char)(*at & ~0x20);
        assert_string_equal(option_variable(option, named), variable);
        assert_true(strlen(option_help(option)) > 10);
        assert_int_equal(option->type == OPTION_CHOICE, option->choices != NULL);
    }
}

/* The contract with users; the README's table is compared with the same functions. */
static void test_table_says_what_is_promised(void **state)
{
    static const char *const rows[OPTION_COUNT][4] = {
        {"enabled", "boolean", "false", "true or false"},
        {"interval_seconds", "integer", "60", "an integer from 10 to 31,536,000"},
        {"top_n_classes", "integer", "50", "an integer from 1 to 1,000,000"},
        {"follow_children", "boolean", "false", "true or false"},
        {"collect", "boolean", "true", "true or false"},
        {"count_untracked", "boolean", "false", "true or false"},
        {"snapshot_mode", "choice", "auto", "auto, inline or fork"},
        {"fork_timeout_seconds", "integer", "60", "an integer from 1 to 3,600"},
        {"max_overhead_percent", "integer", "5", "an integer from 1 to 100"},
        {"snapshot_signal", "signal", "none", NULL},
        {"snapshot_at_exit", "boolean", "false", "true or false"},
        {"output", "choice", "auto", "auto, logging or stderr"},
        {"metrics", "boolean", "true", "true or false"},
        {"snapshot_file", "path", "''", "a path of at most 1,023 bytes, all of them printable"},
        {"snapshot_file_max_mb", "integer", "64", "an integer from 1 to 1,000,000"},
        {"leak_detection", "boolean", "true", "true or false"},
        {"retention_classes", "list", "[]", "a list of at most 16 class names"},
    };
    char text[OPTION_TEXT_SIZE], signals[OPTION_TEXT_SIZE];

    (void)state;
    snprintf(signals, sizeof signals, "none, SIGUSR1, SIGUSR2 or SIGRTMIN+0 to SIGRTMIN+%d",
             SIGRTMAX - SIGRTMIN);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];

        assert_string_equal(option->name, rows[i][0]);
        assert_string_equal(option_type_name(option->type), rows[i][1]);
        assert_string_equal(option_format(option, &option->fallback, text), rows[i][2]);
        assert_string_equal(option_describe(option, text), rows[i][3] ? rows[i][3] : signals);
    }
}

static void test_nearest(void **state)
{
    static const char *const cases[][2] = {
        {"intervall_seconds", "interval_seconds"},
        {"interval-seconds", "interval_seconds"},
        {"IntervalSeconds", "interval_seconds"},
        {"interval", "interval_seconds"},
        {"ENABLED", "enabled"},
        {"enable", "enabled"},
        {"enbaled", "enabled"},
        {"top_classes", "top_n_classes"},
        {"topn_classes", "top_n_classes"},
        {"outputs", "output"},
        {"colect", "collect"},
        {"snapshot_sginal", "snapshot_signal"},
        {"snapshot_on_exit", "snapshot_at_exit"},
        {"follow_child", "follow_children"},
        {"password", NULL},
        {"x", NULL},
        {"", NULL},
        {"discord_token", NULL},
    };
    char longest[5000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct option *nearest = option_nearest(cases[i][0], strlen(cases[i][0]));

        if (cases[i][1] == NULL)
            assert_null(nearest);
        else if (nearest == NULL)
            fail_msg("nothing is near %s", cases[i][0]);
        else
            assert_string_equal(nearest->name, cases[i][1]);
    }
    memset(longest, 'e', sizeof longest);
    assert_null(option_nearest(longest, sizeof longest));
    assert_null(option_nearest(longest, 64));
    assert_null(option_nearest("ena\0led", 0));
}

static enum option_fault parse(const char *name, struct scalar scalar, long *value)
{
    *value = -99;
    return option_parse(find(name), &scalar, value);
}

static void test_parse(void **state)
{
    static const struct {
        const char *name, *text;
        enum option_fault plain, quoted;
        long value;
    } cases[] = {
        {"enabled", "yes", OPTION_ACCEPTED, OPTION_ACCEPTED, 1},
        {"enabled", "Off", OPTION_ACCEPTED, OPTION_ACCEPTED, 0},
        {"enabled", "1", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"enabled", "tRUE", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"enabled", "", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"interval_seconds", "10", OPTION_ACCEPTED, OPTION_ACCEPTED, 10},
        {"interval_seconds", "9", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"interval_seconds", "31_536_000", OPTION_ACCEPTED, OPTION_ACCEPTED, 31536000},
        {"interval_seconds", "31536001", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"interval_seconds", "-60", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"interval_seconds", "99999999999999999999", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"interval_seconds", "60.0", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"interval_seconds", "true", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"interval_seconds", " 60", OPTION_WRONG_TYPE, OPTION_WRONG_TYPE, 0},
        {"top_n_classes", "1", OPTION_ACCEPTED, OPTION_ACCEPTED, 1},
        {"top_n_classes", "0", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"top_n_classes", "1000000", OPTION_ACCEPTED, OPTION_ACCEPTED, 1000000},
        {"top_n_classes", "1000001", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"output", "auto", OPTION_ACCEPTED, OPTION_ACCEPTED, CONFIG_OUTPUT_AUTO},
        {"output", "logging", OPTION_ACCEPTED, OPTION_ACCEPTED, CONFIG_OUTPUT_LOGGING},
        {"output", "stderr", OPTION_ACCEPTED, OPTION_ACCEPTED, CONFIG_OUTPUT_STDERR},
        {"output", "Auto", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"output", "aut", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"output", "yes", OPTION_WRONG_TYPE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "none", OPTION_ACCEPTED, OPTION_ACCEPTED, 0},
        {"snapshot_signal", "SIGUSR1", OPTION_ACCEPTED, OPTION_ACCEPTED, SIGUSR1},
        {"snapshot_signal", "SIGUSR2", OPTION_ACCEPTED, OPTION_ACCEPTED, SIGUSR2},
        {"snapshot_signal", "SIGTERM", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "sigusr1", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "10", OPTION_WRONG_TYPE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMIN+", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMIN-1", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMIN+x", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMIN+31", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMIN+999999999999", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGRTMI", OPTION_OUT_OF_RANGE, OPTION_OUT_OF_RANGE, 0},
    };
    long value;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *text = cases[i].text;
        size_t length = strlen(text);

        if (parse(cases[i].name, scalar_plain(text, length), &value) != cases[i].plain ||
            value != (cases[i].plain == OPTION_ACCEPTED ? cases[i].value : -99))
            fail_msg("%s: %s gives %ld", cases[i].name, text, value);
        if (parse(cases[i].name, scalar_quoted(text, length), &value) != cases[i].quoted ||
            value != (cases[i].quoted == OPTION_ACCEPTED ? cases[i].value : -99))
            fail_msg("%s: \"%s\" gives %ld", cases[i].name, text, value);
    }
}

static void test_realtime_signals(void **state)
{
    char text[32], formatted[OPTION_TEXT_SIZE];
    const struct option *option = find("snapshot_signal");
    long value;

    (void)state;
    assert_int_equal(parse("snapshot_signal", scalar_plain("SIGRTMIN", 8), &value), 0);
    assert_int_equal(value, SIGRTMIN);
    for (int i = 0; i <= SIGRTMAX - SIGRTMIN; i++) {
        snprintf(text, sizeof text, "SIGRTMIN+%d", i);
        assert_int_equal(parse("snapshot_signal", scalar_plain(text, strlen(text)), &value), 0);
        assert_int_equal(value, SIGRTMIN + i);
        assert_string_equal(option_format(option, &value, formatted), text);
    }
    value = SIGUSR1;
    assert_string_equal(option_format(option, &value, formatted), "SIGUSR1");
    value = SIGUSR2;
    assert_string_equal(option_format(option, &value, formatted), "SIGUSR2");
}

static void test_parse_variable(void **state)
{
    static const struct {
        const char *name, *text;
        enum option_fault fault;
        long value;
    } cases[] = {
        {"enabled", "1", OPTION_ACCEPTED, 1},
        {"enabled", "0", OPTION_ACCEPTED, 0},
        {"enabled", "tRuE", OPTION_ACCEPTED, 1},
        {"enabled", "nO", OPTION_ACCEPTED, 0},
        {"enabled", "2", OPTION_WRONG_TYPE, 0},
        {"enabled", "01", OPTION_WRONG_TYPE, 0},
        {"enabled", "y", OPTION_WRONG_TYPE, 0},
        {"interval_seconds", "1:30", OPTION_ACCEPTED, 90},
        {"interval_seconds", "1_000", OPTION_ACCEPTED, 1000},
        {"interval_seconds", "yes", OPTION_WRONG_TYPE, 0},
        {"interval_seconds", "1", OPTION_OUT_OF_RANGE, 0},
        {"output", "stderr", OPTION_ACCEPTED, CONFIG_OUTPUT_STDERR},
        {"output", "1", OPTION_OUT_OF_RANGE, 0},
        {"snapshot_signal", "SIGUSR2", OPTION_ACCEPTED, SIGUSR2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        long value = 0;

        if (option_parse_variable(find(cases[i].name), cases[i].text, strlen(cases[i].text),
                                  &value) != cases[i].fault ||
            value != cases[i].value)
            fail_msg("%s: %s gives %ld", cases[i].name, cases[i].text, value);
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *text;
        enum option_fault fault;
        const char *formatted; /* the names that were there, "a.B", among them */
    } cases[] = {
        {"c.D", OPTION_ACCEPTED, "[a.B, c.D]"},
        {"c.D, e.f.<locals>.G ,\th", OPTION_ACCEPTED, "[a.B, c.D, e.f.<locals>.G, h]"},
        {"c.D,a.B,c.D", OPTION_ACCEPTED, "[a.B, c.D]"},
        {"\xc3\xa9.\xc3\x89", OPTION_ACCEPTED, "[a.B, \xc3\xa9.\xc3\x89]"},
        {"", OPTION_OUT_OF_RANGE, "[a.B]"},
        {" ", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c.D,", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c.D,,e.F", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c D", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c\nD", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c\xc2\x85", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c\xe2\x80\xa8", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"c\xff", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"<unknown>.D", OPTION_ACCEPTED, "[a.B, <unknown>.D]"},
        {"<<", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"5", OPTION_OUT_OF_RANGE, "[a.B]"},
        {"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o", OPTION_ACCEPTED,
         "[a.B, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o]"},
        {"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", OPTION_OUT_OF_RANGE, "[a.B]"},
    };
    const struct option *option = find("retention_classes");
    char text[OPTION_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config_names names = {"a.B\0"};

        if (option_parse_variable(option, cases[i].text, strlen(cases[i].text), &names) !=
            cases[i].fault)
            fail_msg("%s", cases[i].text);
        assert_string_equal(option_format(option, &names, text), cases[i].formatted);
    }
}

static void test_names_fill_their_room(void **state)
{
    struct config_names names = {{0}};
    const struct option *option = find("retention_classes");
    char name[MEMPROF_NAMES_LIMIT_BYTES], text[OPTION_TEXT_SIZE];

    (void)state;
    memset(name, 'x', sizeof name);
    /* The longest one takes its NUL and the list's with it. */
    assert_int_equal(option_parse_variable(option, name, sizeof name, &names), OPTION_ACCEPTED);
    assert_int_equal(strlen(names.text), sizeof name);
    assert_int_equal(names.text[sizeof name + 1], 0);
    assert_int_equal(option_parse_variable(option, "y", 1, &names), OPTION_OUT_OF_RANGE);
    assert_int_equal(strlen(option_format(option, &names, text)), sizeof text - 1);
}

static void test_paths(void **state)
{
    static const struct {
        const char *text;
        enum option_fault fault;
    } cases[] = {
        {"/var/log/a b.jsonl", OPTION_ACCEPTED}, {"relative-%p.jsonl", OPTION_ACCEPTED},
        {"\xc3\xa9", OPTION_ACCEPTED},           {"5", OPTION_ACCEPTED},
        {"a\nb", OPTION_OUT_OF_RANGE},           {"a\x7f", OPTION_OUT_OF_RANGE},
        {"a\xe2\x80\xae", OPTION_OUT_OF_RANGE},  {"a\xff", OPTION_OUT_OF_RANGE},
    };
    const struct option *option = find("snapshot_file");
    char text[OPTION_TEXT_SIZE], longest[MEMPROF_PATH_LIMIT_BYTES + 1];
    struct config_path path = {"before"};
    struct scalar number = scalar_plain("5", 1), none = scalar_plain("", 0),
                  hidden = scalar_quoted("a\0b", 3), empty = scalar_quoted("", 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config_path read = {"before"};
        enum option_fault fault =
            option_parse_variable(option, cases[i].text, strlen(cases[i].text), &read);

        if (fault != cases[i].fault)
            fail_msg("%s", cases[i].text);
        assert_string_equal(option_format(option, &read, text),
                            fault == OPTION_ACCEPTED ? cases[i].text : "before");
    }
    assert_int_equal(option_parse(option, &number, &path), OPTION_WRONG_TYPE);
    assert_int_equal(option_parse(option, &none, &path), OPTION_WRONG_TYPE);
    assert_int_equal(option_parse(option, &hidden, &path), OPTION_OUT_OF_RANGE);
    assert_string_equal(path.text, "before");
    assert_int_equal(option_parse(option, &empty, &path), OPTION_ACCEPTED);
    assert_string_equal(option_format(option, &path, text), "''");
    memset(longest, 'x', sizeof longest);
    assert_int_equal(option_parse_variable(option, longest, sizeof longest, &path),
                     OPTION_OUT_OF_RANGE);
    assert_int_equal(option_parse_variable(option, longest, sizeof longest - 1, &path),
                     OPTION_ACCEPTED);
    assert_int_equal(strlen(path.text), MEMPROF_PATH_LIMIT_BYTES);
    assert_int_equal(strlen(option_format(option, &path, text)), sizeof text - 1);
}

static void test_paths_become_absolute(void **state)
{
    struct config_path path = {"a/%p"}, longest = {""};

    (void)state;
    assert_int_equal(path_make_absolute(&longest, "/srv"), 0);
    assert_string_equal(longest.text, "");
    assert_int_equal(path_make_absolute(&path, "/srv"), 0);
    assert_string_equal(path.text, "/srv/a/%p");
    assert_int_equal(path_make_absolute(&path, "/tmp"), 0);
    assert_string_equal(path.text, "/srv/a/%p");
    memset(longest.text, 'x', sizeof longest.text - 6);
    assert_int_equal(path_make_absolute(&longest, "/fife"), -1);
    assert_int_equal(longest.text[0], 'x');
    assert_int_equal(path_make_absolute(&longest, "/srv"), 0);
    assert_int_equal(strlen(longest.text), MEMPROF_PATH_LIMIT_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_consistent),
        cmocka_unit_test(test_table_says_what_is_promised),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_realtime_signals),
        cmocka_unit_test(test_parse_variable),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_fill_their_room),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_paths_become_absolute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
