/* SPDX-License-Identifier: MIT */
#include "config/yaml_scalar.h"

#include <limits.h>
#include <string.h>

#include "test.h"

static void test_plain_kinds(void **state)
{
    static const struct {
        const char *text;
        enum scalar_kind kind;
    } cases[] = {
        {"", SCALAR_NULL},
        {"~", SCALAR_NULL},
        {"null", SCALAR_NULL},
        {"Null", SCALAR_NULL},
        {"NULL", SCALAR_NULL},
        {"nULL", SCALAR_STRING},
        {"~~", SCALAR_STRING},
        {"1.5", SCALAR_FLOAT},
        {"1.", SCALAR_FLOAT},
        {".5", SCALAR_FLOAT},
        {"-.5", SCALAR_STRING},
        {"-1.5e+3", SCALAR_FLOAT},
        {"1.5e3", SCALAR_STRING},
        {"1e3", SCALAR_STRING},
        {"1_0.0_1", SCALAR_FLOAT},
        {"._1", SCALAR_STRING},
        {".", SCALAR_STRING},
        {".inf", SCALAR_FLOAT},
        {"-.Inf", SCALAR_FLOAT},
        {"+.INF", SCALAR_FLOAT},
        {".iNF", SCALAR_STRING},
        {".nan", SCALAR_FLOAT},
        {".NaN", SCALAR_FLOAT},
        {"-.nan", SCALAR_STRING},
        {"1:30.5", SCALAR_FLOAT},
        {"1:60.5", SCALAR_STRING},
        {"1:30.", SCALAR_FLOAT},
        {"1:.5", SCALAR_STRING},
        {"2001-01-01", SCALAR_TIMESTAMP},
        {"2001-1-1", SCALAR_STRING},
        {"2001-1-1 1:00:00", SCALAR_TIMESTAMP},
        {"2001-12-14t21:59:43.10-05:00", SCALAR_TIMESTAMP},
        {"2001-12-14 21:59:43.10 -5", SCALAR_TIMESTAMP},
        {"2001-12-14T21:59:43Z", SCALAR_TIMESTAMP},
        {"2001-12-14T21:59:43 ", SCALAR_STRING},
        {"2001-12-14T21:59", SCALAR_STRING},
        {"2001-12-14T21:59:43.", SCALAR_TIMESTAMP},
        {"2001-12-14T21:59:43+1:0", SCALAR_STRING},
        {"2001-001-01", SCALAR_STRING},
        {"20011-01-01", SCALAR_STRING},
        {"08", SCALAR_STRING},
        {"0b2", SCALAR_STRING},
        {"0b", SCALAR_STRING},
        {"0b_", SCALAR_STRING},
        {"0x", SCALAR_STRING},
        {"0xg", SCALAR_STRING},
        {"0X1", SCALAR_STRING},
        {"_1", SCALAR_STRING},
        {"+", SCALAR_STRING},
        {"-", SCALAR_STRING},
        {"1:60", SCALAR_STRING},
        {"0:30", SCALAR_STRING},
        {"1:", SCALAR_STRING},
        {"1:5:", SCALAR_STRING},
        {"1:005", SCALAR_STRING},
        {"1 ", SCALAR_STRING},
        {" 1", SCALAR_STRING},
        {"1\n", SCALAR_STRING},
        {"y", SCALAR_STRING},
        {"n", SCALAR_STRING},
        {"tRUE", SCALAR_STRING},
        {"TRue", SCALAR_STRING},
        {"TrUe", SCALAR_STRING},
        {"yeS", SCALAR_STRING},
        {"oN", SCALAR_STRING},
        {"truely", SCALAR_STRING},
        {"tru", SCALAR_STRING},
        {"abc", SCALAR_STRING},
        {"=", SCALAR_STRING},
        {"<<", SCALAR_STRING},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (scalar_plain(cases[i].text, strlen(cases[i].text)).kind != cases[i].kind)
            fail_msg("\"%s\" is read as %s", cases[i].text,
                     scalar_kind_name(scalar_plain(cases[i].text, strlen(cases[i].text)).kind));
    }
}

static void test_nul_is_no_digit(void **state)
{
    (void)state;
    assert_int_equal(scalar_plain("1\0", 2).kind, SCALAR_STRING);
    assert_int_equal(scalar_plain("\0", 1).kind, SCALAR_STRING);
    assert_int_equal(scalar_plain("1.\0", 3).kind, SCALAR_STRING);
}

static void test_booleans(void **state)
{
    static const char *const words[][2] = {{"no", "yes"},     {"No", "Yes"},     {"NO", "YES"},
                                           {"off", "on"},     {"Off", "On"},     {"OFF", "ON"},
                                           {"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        for (long truth = 0; truth < 2; truth++) {
            struct scalar scalar = scalar_plain(words[i][truth], strlen(words[i][truth]));

            assert_int_equal(scalar.kind, SCALAR_BOOLEAN);
            assert_int_equal(scalar.value, truth);
        }
    }
    assert_int_equal(scalar_boolean_word("tRuE", 4), 1);
    assert_int_equal(scalar_boolean_word("oFF", 3), 0);
    assert_int_equal(scalar_boolean_word("", 0), -1);
    assert_int_equal(scalar_boolean_word("tru", 3), -1);
    assert_int_equal(scalar_boolean_word("1", 1), -1);
}

