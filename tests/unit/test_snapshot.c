/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "report.h"
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

static void add(struct snapshot *snapshot, const char *name, uint64_t count, uint64_t bytes)
{
    char *copy = strdup(name);
    assert_non_null(copy);
    assert_int_equal(snapshot_add(snapshot, copy, count, bytes), 0);
}

static void assert_order(const struct snapshot *snapshot, const uint32_t *order, const char *names)
{
    char seen[256] = "";
    for (size_t i = 0; i < snapshot->class_count; i++) {
        strcat(seen, snapshot->classes[order[i]].name);
        strcat(seen, " ");
    }
    assert_string_equal(seen, names);
}

static void test_ranks_with_ties_by_name(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    add(&snapshot, "list", 5, 100);
    add(&snapshot, "dict", 5, 300);
    add(&snapshot, "a.Z", 9, 100);
    add(&snapshot, "a.\xc3\xa9", 1, 100);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    assert_order(&snapshot, snapshot.by_count, "a.Z dict list a.\xc3\xa9 ");
    assert_order(&snapshot, snapshot.by_bytes, "dict a.Z a.\xc3\xa9 list ");
    assert_int_equal(snapshot.objects, 20);
    assert_int_equal(snapshot.bytes, 600);
    snapshot_clear(&snapshot);
}

static void test_merges_equal_names(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    add(&snapshot, "Twin", 1, 10);
    add(&snapshot, "Other", 2, 5);
    add(&snapshot, "Twin", 3, 20);
    add(&snapshot, "Twin", 5, 30);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    assert_int_equal(snapshot.class_count, 2);
    assert_string_equal(snapshot.classes[1].name, "Twin");
    assert_int_equal(snapshot.classes[1].count, 9);
    assert_int_equal(snapshot.classes[1].bytes, 60);
    assert_int_equal(snapshot.objects, 11);
    snapshot_clear(&snapshot);
}

static void test_empty(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    struct text text = {0};
    assert_int_equal(snapshot_rank(&snapshot), 0);
    report_write(&text, &snapshot, NULL, 10, 0);
    assert_string_equal(text.bytes, "Memory Snapshot\n\nTop 10 by object count:\n\n"
                                    "Top 10 by memory usage:\n\n"
                                    "Snapshot cost: pause 0.0 ms (inline), "
                                    "0.0 ms in background, 0 objects");
    text_clear(&text);
    snapshot_clear(&snapshot);
}

static void test_report_layout(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    struct text text = {0};
    add(&snapshot, "discord.message.Message", 1234, 47395635);
    add(&snapshot, "dict", 5678, 19608371);
    add(&snapshot, "list", 1, 56);
    assert_int_equal(snapshot_rank(&snapshot), 0);
    report_write(&text, &snapshot, NULL, 2, 4711);
    assert_string_equal(text.bytes, "Memory Snapshot [pid 4711]\n"
                                    "\n"
                                    "Top 2 by object count:\n"
                                    "  dict: 5,678 objects\n"
                                    "  discord.message.Message: 1,234 objects\n"
                                    "\n"
                                    "Top 2 by memory usage:\n"
                                    "  discord.message.Message: 45.2 MB\n"
                                    "  dict: 18.7 MB\n"
                                    "\n"
                                    "Snapshot cost: pause 0.0 ms (inline), "
                                    "0.0 ms in background, 6,913 objects");
    text_clear(&text);
    snapshot_clear(&snapshot);
}

static void test_report_of_its_own_cost(void **state)
{
    (void)state;
    static const struct {
        struct snapshot snapshot;
        const char *expected;
    } cases[] = {
        {{.objects = 1006112,
          .pause_ms = 8.1,
          .longest_pause_ms = 8.1,
          .duration_ms = 420.4,
          .is_forked = 1},
         "Snapshot cost: pause 8.1 ms (fork), 412 ms in background, 1,006,112 objects"},
        {{.objects = 5, .pause_ms = 99.96, .longest_pause_ms = 99.96, .duration_ms = 100.0},
         "Snapshot cost: pause 100 ms (inline), 0.0 ms in background, 5 objects"},
        {{.objects = 5, .pause_ms = 1508.2, .longest_pause_ms = 1500.0, .duration_ms = 9999.9},
         "Snapshot cost: pause 1,508 ms (inline, at most 1,500 ms at a time), "
         "8,492 ms in background, 5 objects"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text text = {0};
        report_write(&text, &cases[i].snapshot, NULL, 1, 0);
        const char *cost = strstr(text.bytes, "Snapshot cost");
        assert_non_null(cost);
        assert_string_equal(cost, cases[i].expected);
        text_clear(&text);
    }
}

static void test_travels_as_bytes(void **state)
{
    (void)state;
    struct snapshot sent = {0}, received = {0};
    struct text bytes = {0};
    add(&sent, "list", 5, 100);
    add(&sent, "", 0, 0);
    add(&sent, "a.\xc3\xa9", UINT64_MAX / 4, 7);
    sent.footprint.blocks = 4711;
    snapshot_encode(&sent, &bytes);
    assert_int_equal(snapshot_decode(&received, bytes.bytes, bytes.size), 0);
    assert_int_equal(received.class_count, 3);
    assert_int_equal(received.footprint.blocks, 4711);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(received.classes[i].name, sent.classes[i].name);
        assert_int_equal(received.classes[i].count, sent.classes[i].count);
        assert_int_equal(received.classes[i].bytes, sent.classes[i].bytes);
    }
    /* Cut anywhere, it makes no sense. */
    for (size_t size = 0; size < bytes.size; size++) {
        struct snapshot cut = {0};
        assert_int_equal(snapshot_decode(&cut, bytes.bytes, size), -1);
        snapshot_clear(&cut);
    }
    text_clear(&bytes);
    snapshot_clear(&sent);
    snapshot_clear(&received);
}

