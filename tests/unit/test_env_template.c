/* SPDX-License-Identifier: MIT
 *
 * The expected strings were made with pyaml-env 1.2.1's own code. */
#include "config/env_template.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static const char *look_up(const char *name, void *context)
{
    (void)context;
    if (strcmp(name, "A") == 0)
        return "60";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "NESTED") == 0)
        return "<${A}>";
    if (strcmp(name, "SP ACE") == 0)
        return "spaced";
    if (strcmp(name, "X=Y") == 0)
        return "never asked for";
    return strcmp(name, "BIG") == 0 ? context : NULL;
}

static char big[10001];
static const struct config_environment environment = {look_up, NULL, big};

static void test_resolves_like_pyaml_env(void **state)
{
    static const struct {
        const char *source, *text, *tag, *variable;
        bool missing;
    } cases[] = {
        {"", "", "", NULL, false},
        {"plain", "plain", "", NULL, false},
        {"${A}", "60", "", "A", false},
        {"x${A}y${A}z", "x60y60z", "", "A", false},
        {"${A:5}", "60", "", "A", false},
        {"${B:5}", "5", "", "B", false},
        {"${B}", "N/A", "", "B", true},
        {"${A}${B}", "60N/A", "", "B", true},
        {"${A:1}${C:2}", "602", "", "A", false},
        {"${EMPTY}", "", "", "EMPTY", false},
        {"${EMPTY:5}", "", "", "EMPTY", false},
        {"${B:}", "${B:}", "", NULL, false},
        {"${}", "${}", "", NULL, false},
        {"${A", "${A", "", NULL, false},
        {"${A:5", "${A:5", "", NULL, false},
        {"$A $ {A} ${", "$A $ {A} ${", "", NULL, false},
        {"${${A}", "${60", "", "A", false},
        {"${B:a:b}", "a:b", "", "B", false},
        {"${B:${A}}", "${A}", "", "B", false},
        {"${B:x\ny}", "x\ny", "", "B", false},
        {"a\n${A}\nb", "a\n60\nb", "", "A", false},
        {"${SP ACE}", "spaced", "", "SP ACE", false},
        {"${X=Y}", "N/A", "", "X=Y", true},
        {"${NESTED}${A}", "<60>60", "", "NESTED", false},
        {"${A}${NESTED}", "60<${A}>", "", "A", false},
        {"${B:${A}${A}", "${A60", "", "B", false},
        {"tag:yaml.org,2002:int ${A}", "60", "tag:yaml.org,2002:int", "A", false},
        {"tag:yaml.org,2002:bool ${B:yes}", "yes", "tag:yaml.org,2002:bool", "B", false},
        {"tag:yaml.org,2002:int ${A}${A:1}", "60${A:1}", "tag:yaml.org,2002:int", "A", false},
        {"${A} tag:yaml.org,2002:int\t", "60 ", "tag:yaml.org,2002:int", "A", false},
        {"tag:yaml.org,2002:int 60", "60", "", NULL, false},
        {"tag:yaml.org,2002:int${A}", "tag:yaml.org,2002:int60", "", "A", false},
        {"tag:yaml.org,2002: ${A}", "tag:yaml.org,2002: 60", "", "A", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct template result;

        assert_int_equal(
            template_resolve(&result, cases[i].source, strlen(cases[i].source), &environment),
            TEMPLATE_RESOLVED);
        if (result.length != strlen(cases[i].text) ||
            memcmp(result.text, cases[i].text, result.length) != 0)
            fail_msg("%s gives %.*s", cases[i].source, (int)result.length, result.text);
        assert_string_equal(result.tag, cases[i].tag);
        assert_int_equal(result.missing, cases[i].missing);
        assert_int_equal(result.variable == NULL, cases[i].variable == NULL);
        if (result.variable != NULL) {
            assert_int_equal(result.variable_length, strlen(cases[i].variable));
            assert_memory_equal(result.variable, cases[i].variable, result.variable_length);
        }
        template_destroy(&result);
    }
}

static void test_two_type_tags_are_no_tag(void **state)
{
    static const char source[] = "tag:yaml.org,2002:int tag:yaml.org,2002:bool ${A}";
    struct template result;

    (void)state;
    assert_int_equal(template_resolve(&result, source, strlen(source), &environment), 0);
    assert_string_equal(result.tag, "tag:yaml.org,2002:?");
    template_destroy(&result);
}

static void test_nul_in_a_name_is_unset(void **state)
{
    struct template result;

    (void)state;
    assert_int_equal(template_resolve(&result, "${A\0}", 5, &environment), 0);
    assert_int_equal(result.length, 3);
    assert_memory_equal(result.text, "N/A", 3);
    template_destroy(&result);
}

static void test_limits(void **state)
{
    char source[TEMPLATE_LIMIT_BYTES + 1];
    struct template result;

    (void)state;
    memset(big, 'x', sizeof big - 1);
    memset(source, 'a', sizeof source);
    assert_int_equal(template_resolve(&result, source, sizeof source, &environment),
                     TEMPLATE_TOO_LONG);
    assert_int_equal(template_resolve(&result, source, sizeof source - 1, &environment), 0);
    template_destroy(&result);
    assert_int_equal(template_resolve(&result, "${BIG}", 6, &environment), TEMPLATE_RESOLVED);
    assert_int_equal(result.length, 10000);
    template_destroy(&result);
    assert_int_equal(template_resolve(&result, "${BIG}${BIG}", 12, &environment),
                     TEMPLATE_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolves_like_pyaml_env),
        cmocka_unit_test(test_two_type_tags_are_no_tag),
        cmocka_unit_test(test_nul_in_a_name_is_unset),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
