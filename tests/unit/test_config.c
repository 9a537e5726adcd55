/* SPDX-License-Identifier: MIT
 *
 * Every sentence of the promise about configuration, on real files. */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fixture.h"
#include "memprof.h"
#include "test.h"

#define SECTION "general:\n monitoring:\n  memory_profiling:\n"
#define NO_SECTION \
    "F: has no section general.monitoring.memory_profiling, so the profiler stays off"

static void test_no_file_means_enabled(void **state)
{
    struct fixture *fixture = *state;
    const struct config defaults = {.enabled = 1,
                                    .interval_seconds = 60,
                                    .top_n_classes = 50,
                                    .collect = 1,
                                    .snapshot_mode = CONFIG_MODE_AUTO,
                                    .fork_timeout_seconds = 60,
                                    .max_overhead_percent = 5,
                                    .output = CONFIG_OUTPUT_AUTO,
                                    .metrics = 1,
                                    .snapshot_file_max_mb = 64,
                                    .leak_detection = 1};

    fixture_load(fixture);
    fixture_expect_warnings(fixture, NULL);
    assert_memory_equal(&fixture->config, &defaults, sizeof defaults);
    fixture_set(fixture, MEMPROF_ENV_CONFIG, "");
    fixture_load(fixture);
    assert_memory_equal(&fixture->config, &defaults, sizeof defaults);
}

static void test_a_file_decides_about_enabled(void **state)
{
    struct fixture *fixture = *state;
    const struct config defaults = {.enabled = 0,
                                    .interval_seconds = 60,
                                    .top_n_classes = 50,
                                    .collect = 1,
                                    .snapshot_mode = CONFIG_MODE_AUTO,
                                    .fork_timeout_seconds = 60,
                                    .max_overhead_percent = 5,
                                    .output = CONFIG_OUTPUT_AUTO,
                                    .metrics = 1,
                                    .snapshot_file_max_mb = 64,
                                    .leak_detection = 1};

    fixture_load_section(fixture, "interval_seconds: 60");
    fixture_expect_warnings(fixture, NULL);
    assert_memory_equal(&fixture->config, &defaults, sizeof defaults);
    fixture_load_section(fixture, "enabled: true");
    assert_int_equal(fixture->config.enabled, 1);
    fixture_set(fixture, "MEMPROF_ENABLED", "yes");
    fixture_load_section(fixture, "enabled: false");
    assert_int_equal(fixture->config.enabled, 1);
}

static void test_every_option(void **state)
{
    struct fixture *fixture = *state;
    const struct config expected = {1,
                                    90,
                                    1000,
                                    1,
                                    0,
                                    1,
                                    CONFIG_MODE_FORK,
                                    3600,
                                    1,
                                    SIGUSR2,
                                    1,
                                    CONFIG_OUTPUT_STDERR,
                                    0,
                                    {"a/%p b"},
                                    1000000,
                                    0,
                                    {"a.B\0c.D\0"}};

    fixture_load_section(fixture, "enabled: On\ninterval_seconds: 1:30\ntop_n_classes: '1_000'\n"
                                  "follow_children: \"yes\"\ncollect: no\ncount_untracked: on\n"
                                  "snapshot_mode: fork\nfork_timeout_seconds: 1:0:0\n"
                                  "max_overhead_percent: 0b1\n"
                                  "snapshot_signal: SIGUSR2\nsnapshot_at_exit: !!bool on\n"
                                  "output: stderr\nmetrics: off\nleak_detection: off\n"
                                  "snapshot_file: a/%p b\nsnapshot_file_max_mb: 1_000_000\n"
                                  "retention_classes: [a.B, c.D]");
    fixture_expect_warnings(fixture, NULL);
    assert_memory_equal(&fixture->config, &expected, sizeof expected);
}

static void test_every_variable_wins(void **state)
{
    struct fixture *fixture = *state;
    const struct config expected = {1,
                                    90,
                                    1000,
                                    1,
                                    0,
                                    1,
                                    CONFIG_MODE_INLINE,
                                    1,
                                    100,
                                    SIGRTMIN + 2,
                                    1,
                                    CONFIG_OUTPUT_LOGGING,
                                    0,
                                    {"/tmp/x"},
                                    1,
                                    0,
                                    {"e.F\0"}};

    fixture_set(fixture, "MEMPROF_ENABLED", " 1 ");
    fixture_set(fixture, "MEMPROF_INTERVAL_SECONDS", "\t90\n");
    fixture_set(fixture, "MEMPROF_TOP_N_CLASSES", "0x3e8");
    fixture_set(fixture, "MEMPROF_FOLLOW_CHILDREN", "YeS");
    fixture_set(fixture, "MEMPROF_COLLECT", "0");
    fixture_set(fixture, "MEMPROF_COUNT_UNTRACKED", "Yes");
    fixture_set(fixture, "MEMPROF_SNAPSHOT_MODE", "inline");
    fixture_set(fixture, "MEMPROF_FORK_TIMEOUT_SECONDS", "1");
    fixture_set(fixture, "MEMPROF_MAX_OVERHEAD_PERCENT", "100");
    fixture_set(fixture, "MEMPROF_SNAPSHOT_SIGNAL", "SIGRTMIN+2");
    fixture_set(fixture, "MEMPROF_SNAPSHOT_AT_EXIT", "true");
    fixture_set(fixture, "MEMPROF_LEAK_DETECTION", "off");
    fixture_set(fixture, "MEMPROF_RETENTION_CLASSES", "e.F");
    fixture_set(fixture, "MEMPROF_OUTPUT", "logging");
    fixture_set(fixture, "MEMPROF_METRICS", "off");
    fixture_set(fixture, "MEMPROF_SNAPSHOT_FILE", " /tmp/x\t");
    fixture_set(fixture, "MEMPROF_SNAPSHOT_FILE_MAX_MB", "1");
    /* What is overridden is not even read, so it cannot be wrong. */
    fixture_load_section(
        fixture, "enabled: maybe\ninterval_seconds: 1\ntop_n_classes: []\n"
                 "follow_children: 5\ncollect:\ncount_untracked: 2\nsnapshot_signal: SIGKILL\n"
                 "snapshot_mode: 1\nfork_timeout_seconds: 0\n"
                 "max_overhead_percent: 101\n"
                 "snapshot_at_exit: *x\noutput: !foo bar\nsnapshot_file: [a]\n"
                 "snapshot_file_max_mb: 0");
    fixture_expect_warnings(fixture, NULL);
    assert_memory_equal(&fixture->config, &expected, sizeof expected);
}