static struct holder holder(const char *expression, const char *container)
{
    return (struct holder){.kind = HOLDER_MODULE,
                           .expression = strdup(expression),
                           .container = container != NULL ? strdup(container) : NULL};
}

/* A class with two holders, one with one and one that has none. */
static void fill(struct holders *holders)
{
    struct held_class *class = holders_add_class(holders, "discord.message.Message");
    struct holder list = holder("__main__.bot.seen[*]", "list");
    list.share = 47;
    list.length = 5678;
    list.retained_bytes = 47395635;
    class->objects = 5678;
    class->reasons = HELD_ASKED;
    class->sample = 50;
    assert_int_equal(holders_add(class, &list), 0);
    struct holder deque = holder("__main__.bot.last[*]", "collections.deque");
    deque.share = 2;
    deque.length = 1;
    deque.bound = 1000;
    assert_int_equal(holders_add(class, &deque), 0);
    class = holders_add_class(holders, "a.Node");
    struct holder head = holder("a.head", "a.Node");
    head.share = 3;
    head.is_linked = 1;
    head.retained_bytes = 1024;
    class->objects = 3;
    class->reasons = HELD_ASKED;
    class->garbage = 1000;
    class->sample = 3;
    assert_int_equal(holders_add(class, &head), 0);
    class = holders_add_class(holders, "a.Lost");
    struct holder cycle = holder("", NULL);
    cycle.kind = HOLDER_CYCLE;
    cycle.share = 1;
    class->garbage = 1;
    class->sample = 1;
    class->reasons = HELD_ASKED | HELD_SUSPECTED;
    assert_int_equal(holders_add(class, &cycle), 0);
    holders_add_class(holders, "a.None")->reasons = HELD_ASKED;
}

static const char HELD[] =
    "\n\nHeld: discord.message.Message (5,678 objects)"
    "\n  47 of 50 by __main__.bot.seen[*] (list, 5,678 items, retains 45.2 MB)"
    "\n  2 of 50 by __main__.bot.last[*] (collections.deque, 1 item, at most 1,000)"
    "\n  1 of 50 by others"
    "\n\nHeld: a.Node (1,003 objects)"
    "\n  3 of 3 by a.head (linked a.Node, retains 1.0 KB)"
    "\n  and 1,000 in cycles that the collector has not found yet"
    "\n\nHeld: a.Lost (1 object)"
    "\n  1 of 1 by cycles that the collector has not found yet"
    "\n\nHeld: a.None (0 objects)";

static void test_holders_are_reported(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    struct text text = {0};
    fill(&snapshot.holders);
    report_write(&text, &snapshot, NULL, 1, 0);
    const char *held = strstr(text.bytes, "\n\nHeld");
    assert_non_null(held);
    assert_memory_equal(held, HELD, sizeof(HELD) - 1);
    assert_memory_equal(held + sizeof(HELD) - 1, "\n\nSnapshot cost: ", 17);
    text_clear(&text);
    snapshot_clear(&snapshot);
}

static void test_holders_travel_as_bytes(void **state)
{
    (void)state;
    struct snapshot sent = {0};
    struct text bytes = {0}, text = {0};
    fill(&sent.holders);
    snapshot_encode(&sent, &bytes);
    for (size_t size = 0; size <= bytes.size; size++) {
        struct snapshot received = {0};
        int status = snapshot_decode(&received, bytes.bytes, size);
        /* Between two classes nothing is missed. */
        assert_true(status == -1 || received.holders.class_count < 4 || size == bytes.size);
        for (size_t i = 0; i < received.holders.class_count && size == bytes.size; i++)
            report_add_held(&text, &received.holders.classes[i]);
        snapshot_clear(&received);
    }
    assert_string_equal(text.bytes, HELD);
    text_clear(&bytes);
    text_clear(&text);
    snapshot_clear(&sent);
}