static void test_integers(void **state)
{
    static const struct {
        const char *text;
        long value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"+0", 0},
        {"60", 60},
        {"-60", -60},
        {"+60", 60},
        {"1_000", 1000},
        {"1_", 1},
        {"0_", 0},
        {"00", 0},
        {"010", 8},
        {"0_1_0", 8},
        {"-017", -15},
        {"0b101", 5},
        {"-0b1_1", -3},
        {"0b_1", 1},
        {"0x1F", 31},
        {"+0xa_b", 171},
        {"0x_f", 15},
        {"1:30", 90},
        {"-1:30", -90},
        {"1:0", 60},
        {"1:5:9", 3909},
        {"1_0:30", 630},
        {"190:20:30", 685230},
        {"9223372036854775807", LONG_MAX},
        {"9223372036854775808", LONG_MAX},
        {"-9223372036854775809", LONG_MIN},
        {"99999999999999999999999999999999", LONG_MAX},
        {"0xffffffffffffffffffffff", LONG_MAX},
        {"1:59:59:59:59:59:59:59:59:59:59:59", LONG_MAX},
        {"18446744073709551616", LONG_MAX},
        {"18446744073709551676", LONG_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scalar scalar = scalar_plain(cases[i].text, strlen(cases[i].text));

        if (scalar.kind != SCALAR_INTEGER || scalar.value != cases[i].value)
            fail_msg("\"%s\" is read as %s %ld", cases[i].text, scalar_kind_name(scalar.kind),
                     scalar.value);
    }
}

static void test_tags(void **state)
{
    static const struct {
        const char *tag, *text;
        int result;
        enum scalar_kind kind;
        long value;
    } cases[] = {
        {"int", "60", 0, SCALAR_INTEGER, 60},
        {"int", "0x10", 0, SCALAR_INTEGER, 16},
        {"int", "abc", -1, 0, 0},
        {"int", "1.5", -1, 0, 0},
        {"str", "60", 0, SCALAR_STRING, 0},
        {"bool", "tRuE", 0, SCALAR_BOOLEAN, 1},
        {"bool", "1", -1, 0, 0},
        {"float", "60", 0, SCALAR_FLOAT, 60},
        {"float", "abc", -1, 0, 0},
        {"null", "abc", 0, SCALAR_NULL, 0},
        {"binary", "YQ==", 0, SCALAR_BINARY, 0},
        {"timestamp", "2001-01-01", 0, SCALAR_TIMESTAMP, 0},
        {"map", "a", -1, 0, 0},
        {"python/name", "a", -1, 0, 0},
        {"", "a", -1, 0, 0},
        {"in", "1", -1, 0, 0},
    };
    struct scalar scalar;
    char tag[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        strcpy(tag, YAML_TAG_PREFIX);
        strcat(tag, cases[i].tag);
        assert_int_equal(scalar_tagged(&scalar, tag, cases[i].text, strlen(cases[i].text)),
                         cases[i].result);
        if (cases[i].result != 0)
            continue;
        assert_int_equal(scalar.kind, cases[i].kind);
        assert_int_equal(scalar.value, cases[i].value);
    }
    assert_int_equal(scalar_tagged(&scalar, "!int", "1", 1), -1);
    assert_int_equal(scalar_tagged(&scalar, "tag:yaml.org", "1", 1), -1);
}

static void test_descriptions(void **state)
{
    static const char *const cases[][2] = {
        {"5", "5"},
        {"0x10", "0x10 (16)"},
        {"011", "011 (9)"},
        {"1:30", "1:30 (90)"},
        {"+5", "+5 (5)"},
        {"-5", "-5"},
        {"yes", "yes"},
        {"", "null"},
        {"~", "null"},
        {"1.5", "the float 1.5"},
        {"2001-01-01", "the timestamp 2001-01-01"},
        {"abc", "the string \"abc\""},
        {"99999999999999999999", "99999999999999999999"},
        {"a\"b\\c\n\x01\xff", "the string \"a\\\"b\\\\c\\n\\x01\\xff\""},
    };
    char buffer[SCALAR_DESCRIPTION_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scalar scalar = scalar_plain(cases[i][0], strlen(cases[i][0]));

        assert_string_equal(scalar_describe(&scalar, buffer), cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_kinds), cmocka_unit_test(test_nul_is_no_digit),
        cmocka_unit_test(test_booleans),    cmocka_unit_test(test_integers),
        cmocka_unit_test(test_tags),        cmocka_unit_test(test_descriptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