static void test_empty_variable_is_unset(void **state)
{
    struct fixture *fixture = *state;

    fixture_set(fixture, "MEMPROF_ENABLED", "");
    fixture_set(fixture, "MEMPROF_INTERVAL_SECONDS", " \t");
    fixture_load_section(fixture, "enabled: yes\ninterval_seconds: 20");
    fixture_expect_warnings(fixture, NULL);
    assert_int_equal(fixture->config.enabled, 1);
    assert_int_equal(fixture->config.interval_seconds, 20);
}

static void test_off_switch_comes_first(void **state)
{
    static const char *const words[] = {"no", "OFF", "False", "0", " n\x6f "};
    struct fixture *fixture = *state;

    fixture_set(fixture, "MEMPROF_INTERVAL_SECONDS", "nonsense");
    fixture_set(fixture, MEMPROF_ENV_CONFIG, "/nowhere/at/all.yml");
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        fixture_set(fixture, "MEMPROF_ENABLED", words[i]);
        fixture_load(fixture);
        fixture_expect_warnings(fixture, NULL);
        assert_int_equal(fixture->config.enabled, 0);
        assert_int_equal(fixture->lookup_count, 2);
    }
}

static void test_variable_faults(void **state)
{
    static const char *const cases[][3] = {
        {"MEMPROF_TOP_N_CLASSES", "many",
         "MEMPROF_TOP_N_CLASSES: found \"many\", allowed: an integer from 1 to 1,000,000"},
        {"MEMPROF_ENABLED", " maybe ", "MEMPROF_ENABLED: found \"maybe\", allowed: true or false"},
        {"MEMPROF_INTERVAL_SECONDS", "9999999999999999999999",
         "MEMPROF_INTERVAL_SECONDS: found \"9999999999999999999999\", allowed: an integer from 10 "
         "to 31,536,000"},
        {"MEMPROF_INTERVAL_SECONDS", "6\x1b[0m0",
         "MEMPROF_INTERVAL_SECONDS: found \"6\\x1b[0m0\", allowed: an integer from 10 to "
         "31,536,000"},
        {"MEMPROF_OUTPUT", "null",
         "MEMPROF_OUTPUT: found \"null\", allowed: auto, logging or stderr"},
    };
    struct fixture *fixture = *state;

    fixture_set(fixture, MEMPROF_ENV_CONFIG, "/nowhere/at/all.yml");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_set(fixture, cases[i][0], cases[i][1]);
        fixture_load(fixture);
        fixture_expect_error(fixture, cases[i][2]);
        fixture_set(fixture, cases[i][0], NULL);
    }
}

static void expect_classes(struct fixture *fixture, const char *lines, const char *names,
                           size_t size)
{
    fixture_load_section(fixture, lines);
    fixture_expect_warnings(fixture, NULL);
    assert_memory_equal(fixture->config.retention_classes.text, names, size);
}

/* The literal's own NUL is the second one. */
#define EXPECT_CLASSES(fixture, lines, names) expect_classes(fixture, lines, names, sizeof(names))

static void test_lists_of_classes(void **state)
{
    struct fixture *fixture = *state;

    EXPECT_CLASSES(fixture, "enabled: yes", "");
    EXPECT_CLASSES(fixture, "retention_classes: []", "");
    EXPECT_CLASSES(fixture, "retention_classes: a.B", "a.B\0");
    EXPECT_CLASSES(fixture, "retention_classes: 'a.B, c.D'", "a.B\0c.D\0");
    EXPECT_CLASSES(fixture, "retention_classes: [a.B, c.D]", "a.B\0c.D\0");
    EXPECT_CLASSES(fixture, "retention_classes:\n- a.B\n- 'c.D'\n- !!str e.F", "a.B\0c.D\0e.F\0");
    EXPECT_CLASSES(fixture, "retention_classes: !!seq [a.B]", "a.B\0");
    fixture_set(fixture, "ONE", "x.Y,z");
    EXPECT_CLASSES(fixture, "retention_classes: !ENV '${ONE}'", "x.Y\0z\0");
    EXPECT_CLASSES(fixture, "retention_classes: [a.B, !ENV '${ONE}']", "a.B\0x.Y\0z\0");
    fixture_load_text(fixture, "s: &s [a.B]\ni: &i c.D\n" SECTION "   retention_classes: *s\n");
    assert_memory_equal(fixture->config.retention_classes.text, "a.B\0", 5);
    fixture_load_text(fixture,
                      "s: &s [a.B]\ni: &i c.D\n" SECTION "   retention_classes: [*i, e]\n");
    assert_memory_equal(fixture->config.retention_classes.text, "c.D\0e\0", 7);
    fixture_set(fixture, "MEMPROF_RETENTION_CLASSES", " v.W , x ");
    EXPECT_CLASSES(fixture, "retention_classes: [5]", "v.W\0x\0");
}

