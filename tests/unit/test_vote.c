/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "retention/vote.h"

#include <string.h>

enum { MOST = 50, GROUPS = 4 };

struct poll {
    struct vote_path paths[MOST];
    struct vote_group groups[GROUPS];
    uint32_t count;
    size_t found;
};

/* Adds `times` paths with these nodes; where the last one is 0 each gets another node there. */
static void add(struct poll *poll, uint32_t times, const uint32_t *nodes, uint32_t length)
{
    for (uint32_t i = 0; i < times; i++) {
        struct vote_path *path = &poll->paths[poll->count++];
        memcpy(path->nodes, nodes, length * sizeof(*nodes));
        path->length = length;
        if (nodes[length - 1] == 0)
            path->nodes[length - 1] = 1000 + poll->count;
    }
}

#define ADD(poll, times, ...)                         \
    add(poll, times, (const uint32_t[]){__VA_ARGS__}, \
        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void count(struct poll *poll)
{
    poll->found = vote_count(poll->paths, poll->count, poll->groups, GROUPS);
}

static void expect(const struct poll *poll, size_t place, uint32_t votes, uint32_t shared,
                   uint32_t last)
{
    const struct vote_group *group = &poll->groups[place];
    assert_in_range(place, 0, poll->found - 1);
    assert_int_equal(group->count, votes);
    assert_int_equal(group->shared, shared);
    if (shared > 0)
        assert_int_equal(poll->paths[group->first].nodes[shared - 1], last);
}

static void test_nobody(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    count(&poll);
    assert_int_equal(poll.found, 0);
}

static void test_one_holder(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 50, 1, 2, 3);
    count(&poll);
    assert_int_equal(poll.found, 1);
    expect(&poll, 0, 50, 3, 3);
}

static void test_two_holders(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 2, 1, 2, 4);
    ADD(&poll, 48, 1, 2, 3);
    count(&poll);
    assert_int_equal(poll.found, 2);
    expect(&poll, 0, 48, 3, 3);
    expect(&poll, 1, 2, 3, 4);
}

/* A dict of lists: they fan out at the dict. */
static void test_fans_out_above_the_holder(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 40, 1, 2, 0);
    for (uint32_t i = 0; i < 5; i++)
        ADD(&poll, 2, 1, 2, 500 + i);
    count(&poll);
    assert_int_equal(poll.found, 1);
    expect(&poll, 0, 50, 2, 2);
}

static void test_few_ways_are_told_apart(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    for (uint32_t i = 0; i < 5; i++)
        ADD(&poll, 10, 1, 2, 20 + i);
    count(&poll);
    assert_int_equal(poll.found, GROUPS);
    for (size_t i = 0; i < GROUPS; i++)
        assert_int_equal(poll.groups[i].count, 10);
    for (uint32_t i = 0; i < poll.count; i++)
        poll.paths[i].nodes[2] = 20 + i % 7;
    count(&poll);
    assert_int_equal(poll.found, 1);
    expect(&poll, 0, 50, 2, 2);
}

/* Some end at a holder that others go through. */
static void test_paths_that_end_on_the_way(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 20, 1, 2);
    ADD(&poll, 30, 1, 2, 3);
    count(&poll);
    assert_int_equal(poll.found, 2);
    expect(&poll, 0, 30, 3, 3);
    expect(&poll, 1, 20, 2, 2);
}

static void test_nothing_in_common(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 50, 0);
    count(&poll);
    assert_int_equal(poll.found, 1);
    expect(&poll, 0, 50, 0, 0);
}

/* Roots of several kinds, and different modules, are no place where anything fans out. */
static void test_roots_are_told_apart(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    ADD(&poll, 30, 1, 2, 3);
    for (uint32_t i = 0; i < 10; i++)
        ADD(&poll, 1, 1, 30 + i, 50 + i);
    for (uint32_t i = 0; i < 10; i++)
        ADD(&poll, 1, 70 + i, 90 + i);
    for (uint32_t i = 0; i < poll.count; i++)
        poll.paths[i].rooted = poll.paths[i].nodes[0] == 1 ? 2 : 1;
    count(&poll);
    assert_int_equal(poll.found, GROUPS);
    expect(&poll, 0, 30, 3, 3);
    expect(&poll, 1, 1, 3, 50);
}

static void test_deepest_path(void **state)
{
    (void)state;
    struct poll poll = {.count = 0};
    for (uint32_t i = 0; i < MOST; i++, poll.count++) {
        poll.paths[i].length = VOTE_DEPTH_LIMIT;
        for (uint32_t j = 0; j < VOTE_DEPTH_LIMIT; j++)
            poll.paths[i].nodes[j] = j;
    }
    count(&poll);
    assert_int_equal(poll.found, 1);
    expect(&poll, 0, 50, VOTE_DEPTH_LIMIT, VOTE_DEPTH_LIMIT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_one_holder),
        cmocka_unit_test(test_two_holders),
        cmocka_unit_test(test_fans_out_above_the_holder),
        cmocka_unit_test(test_few_ways_are_told_apart),
        cmocka_unit_test(test_paths_that_end_on_the_way),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_roots_are_told_apart),
        cmocka_unit_test(test_deepest_path),
    };
    return cmocka_run_group_tests_name("vote", tests, NULL, NULL);
}