static void assert_same_holder(const struct holder *a, const struct holder *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->share, b->share);
    assert_int_equal(a->is_linked, b->is_linked);
    assert_string_equal(a->expression, b->expression);
    assert_true((a->container == NULL) == (b->container == NULL));
    if (a->container != NULL)
        assert_string_equal(a->container, b->container);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->bound, b->bound);
    assert_int_equal(a->retained_bytes, b->retained_bytes);
    assert_int_equal(a->point, b->point);
    assert_int_equal(a->depth, b->depth);
}

static void assert_same_class(const struct held_class *a, const struct held_class *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->reasons, b->reasons);
    assert_int_equal(a->by_size, b->by_size);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->garbage, b->garbage);
    assert_int_equal(a->sample, b->sample);
    assert_int_equal(a->holder_count, b->holder_count);
    for (size_t i = 0; i < a->holder_count; i++)
        assert_same_holder(&a->holders[i], &b->holders[i]);
}

/* Also of what no report shows; and classes are added to those that are there. */
static void test_every_member_of_holders_travels(void **state)
{
    (void)state;
    struct holders sent = {0}, received = {0};
    struct text bytes = {0};
    fill(&sent);
    struct held_class *class = holders_add_class(&sent, "app.Log");
    struct holder log = holder("app.log", "list");
    log.kind = HOLDER_COROUTINE;
    log.point = UINT64_MAX - 1;
    log.depth = UINT32_MAX - 1;
    log.bound = UINT64_MAX - 2;
    class->reasons = HELD_SUSPECTED;
    class->by_size = true;
    class->sample = 1;
    assert_int_equal(holders_add(class, &log), 0);
    holders_encode(&sent, &bytes);
    for (size_t times = 1; times <= 2; times++) {
        assert_int_equal(holders_decode(&received, bytes.bytes, bytes.size), 0);
        assert_int_equal(received.class_count, times * sent.class_count);
    }
    for (size_t i = 0; i < received.class_count; i++)
        assert_same_class(&sent.classes[i % sent.class_count], &received.classes[i]);
    text_clear(&bytes);
    holders_clear(&sent);
    holders_clear(&received);
}

/* What is held only because it is suspected is told with the suspicion, not in the record. */
static void test_suspects_are_not_reported(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    struct text text = {0};
    holders_add_class(&snapshot.holders, "app.Suspect")->reasons = HELD_SUSPECTED;
    holders_add_class(&snapshot.holders, "app.Asked")->reasons = HELD_ASKED;
    report_write(&text, &snapshot, NULL, 1, 0);
    assert_null(strstr(text.bytes, "app.Suspect"));
    assert_non_null(strstr(text.bytes, "\n\nHeld: app.Asked (0 objects)"));
    text_clear(&text);
    snapshot_clear(&snapshot);
}

static void test_growth_comes_after_the_tables(void **state)
{
    (void)state;
    struct snapshot snapshot = {0};
    struct text text = {0}, growth = {0};
    report_write(&text, &snapshot, &growth, 1, 0);
    size_t size = text.size;
    text_add(&growth, "\n\nGrowth");
    text_clear(&text);
    report_write(&text, &snapshot, &growth, 1, 0);
    assert_int_equal(text.size, size + growth.size);
    assert_non_null(strstr(text.bytes, "Top 1 by memory usage:\n\nGrowth\n\nSnapshot cost"));
    text_clear(&text);
    growth.failed = true;
    report_write(&text, &snapshot, &growth, 1, 0);
    assert_true(text.failed);
    text_clear(&text);
    text_clear(&growth);
}

static void test_counts_have_commas(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *expected;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {12345, "12,345"},
        {1234567, "1,234,567"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text text = {0};
        report_add_count(&text, cases[i].count);
        assert_string_equal(text.bytes, cases[i].expected);
        text_clear(&text);
    }
}

static void test_sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *expected;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KB"},
        {1280, "1.2 KB"}, /* 1.25: a half goes to the even digit, as in Python */
        {1434, "1.4 KB"},
        {1048524, "1023.9 KB"},
        {1048525, "1.0 MB"}, /* not 1024.0 KB */
        {1048576, "1.0 MB"},
        {47395635, "45.2 MB"},
        {1073741823, "1.0 GB"},
        {5368709120, "5.0 GB"},
        {(uint64_t)1 << 50, "1048576.0 GB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text text = {0};
        report_add_size(&text, cases[i].bytes);
        assert_string_equal(text.bytes, cases[i].expected);
        text_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_with_ties_by_name),
        cmocka_unit_test(test_merges_equal_names),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_report_layout),
        cmocka_unit_test(test_report_of_its_own_cost),
        cmocka_unit_test(test_travels_as_bytes),
        cmocka_unit_test(test_holders_are_reported),
        cmocka_unit_test(test_holders_travel_as_bytes),
        cmocka_unit_test(test_every_member_of_holders_travels),
        cmocka_unit_test(test_suspects_are_not_reported),
        cmocka_unit_test(test_growth_comes_after_the_tables),
        cmocka_unit_test(test_counts_have_commas),
        cmocka_unit_test(test_sizes_have_units),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