static void test_faults_of_lists(void **state)
{
#define CLASSES "a list of at most 16 class names"
    static const char *const cases[][2] = {
        {"retention_classes:", "F:4:22: retention_classes: found null, allowed: " CLASSES},
        {"retention_classes: ''",
         "F:4:23: retention_classes: found the string \"\", allowed: " CLASSES},
        {"retention_classes: 5", "F:4:23: retention_classes: found 5, allowed: " CLASSES},
        {"retention_classes: [a.B, 5]", "F:4:29: retention_classes: found 5, allowed: " CLASSES},
        {"retention_classes: [a.B, [c.D]]",
         "F:4:29: retention_classes: found a list, allowed: " CLASSES},
        {"retention_classes: {a: b}",
         "F:4:23: retention_classes: found a mapping, allowed: " CLASSES},
        {"retention_classes: [a b]",
         "F:4:24: retention_classes: found the string \"a b\", allowed: " CLASSES},
        {"retention_classes: !!set [a]",
         "F:4:23: retention_classes: found a list tagged !!set, allowed: " CLASSES},
        {"retention_classes: [aa,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]",
         "F:4:57: retention_classes: found the string \"q\", allowed: " CLASSES},
        {"retention_classes: [*nowhere]",
         "F:4:24: retention_classes: found an alias without an anchor, allowed: " CLASSES},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_section(fixture, cases[i][0]);
        fixture_expect_error(fixture, cases[i][1]);
    }
    fixture_set(fixture, "MEMPROF_RETENTION_CLASSES", "a,,b");
    fixture_load(fixture);
    fixture_expect_error(fixture, "MEMPROF_RETENTION_CLASSES: found \"a,,b\", allowed: " CLASSES);
}

static void test_paths(void **state)
{
#define PATH "a path of at most 1,023 bytes, all of them printable"
    static const char *const good[][2] = {
        {"snapshot_file: /a/b-%p.jsonl", "/a/b-%p.jsonl"},
        {"snapshot_file: \"a \\u00e9\"", "a \xc3\xa9"},
        {"snapshot_file: ''", ""},
        {"snapshot_file: !!str 5", "5"},
        {"snapshot_file: !ENV '${FOLDER}/x'", "/srv/x"},
        {"snapshot_file: !ENV '${NOWHERE:/tmp}/x'", "/tmp/x"},
    };
    static const char *const bad[][2] = {
        {"snapshot_file:", "F:4:18: snapshot_file: found null, allowed: " PATH},
        {"snapshot_file: 5", "F:4:19: snapshot_file: found 5, allowed: " PATH},
        {"snapshot_file: [a]", "F:4:19: snapshot_file: found a list, allowed: " PATH},
        {"snapshot_file: \"a\\nb\"",
         "F:4:19: snapshot_file: found the string \"a\\nb\", allowed: " PATH},
        {"snapshot_file: \"a\\0b\"",
         "F:4:19: snapshot_file: found the string \"a\\x00b\", allowed: " PATH},
        {"snapshot_file: !ENV '${BELL}'",
         "F:4:19: snapshot_file: found the string \"a\\x07\" from ${BELL}, allowed: " PATH},
    };
    struct fixture *fixture = *state;

    fixture_set(fixture, "FOLDER", "/srv");
    fixture_set(fixture, "BELL", "a\a");
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        fixture_load_section(fixture, good[i][0]);
        fixture_expect_warnings(fixture, NULL);
        assert_string_equal(fixture->config.snapshot_file.text, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        fixture_load_section(fixture, bad[i][0]);
        fixture_expect_error(fixture, bad[i][1]);
    }
    fixture_set(fixture, "MEMPROF_SNAPSHOT_FILE", "a\x1b");
    fixture_load(fixture);
    fixture_expect_error(fixture, "MEMPROF_SNAPSHOT_FILE: found \"a\\x1b\", allowed: " PATH);
}

