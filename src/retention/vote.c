/* SPDX-License-Identifier: MIT
 *
 * The paths are sorted, so all that begin alike are neighbours: a node of the tree that they form
 * is a range of them.
 */
#include "retention/vote.h"

enum {
    BRANCH_LIMIT = 5,     /* more ways than that and they fan out here */
    BRANCH_PERCENT = 10,  /* of the paths that a way must have to count as one */
    TOGETHER_PERCENT = 80 /* that those ways must have together */
};

/* The paths from `begin` to before `end`, of which all have the first `shared` nodes in common. */
struct range {
    uint32_t begin, end, shared;
};

struct count {
    const struct vote_path *paths;
    struct vote_group *groups;
    size_t group_count, limit;
};

static int compare_paths(const struct vote_path *a, const struct vote_path *b)
{
    for (uint32_t i = 0; i < a->length && i < b->length; i++) {
        if (a->nodes[i] != b->nodes[i])
            return a->nodes[i] < b->nodes[i] ? -1 : 1;
    }
    return a->length < b->length ? -1 : a->length > b->length;
}

/* A few dozen at most, and qsort() may call malloc(), which a twin must not (twin.h). */
static void sort_paths(struct vote_path *paths, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct vote_path path = paths[i];
        uint32_t place = i;
        for (; place > 0 && compare_paths(&paths[place - 1], &path) > 0; place--)
            paths[place] = paths[place - 1];
        paths[place] = path;
    }
}

static uint32_t next_node(const struct vote_path *path, uint32_t depth)
{
    return depth < path->length ? path->nodes[depth] : UINT32_MAX;
}

/* The paths after `begin` that go on, or end, as that one does. */
static struct range branch_at(const struct count *count, const struct range *range, uint32_t begin)
{
    uint32_t node = next_node(&count->paths[begin], range->shared);
    uint32_t end = begin + 1;
    while (end < range->end && next_node(&count->paths[end], range->shared) == node)
        end++;
    bool is_over = count->paths[begin].length == range->shared;
    return (struct range){begin, end, range->shared + (is_over ? 0 : 1)};
}

static bool goes_on(const struct count *count, const struct range *range)
{
    uint32_t branches = 0, together = 0, paths = range->end - range->begin;
    if (range->shared < count->paths[range->begin].rooted)
        return true;
    for (uint32_t i = range->begin; i < range->end;) {
        struct range branch = branch_at(count, range, i);
        uint32_t size = branch.end - branch.begin;
        /* All of them end here. */
        if (size == paths && branch.shared == range->shared)
            return false;
        if (size * 100 >= paths * BRANCH_PERCENT) {
            branches++;
            together += size;
        }
        i = branch.end;
    }
    return branches <= BRANCH_LIMIT && together * 100 >= paths * TOGETHER_PERCENT;
}

static uint32_t given_first(const struct count *count, const struct range *range)
{
    uint32_t first = range->begin;
    for (uint32_t i = range->begin + 1; i < range->end; i++) {
        if (count->paths[i].place < count->paths[first].place)
            first = i;
    }
    return first;
}

static bool is_before(const struct count *count, const struct vote_group *a,
                      const struct vote_group *b)
{
    return a->count != b->count ? a->count > b->count
                                : count->paths[a->first].place < count->paths[b->first].place;
}

static void add_group(struct count *count, const struct range *range)
{
    struct vote_group group = {range->begin, given_first(count, range), range->end - range->begin,
                               range->shared};
    size_t place = count->group_count;
    while (place > 0 && is_before(count, &group, &count->groups[place - 1]))
        place--;
    if (place == count->limit)
        return;
    if (count->group_count < count->limit)
        count->group_count++;
    for (size_t i = count->group_count - 1; i > place; i--)
        count->groups[i] = count->groups[i - 1];
    count->groups[place] = group;
}

/* Recursion is no deeper than a path is long. */
static void descend(struct count *count, const struct range *range)
{
    if (!goes_on(count, range)) {
        add_group(count, range);
        return;
    }
    for (uint32_t i = range->begin; i < range->end;) {
        struct range branch = branch_at(count, range, i);
        if (branch.shared == range->shared)
            add_group(count, &branch);
        else
            descend(count, &branch);
        i = branch.end;
    }
}

size_t vote_count(struct vote_path *paths, uint32_t count, struct vote_group *groups, size_t limit)
{
    struct count state = {paths, groups, 0, limit};
    struct range range = {0, count, 0};
    for (uint32_t i = 0; i < count; i++)
        paths[i].place = i;
    sort_paths(paths, count);
    if (count > 0)
        descend(&state, &range);
    return state.group_count;
}
