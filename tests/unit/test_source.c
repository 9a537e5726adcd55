/* SPDX-License-Identifier: MIT
 *
 * text.c, quote.c and utf8.c: everything that touches single characters. */
#include "config/source.h"

#include <stdlib.h>
#include <string.h>

#include "config/quote.h"
#include "test.h"
#include "config/utf8.h"

static void test_utf8(void **state)
{
    static const char *const bad[] = {"",
                                      "\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2z",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5",
                                      "\xFF",
                                      "\xF0\x9F\x98"};
    static const uint32_t good[] = {1,      0x7F,   0x80,   0x7FF,   0x800,
                                    0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
    uint32_t character;
    char bytes[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &character), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        size_t width = utf8_encode(good[i], bytes);

        assert_int_equal(utf8_decode(bytes, width, &character), width);
        assert_int_equal(character, good[i]);
        assert_int_equal(utf8_decode(bytes, width - 1, &character), 0);
    }
}

static void test_quote(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", "\"\""},
        {"abc", "\"abc\""},
        {"a\"b\\", "\"a\\\"b\\\\\""},
        {"\t\n\r\x1b\x7f", "\"\\t\\n\\x0d\\x1b\\x7f\""},
        {"caf\xC3\xA9 \xF0\x9F\x98\x80", "\"caf\xC3\xA9 \xF0\x9F\x98\x80\""},
        {"\xC2\x9B\xC3", "\"\\x9b\\xc3\""},
        {"\xE2\x80\xAE", "\"\\U0000202e\""},
        {"%s%n", "\"%s%n\""},
    };
    char buffer[QUOTE_SIZE], longest[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(quote_text(buffer, cases[i].text, strlen(cases[i].text)),
                            cases[i].shown);
    memset(longest, 'a', sizeof longest);
    assert_int_equal(strlen(quote_text(buffer, longest, 60)), 62);
    assert_int_equal(strlen(quote_text(buffer, longest, 61)), 65);
    assert_string_equal(buffer + 61, "...\"");
    for (size_t i = 0; i < 400; i += 4)
        memcpy(longest + i, "\xF0\x9F\x98\x80", 4);
    assert_int_equal(strlen(quote_text(buffer, longest, sizeof longest)), 60 * 4 + 5);
    assert_string_equal(quote_bare(buffer, 10, "abcdefghijkl", 12, 60), "abcdef...");
    assert_string_equal(quote_bare(buffer, 10, "ab", 2, 60), "ab");
}

static void test_quote_keeps_nul_visible(void **state)
{
    char buffer[QUOTE_SIZE];

    (void)state;
    assert_string_equal(quote_text(buffer, "a\0b", 3), "\"a\\x00b\"");
}

static int decode(struct source *text, const char *bytes, size_t size, struct fault *fault)
{
    char *copy = malloc(size + 1);

    memcpy(copy, bytes, size);
    memset(fault, 0, sizeof *fault);
    return source_decode(text, copy, size, fault);
}

#define ALLOWED ", allowed: text in UTF-8, or in UTF-16 with a byte order mark"

static void test_decode(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, ""},
        {"abc", 3, "abc"},
        {"\xEF\xBB\xBF"
         "abc",
         6, "abc"},
        {"\xEF\xBB", 0, ""},
        {"\xFF\xFE", 2, ""},
        {"\xFF\xFE"
         "a\0\xE9\0\x2D\x4E\x3D\xD8\x00\xDE",
         12, "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80"},
        {"\xFE\xFF\0a\0\xE9\x4E\x2D\xD8\x3D\xDE\x00", 12, "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80"},
    };
    struct fault fault;
    struct source text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(decode(&text, cases[i].bytes, cases[i].size, &fault), 0);
        assert_int_equal(text.size, strlen(cases[i].text));
        assert_memory_equal(text.bytes, cases[i].text, text.size);
        source_destroy(&text);
    }
}

static void test_decode_refuses_binary(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, line, column;
        const char *text;
    } cases[] = {
        {"a\nb\0", 4, 2, 2, "found a NUL byte" ALLOWED},
        {"a\r\n\xC3\xA9z\xFF", 7, 2, 3, "found bytes that are not UTF-8" ALLOWED},
        {"\r\r\xC3", 3, 3, 1, "found bytes that are not UTF-8" ALLOWED},
        {"\xFF\xFE"
         "a\0\0\0",
         6, 1, 2, "found a NUL character" ALLOWED},
        {"\xFF\xFE"
         "a",
         3, 1, 1, "found bytes that are not UTF-16" ALLOWED},
        {"\xFF\xFE\x00\xDC", 4, 1, 1, "found bytes that are not UTF-16" ALLOWED},
        {"\xFF\xFE\x00\xD8", 4, 1, 1, "found bytes that are not UTF-16" ALLOWED},
        {"\xFF\xFE\x00\xD8"
         "aa",
         6, 1, 1, "found bytes that are not UTF-16" ALLOWED},
    };
    struct fault fault;
    struct source text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(decode(&text, cases[i].bytes, cases[i].size, &fault), -1);
        assert_string_equal(fault.text, cases[i].text);
        assert_int_equal(fault.line, cases[i].line);
        assert_int_equal(fault.column, cases[i].column);
        assert_null(text.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_quote_keeps_nul_visible),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_refuses_binary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