static void test_value_faults(void **state)
{
#define INTERVAL "an integer from 10 to 31,536,000"
    static const char *const cases[][2] = {
        {"interval_seconds: 5", "F:4:22: interval_seconds: found 5, allowed: " INTERVAL},
        {"interval_seconds: '5'", "F:4:22: interval_seconds: found 5, allowed: " INTERVAL},
        {"interval_seconds: 011", "F:4:22: interval_seconds: found 011 (9), allowed: " INTERVAL},
        {"interval_seconds: 99999999999999999999",
         "F:4:22: interval_seconds: found 99999999999999999999, allowed: " INTERVAL},
        {"interval_seconds: abc",
         "F:4:22: interval_seconds: found the string \"abc\", allowed: " INTERVAL},
        {"interval_seconds: 60s",
         "F:4:22: interval_seconds: found the string \"60s\", allowed: " INTERVAL},
        {"interval_seconds: 60.0",
         "F:4:22: interval_seconds: found the float 60.0, allowed: " INTERVAL},
        {"interval_seconds: yes", "F:4:22: interval_seconds: found yes, allowed: " INTERVAL},
        {"interval_seconds:", "F:4:21: interval_seconds: found null, allowed: " INTERVAL},
        {"interval_seconds: ~", "F:4:22: interval_seconds: found null, allowed: " INTERVAL},
        {"interval_seconds: ''",
         "F:4:22: interval_seconds: found the string \"\", allowed: " INTERVAL},
        {"interval_seconds: 2020-01-01",
         "F:4:22: interval_seconds: found the timestamp 2020-01-01, allowed: " INTERVAL},
        {"interval_seconds: [60]", "F:4:22: interval_seconds: found a list, allowed: " INTERVAL},
        {"interval_seconds: {a: 60}",
         "F:4:22: interval_seconds: found a mapping, allowed: " INTERVAL},
        {"interval_seconds: |\n  60",
         "F:4:22: interval_seconds: found the string \"60\\n\", allowed: " INTERVAL},
        {"interval_seconds: !!float 60",
         "F:4:22: interval_seconds: found the float 60, allowed: " INTERVAL},
        {"interval_seconds: !!null 60", "F:4:22: interval_seconds: found null, allowed: " INTERVAL},
        {"interval_seconds: !!binary NjA=",
         "F:4:22: interval_seconds: found a binary value, allowed: " INTERVAL},
        {"interval_seconds: !!int abc",
         "F:4:22: interval_seconds: found \"abc\" tagged !!int, allowed: " INTERVAL},
        {"interval_seconds: !seconds 60",
         "F:4:22: interval_seconds: found \"60\" tagged !seconds, allowed: " INTERVAL},
        {"interval_seconds: !!python/int 60",
         "F:4:22: interval_seconds: found \"60\" tagged !!python/int, allowed: " INTERVAL},
        {"interval_seconds: !<a:b> 60",
         "F:4:22: interval_seconds: found \"60\" tagged a:b, allowed: " INTERVAL},
        {"interval_seconds: !foo [60]",
         "F:4:22: interval_seconds: found a list tagged !foo, allowed: " INTERVAL},
        {"interval_seconds: *nowhere",
         "F:4:22: interval_seconds: found an alias without an anchor, allowed: " INTERVAL},
        {"enabled: 1", "F:4:13: enabled: found 1, allowed: true or false"},
        {"enabled: 'maybe'", "F:4:13: enabled: found the string \"maybe\", allowed: true or false"},
        {"enabled: !!bool 1", "F:4:13: enabled: found \"1\" tagged !!bool, allowed: true or false"},
        {"output: off", "F:4:12: output: found off, allowed: auto, logging or stderr"},
        {"output: syslog",
         "F:4:12: output: found the string \"syslog\", allowed: auto, logging or stderr"},
        {"collect: \"\\u001b[2J\\\"\"",
         "F:4:13: collect: found the string \"\\x1b[2J\\\"\", allowed: true or false"},
        {"collect: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
         "F:4:13: collect: found the string "
         "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff...\", allowed: true or "
         "false"},
        {"collect: \"\xC3\xA9\xE2\x80\xAE%s%n\"",
         "F:4:13: collect: found the string \"\xC3\xA9\\U0000202e%s%n\", allowed: true or false"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_section(fixture, cases[i][0]);
        fixture_expect_error(fixture, cases[i][1]);
        assert_int_equal(fixture->warning_count, 0);
    }
}

static void test_integers_of_the_file(void **state)
{
    static const struct {
        const char *text;
        long value;
    } cases[] = {
        {"60", 60},
        {"+60", 60},
        {"1_0", 10},
        {"0b1010", 10},
        {"0x3C", 60},
        {"074", 60},
        {"1:30", 90},
        {"\"60\"", 60},
        {"'1:30'", 90},
        {"!!int \"60\"", 60},
        {"!!str 60", 60},
        {"! 60", 60},
        {"! \"60\"", 60},
        {"!!int 0x3c", 60},
        {"!<tag:yaml.org,2002:int> 60", 60},
        {"10", 10},
        {"31536000", 31536000},
        {"&a 60", 60},
        {">-\n  60", 60},
    };
    struct fixture *fixture = *state;
    char line[64];

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        snprintf(line, sizeof line, "interval_seconds: %s", cases[i].text);
        fixture_load_section(fixture, line);
        fixture_expect_warnings(fixture, NULL);
        assert_int_equal(fixture->config.interval_seconds, cases[i].value);
    }
}

static void test_env_tags(void **state)
{
    static const char *const cases[][2] = {
        {"${INTERVAL}", NULL},
        {"${INTERVAL:5}", NULL},
        {"${UNSET:9}0", NULL},
        {"'${NINE}0'", NULL},
        {"tag:yaml.org,2002:int ${INTERVAL}", NULL},
        {"${NINE}", "found 9 from ${NINE}"},
        {"${WORD}", "found the string \"ninety\" from ${WORD}"},
        {"${UNSET}", "found the string \"N/A\" because UNSET is not set"},
        {"${INTERVAL}${UNSET}", "found the string \"90N/A\" because UNSET is not set"},
        {"${UNSET:x}", "found the string \"x\" from ${UNSET}"},
        {"${UNSET:}", "found the string \"${UNSET:}\""},
        {"$INTERVAL", "found the string \"$INTERVAL\""},
        {"tag:yaml.org,2002:float ${INTERVAL}", "found the float 90 from ${INTERVAL}"},
        {"tag:yaml.org,2002:int ${WORD}", "found \"ninety\" tagged !!int from ${WORD}"},
        {"tag:yaml.org,2002:foo ${WORD}", "found \"ninety\" tagged !!foo from ${WORD}"},
        {"[a]", "found a list tagged !ENV"},
    };
    struct fixture *fixture = *state;
    char text[256];

    fixture_set(fixture, "INTERVAL", "90");
    fixture_set(fixture, "NINE", "9");
    fixture_set(fixture, "WORD", "ninety");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        snprintf(text, sizeof text, "interval_seconds: !ENV %s", cases[i][0]);
        fixture_load_section(fixture, text);
        if (cases[i][1] == NULL) {
            fixture_expect_warnings(fixture, NULL);
            assert_int_equal(fixture->config.interval_seconds, 90);
            continue;
        }
        snprintf(text, sizeof text, "F:4:22: interval_seconds: %s, allowed: " INTERVAL,
                 cases[i][1]);
        fixture_expect_error(fixture, text);
    }
}

static void test_only_our_section_matters(void **state)
{
    struct fixture *fixture = *state;

    fixture_set(fixture, "TOKEN", "secret");
    fixture_load_text(fixture,
                      "%YAML 1.1\n%TAG !x! tag:x,2000:\n--- # a bot\n"
                      "bot: {token: !ENV '${TOKEN}', x: !x!y z, y: !!python/object:a.B {}}\n"
                      "base: &base {a: *unknown, <<: 5, <<: [1]}\n"
                      "? [complex, {key: 1}]\n: *base\n? &k2 {a: b}\n: 1\n"
                      "60: 1\nnull: 2\n*k2 : 3\n"
                      "memory_profiling: {enabled: 5}\nmonitoring: 7\n"
                      "general:\n  'x': 1\n  memory_profiling: 5\n  monitoring:\n    y: {}\n"
                      "    general: 4\n    memory_profiling:\n      enabled: yes\n    z: !z\n"
                      "after: [!!int abc, !!bool 7]\n"
                      "---\n- ]]] }: %% * \x01\n--- &\n");
    fixture_expect_warnings(fixture, NULL);
    assert_int_equal(fixture->config.enabled, 1);
}

static void test_later_documents_are_not_parsed(void **state)
{
    static const char *const markers[] = {"---\n", "...\n", "--- \n", "...\n---\n", "---\r\n"};
    struct fixture *fixture = *state;
    char text[256];

    for (size_t i = 0; i < ARRAY_LENGTH(markers); i++) {
        snprintf(text, sizeof text, SECTION "   enabled: yes\n%s\x01\x02]]]\n", markers[i]);
        fixture_load_text(fixture, text);
        fixture_expect_warnings(fixture, NULL);
        assert_int_equal(fixture->config.enabled, 1);
    }
}

static void test_aliases_and_merges(void **state)
{
    static const char *const cases[] = {
        "x: &x {interval_seconds: 77}\n" SECTION "   <<: *x\n",
        "x: &x {interval_seconds: 77}\n" SECTION "   *x : 5\n   interval_seconds: 77\n",
        "x: &x {interval_seconds: 70}\n" SECTION "   interval_seconds: 77\n   <<: *x\n",
        "x: &x {interval_seconds: 70}\ny: &y {interval_seconds: 77}\n" SECTION "   <<: [*y, *x]\n",
        "x: &x {interval_seconds: 70}\ny: &y {interval_seconds: 77}\n" SECTION
        "   <<: *x\n   <<: *y\n",
        "x: &x {interval_seconds: 70}\ny: &y {<<: *x, interval_seconds: 77}\n" SECTION
        "   <<: *y\n",
        "x: &x {interval_seconds: 77}\ny: &y {<<: *x}\n" SECTION "   <<: [*y]\n",
        "x: &x [{interval_seconds: 77}]\n" SECTION "   <<: *x\n",
        SECTION "   <<: {interval_seconds: 77}\n",
        SECTION "   !!merge m: {interval_seconds: 77}\n",
        "x: &x 77\n" SECTION "   interval_seconds: *x\n",
        "x: {y: [1, {z: &x 77}]}\n" SECTION "   interval_seconds: *x\n",
        "&x 77: 5\n" SECTION "   interval_seconds: *x\n",
        "? [&x 77]\n: 5\n" SECTION "   interval_seconds: *x\n",
        "x: &x interval_seconds\n" SECTION "   *x : 77\n",
        "x: &x 5\ny: &x 77\n" SECTION "   interval_seconds: *x\nz: &x 5\n",
        "x: &x {interval_seconds: 77}\ngeneral: {monitoring: {memory_profiling: *x}}\n",
        "x: &x {memory_profiling: {interval_seconds: 77}}\ngeneral: {monitoring: *x}\n",
        "x: &x {monitoring: {memory_profiling: {interval_seconds: 77}}}\ngeneral: *x\n",
        "x: &x {memory_profiling: {interval_seconds: 77}}\ngeneral: {monitoring: {<<: *x}}\n",
        "x: &x {monitoring: {memory_profiling: {interval_seconds: 77}}}\ngeneral: {<<: [*x]}\n",
        "x: &x {general: {monitoring: {memory_profiling: {interval_seconds: 77}}}}\n<<: *x\n",
        "<<: {general: {monitoring: {memory_profiling: {interval_seconds: 77}}}}\n",
        "x: &g general\n*g : {monitoring: {memory_profiling: {interval_seconds: 77}}}\n",
        "'general': {\"monitoring\": {!!str memory_profiling: {interval_seconds: 77}}}\n",
        "general: &g\n monitoring: &m\n  memory_profiling: &p\n   interval_seconds: &i 77\n"
        "   <<: *p\n",
        "&r\ngeneral: {monitoring: {memory_profiling: {interval_seconds: 77}}, x: *r}\n",
        "general: {monitoring: {memory_profiling: {interval_seconds: 77}}}\n"
        "'<<': {general: 5}\n",
        "{\"general\": {\"monitoring\": {\"memory_profiling\": {\"interval_seconds\": 77}}}}",
        "a: &a {<<: *a, interval_seconds: 77}\n" SECTION "   <<: [*a, *a]\n",
        "a: &a {b: &b {<<: *a, interval_seconds: 77}, <<: *b}\n" SECTION "   <<: *a\n   b: 1\n",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_text(fixture, cases[i]);
        if (fixture->result != 0 || fixture->config.interval_seconds != 77)
            fail_msg("%s\ngives %ld\n%s", cases[i], fixture->config.interval_seconds,
                     fixture->lines[0]);
        if (strstr(cases[i], "*x :") == NULL && strstr(cases[i], "b: ") == NULL)
            assert_int_equal(fixture->warning_count, 0);
    }
}

static void test_absent_section(void **state)
{
    static const char *const cases[] = {
        "",
        "# nothing\n",
        "---\n",
        "~\n",
        "{}\n",
        "x: 1\n",
        "general:\n",
        "general: {}\n",
        "general: ~\n",
        "general:\n monitoring:\n",
        "general: {monitoring: {a: b}}\n",
        "general: {monitoring: null, memory_profiling: {enabled: yes}}\n",
        "&a general: {}\n",
        "x: &n\ngeneral: *n\n",
        "general: !!null x\n",
        "\xEF\xBB\xBF",
        "general: {monitoring: {? [memory_profiling] : {enabled: yes}}}\n",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_text(fixture, cases[i]);
        fixture_expect_warnings(fixture, NO_SECTION, NULL);
        assert_int_equal(fixture->config.enabled, 0);
    }
    fixture_set(fixture, "MEMPROF_ENABLED", "yes");
    fixture_load_text(fixture, "x: 1\n");
    fixture_expect_warnings(fixture, NULL);
    assert_int_equal(fixture->config.enabled, 1);
}

static void test_empty_section(void **state)
{
    static const char *const cases[] = {
        SECTION,           SECTION "   # enabled: yes\n", SECTION "   ~\n",
        SECTION "   {}\n", SECTION "   &a !!null\n",      "x: &n\n" SECTION "   *n\n"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_text(fixture, cases[i]);
        fixture_expect_warnings(fixture, NULL);
        assert_int_equal(fixture->config.enabled, 0);
        assert_int_equal(fixture->config.interval_seconds, 60);
    }
}

static void test_parents_that_are_no_mapping(void **state)
{
    static const char *const cases[][2] = {
        {"secret", "F:1:1: document: found a string, allowed: a mapping"},
        {"- secret", "F:1:1: document: found a list, allowed: a mapping"},
        {"\n 'x'", "F:2:2: document: found a string, allowed: a mapping"},
        {"general: secret", "F:1:10: general: found a string, allowed: a mapping"},
        {"general: 5", "F:1:10: general: found an integer, allowed: a mapping"},
        {"general: no", "F:1:10: general: found a boolean, allowed: a mapping"},
        {"general: !x secret", "F:1:10: general: found a tagged value, allowed: a mapping"},
        {"general: !ENV ${A}", "F:1:10: general: found a tagged value, allowed: a mapping"},
        {"general: [a]", "F:1:10: general: found a list, allowed: a mapping"},
        {"x: &x [secret]\ngeneral: *x", "F:2:10: general: found a list, allowed: a mapping"},
        {"general: *secret",
         "F:1:10: general: found an alias without an anchor, allowed: a mapping"},
        {"general:\n  monitoring: 1.5", "F:2:15: monitoring: found a float, allowed: a mapping"},
        {SECTION "   - 1", "F:4:4: memory_profiling: found a list, allowed: a mapping"},
        {SECTION "   yes", "F:4:4: memory_profiling: found a boolean, allowed: a mapping"},
        {"general: {}\n<<: 5",
         "F:2:5: <<: found an integer, allowed: a mapping or a list of mappings"},
        {SECTION "   <<: secret",
         "F:4:8: <<: found a string, allowed: a mapping or a list of mappings"},
        {SECTION "   <<: [{}, [secret]]",
         "F:4:13: <<: found a list, allowed: a mapping or a list of mappings"},
        {SECTION "   <<:", "F:4:7: <<: found null, allowed: a mapping or a list of mappings"},
        {SECTION "   <<: *x",
         "F:4:8: <<: found an alias without an anchor, allowed: a mapping or a list of mappings"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_text(fixture, cases[i][0]);
        fixture_expect_error(fixture, cases[i][1]);
        assert_int_equal(fixture->warning_count, 0);
    }
}

static void test_unknown_and_repeated_keys(void **state)
{
    struct fixture *fixture = *state;

    fixture_load_section(fixture,
                         "enabled: no\nintervall_seconds: 5\nfoo: 1\n60: 1\n0x10: 1\nyes: 1\n~: 1\n"
                         "1.5: 1\n? [a]\n: 1\n? {a: b}\n: 1\n!x y: 1\n\"a\\nb\": 1\n=: 1\n*q : 1\n"
                         "enabled: yes\nenabled: 'on'\n'<<': 1\n&k zap: 1\n*k : 2");
    fixture_expect_warnings(
        fixture, "F:5:4: unknown key \"intervall_seconds\", did you mean interval_seconds?",
        "F:6:4: unknown key \"foo\"", "F:7:4: unknown key 60", "F:8:4: unknown key 0x10 (16)",
        "F:9:4: unknown key yes", "F:10:4: unknown key null", "F:11:4: unknown key the float 1.5",
        "F:12:6: unknown key a list", "F:14:6: unknown key a mapping",
        "F:16:4: unknown key a tagged value", "F:17:4: unknown key \"a\\nb\"",
        "F:18:4: unknown key \"=\"", "F:19:4: unknown key an alias without an anchor",
        "F:20:4: enabled: found twice, the last one counts",
        "F:21:4: enabled: found twice, the last one counts", "F:22:4: unknown key \"<<\"",
        "F:23:4: unknown key \"zap\"", "F:24:4: unknown key \"zap\"", NULL);
    assert_int_equal(fixture->config.enabled, 1);
}

static void test_repeated_sections(void **state)
{
    struct fixture *fixture = *state;

    fixture_load_text(fixture, SECTION "   enabled: yes\n  memory_profiling:\n   collect: no\n");
    fixture_expect_warnings(fixture, "F:5:3: memory_profiling: found twice, the last one counts",
                            NULL);
    assert_int_equal(fixture->config.enabled, 0);
    fixture_load_text(
        fixture, "general: 5\ngeneral: {monitoring: {memory_profiling: {interval_seconds: 77}}}\n");
    fixture_expect_warnings(fixture, "F:2:1: general: found twice, the last one counts", NULL);
    assert_int_equal(fixture->config.interval_seconds, 77);
    fixture_load_text(fixture, "general:\n x: 1\ngeneral:\n x: 1\n" SECTION "   enabled: yes\n");
    fixture_expect_warnings(fixture, "F:5:1: general: found twice, the last one counts", NULL);
    assert_int_equal(fixture->config.enabled, 1);
    fixture_load_text(fixture, "x: &x {memory_profiling: {enabled: yes}}\n"
                               "general: {monitoring: {<<: *x, memory_profiling: {}}}\n");
    fixture_expect_warnings(fixture, NULL);
}

static void test_warnings_are_limited(void **state)
{
    struct fixture *fixture = *state;
    char lines[4096] = "enabled: yes\n";

    for (int i = 0; i < 100; i++)
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "k%d: 1\n", i);
    fixture_load_section(fixture, lines);
    assert_int_equal(fixture->result, 0);
    assert_int_equal(fixture->warning_count, 21);
    assert_string_equal(fixture->lines[19], "F:24:4: unknown key \"k19\"");
    assert_string_equal(fixture->lines[20], "F: 80 more unknown or repeated keys");
    assert_int_equal(fixture->config.enabled, 1);
}

/* Only what stands in our section is ever shown. */
static void test_secrets_are_not_shown(void **state)
{
    static const char *const cases[][2] = {
        {"token: &t hunter2\n" SECTION "   output: *t",
         "F:5:12: output: found a string that does not fit, allowed: auto, logging or stderr"},
        {"token: &t hunter2\n" SECTION "   interval_seconds: *t",
         "F:5:22: interval_seconds: found a string, allowed: " INTERVAL},
        {"token: &t 7\n" SECTION "   interval_seconds: *t",
         "F:5:22: interval_seconds: found an integer that does not fit, allowed: " INTERVAL},
        {"token: &t !hunter2 7\n" SECTION "   interval_seconds: *t",
         "F:5:22: interval_seconds: found a tagged value, allowed: " INTERVAL},
        {"token: &t !hunter2 [7]\n" SECTION "   interval_seconds: *t",
         "F:5:22: interval_seconds: found a tagged value, allowed: " INTERVAL},
        {"token: &t !ENV '${hunter2}'\n" SECTION "   interval_seconds: *t",
         "F:5:22: interval_seconds: found a string, allowed: " INTERVAL},
        {"bot: &b {output: hunter2}\n" SECTION "   <<: *b",
         "F:1:18: output: found a string that does not fit, allowed: auto, logging or stderr"},
        {"token: &t hunter2\n" SECTION "   <<: *t",
         "F:5:8: <<: found a string, allowed: a mapping or a list of mappings"},
        {"token: [hunter2\n", "F:2:1: malformed YAML: did not find expected ',' or ']' while "
                              "parsing a flow sequence"},
        {"token: 'hunter2\n",
         "F:2:1: malformed YAML: found unexpected end of stream while scanning a quoted scalar"},
        {"token: !hunter2!x y\n",
         "F:1:8: malformed YAML: found undefined tag handle while parsing a node"},
        {"token: hunter2: x\n",
         "F:1:15: malformed YAML: mapping values are not allowed in this context"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fixture_load_text(fixture, cases[i][0]);
        fixture_expect_error(fixture, cases[i][1]);
    }
    fixture_load_text(fixture, "bot: &b {hunter2: 1, 22: 1, enable: 2}\nk: &k hunter2\n" SECTION
                               "   <<: *b\n   *k : 1\n");
    fixture_expect_warnings(fixture, "F:7:4: unknown key from outside the section",
                            "F:1:10: unknown key from outside the section",
                            "F:1:22: unknown key from outside the section",
                            "F:1:29: unknown key from outside the section, did you mean enabled?",
                            NULL);
    /* A section that stands elsewhere as a whole is ours. */
    fixture_load_text(fixture, "x: &x {output: z}\ngeneral: {monitoring: {memory_profiling: *x}}");
    fixture_expect_error(fixture, "F:1:16: output: found the string \"z\", allowed: auto, logging "
                                  "or stderr");
}

static void test_encodings(void **state)
{
    static const char text[] = SECTION "   enabled: yes\n   interval_seconds: 5\n";
    char wide[512];
    struct fixture *fixture = *state;

    for (int big_endian = 0; big_endian < 2; big_endian++) {
        memcpy(wide, big_endian ? "\xFE\xFF" : "\xFF\xFE", 2);
        for (size_t i = 0; i < sizeof text - 1; i++) {
            wide[2 + 2 * i + (size_t)big_endian] = text[i];
            wide[2 + 2 * i + (size_t)!big_endian] = '\0';
        }
        fixture_write(fixture, wide, 2 * sizeof text);
        fixture_load(fixture);
        fixture_expect_error(fixture, "F:5:22: interval_seconds: found 5, allowed: " INTERVAL);
    }
    fixture_load_text(fixture, "\xEF\xBB\xBFgeneral: 5");
    fixture_expect_error(fixture, "F:1:10: general: found an integer, allowed: a mapping");
    fixture_load_text(fixture, "a: \xC3\xA9 # \xC3\xA9\r\ngeneral: 5");
    fixture_expect_error(fixture, "F:2:10: general: found an integer, allowed: a mapping");
    fixture_load_text(fixture, "\xC3\xA9: {general: 5}\r\n\xC3\xA9\xC3\xA9: 'a' 'b'");
    fixture_expect_error(fixture,
                         "F:2:9: malformed YAML: did not find expected key while parsing a "
                         "block mapping");
}

static void test_binary_files(void **state)
{
    struct fixture *fixture = *state;

    fixture_write(fixture, "a: b\n\0", 6);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F:2:1: found a NUL byte, allowed: text in UTF-8, or in UTF-16 "
                                  "with a byte order mark");
    fixture_load_text(fixture, "a: \xE9\n");
    fixture_expect_error(fixture, "F:1:4: found bytes that are not UTF-8, allowed: text in UTF-8, "
                                  "or in UTF-16 with a byte order mark");
    fixture_load_text(fixture, "a: b\nc: \x1b[0m\n");
    fixture_expect_error(fixture, "F:2:4: malformed YAML: control characters are not allowed");
}

static void test_malformed(void **state)
{
    struct fixture *fixture = *state;

    fixture_load_text(fixture, "a: b\n c: d\n");
    fixture_expect_error(fixture,
                         "F:2:3: malformed YAML: mapping values are not allowed in this context");
    fixture_load_text(fixture, SECTION "\tenabled: yes\n");
    fixture_expect_error(fixture, "F:4:1: malformed YAML: found character that cannot start any "
                                  "token while scanning for the next token");
    fixture_load_text(fixture, SECTION "   enabled: yes\n}\n");
    assert_int_equal(fixture->error_count, 1);
    assert_int_equal(fixture->config.enabled, 0);
}

static void test_unreadable_files(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    fixture_set(fixture, MEMPROF_ENV_CONFIG, fixture->path);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: No such file or directory");
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: found a directory, allowed: a regular file");
    rmdir(fixture->path);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: found a FIFO, allowed: a regular file");
    unlink(fixture->path);
    strcpy(address.sun_path, fixture->path);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: found a socket, allowed: a regular file");
    close(descriptor);
    unlink(fixture->path);
    assert_int_equal(symlink("/dev/zero", fixture->path), 0);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: found a device, allowed: a regular file");
    unlink(fixture->path);
    assert_int_equal(symlink(fixture->path, fixture->path), 0);
    fixture_load(fixture);
    fixture_expect_error(fixture, "F: cannot be read: Too many levels of symbolic links");
    unlink(fixture->path);
    fixture_write(fixture, "a", 1);
    chmod(fixture->path, 0);
    fixture_load(fixture);
    if (geteuid() != 0)
        fixture_expect_error(fixture, "F: cannot be read: Permission denied");
}

static void test_file_names_are_escaped(void **state)
{
    struct fixture *fixture = *state;

    fixture_set(fixture, MEMPROF_ENV_CONFIG, "/no\nwhere/\x1b[2J");
    fixture_load(fixture);
    fixture_expect_error(fixture,
                         "/no\\nwhere/\\x1b[2J: cannot be read: No such file or directory");
    fixture_set(fixture, MEMPROF_ENV_CONFIG, "   ");
    fixture_load(fixture);
    fixture_expect_error(fixture, "   : cannot be read: No such file or directory");
}

static void test_nothing_stays_open(void **state)
{
    struct fixture *fixture = *state;
    int before = open("/dev/null", O_RDONLY), after;

    fixture_load_section(fixture, "enabled: yes");
    fixture_load_text(fixture, "\x01");
    after = open("/dev/null", O_RDONLY);
    assert_int_equal(after, before + 1);
    close(before);
    close(after);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_no_file_means_enabled),
        FIXTURE_TEST(test_a_file_decides_about_enabled),
        FIXTURE_TEST(test_every_option),
        FIXTURE_TEST(test_every_variable_wins),
        FIXTURE_TEST(test_empty_variable_is_unset),
        FIXTURE_TEST(test_off_switch_comes_first),
        FIXTURE_TEST(test_variable_faults),
        FIXTURE_TEST(test_lists_of_classes),
        FIXTURE_TEST(test_faults_of_lists),
        FIXTURE_TEST(test_paths),
        FIXTURE_TEST(test_value_faults),
        FIXTURE_TEST(test_integers_of_the_file),
        FIXTURE_TEST(test_env_tags),
        FIXTURE_TEST(test_only_our_section_matters),
        FIXTURE_TEST(test_later_documents_are_not_parsed),
        FIXTURE_TEST(test_aliases_and_merges),
        FIXTURE_TEST(test_absent_section),
        FIXTURE_TEST(test_empty_section),
        FIXTURE_TEST(test_parents_that_are_no_mapping),
        FIXTURE_TEST(test_unknown_and_repeated_keys),
        FIXTURE_TEST(test_repeated_sections),
        FIXTURE_TEST(test_warnings_are_limited),
        FIXTURE_TEST(test_secrets_are_not_shown),
        FIXTURE_TEST(test_encodings),
        FIXTURE_TEST(test_binary_files),
        FIXTURE_TEST(test_malformed),
        FIXTURE_TEST(test_unreadable_files),
        FIXTURE_TEST(test_file_names_are_escaped),
        FIXTURE_TEST(test_nothing_stays_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
