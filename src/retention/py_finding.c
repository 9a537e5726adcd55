/* SPDX-License-Identifier: MIT
 *
 * The newest objects of a class vote. Those that are not tracked are of no age of their own, and
 * the newest holders need not have the newest of them: unless most of these are found where all
 * that are new may be, it is counted who has most of all.
 */
#include "retention/py_finding.h"

#include "retention/py_container.h"
#include "retention/py_trail.h"

enum {
    MOSTLY_PERCENT = 80, /* of the sample, */
    HOARD_PART = 8       /* and of the objects that are asked for: may be what they grow in */
};

/* Holders looked at for one class: a few linked lists of a million nodes. */
static const uint64_t STEP_LIMIT = 5000000;

PyObject *py_finding_point(const struct py_finding *finding)
{
    return finding->chains[0].objects[finding->fan - 1];
}

/* ---- The vote ---- */

static void note_chain(const struct py_ancestry *ancestry, struct py_finding *finding,
                       const struct vote_path *path, const struct py_sampled *sampled)
{
    struct py_chain *chain = &finding->chains[finding->chain_count++];
    uint32_t length = path->length - (path->is_below && !path->is_linked);
    for (uint32_t i = 1; i < length; i++)
        chain->objects[chain->count++] = py_graph_object(ancestry->graph, path->nodes[i]);
    bool is_complete = length > 1 && path->nodes[length - 1] == path->object;
    if (path->is_linked)
        return;
    if (!is_complete)
        chain->objects[chain->count++] = sampled->object;
    for (size_t i = 0; i < 3 && sampled->below[i] != NULL; i++)
        chain->objects[chain->count++] = sampled->below[i];
}

/* The newest object's chain comes first, then some from all over the group. */
static void note_group(const struct py_ancestry *ancestry, struct py_subject *subject,
                       const struct vote_path *paths, const struct vote_group *group,
                       const struct py_sampled *sampled)
{
    struct py_finding *finding = &subject->findings[subject->finding_count++];
    const struct vote_path *path = &paths[group->first];
    uint32_t others = group->count < PY_CHAIN_LIMIT ? group->count : PY_CHAIN_LIMIT - 1;
    *finding = (struct py_finding){
        .root = path->nodes[0], .share = group->count, .fan = PY_FINDING_NO_FAN};
    finding->is_linked = path->is_linked && group->shared == path->length;
    note_chain(ancestry, finding, path, &sampled[path->place]);
    for (uint32_t i = 0; i < others; i++) {
        uint32_t other = group->begin + (uint32_t)((uint64_t)i * group->count / others);
        if (other != group->first)
            note_chain(ancestry, finding, &paths[other], &sampled[paths[other].place]);
    }
    /* Of a linked structure even a single object hangs below the head. */
    if (group->count > 1 || finding->is_linked)
        finding->fan = group->shared - 1;
    else if (subject->wish->by_size)
        finding->fan = finding->chains[0].count; /* it is large because of what it holds */
}

/* The path of what is not tracked ends at its holder, whatever that is. One that is not tracked
 * either has no number, so something that tells it from others stands for it. */
static bool follow(const struct py_ancestry *ancestry, const struct py_sampled *sampled,
                   struct vote_path *path, uint64_t *steps)
{
    path->object = py_graph_number(ancestry->graph, sampled->object);
    if (!py_trail_follow(path, ancestry, steps))
        return false;
    if (sampled->below[0] == NULL || path->is_linked)
        return true;
    if (path->nodes[path->length - 1] != path->object && path->length < VOTE_DEPTH_LIMIT)
        path->nodes[path->length++] = path->object;
    path->is_below = sampled->below[1] != NULL && path->length < VOTE_DEPTH_LIMIT;
    if (path->is_below)
        path->nodes[path->length++] = (uint32_t)((uintptr_t)sampled->below[0] >> 4);
    return true;
}

static void vote(const struct py_ancestry *ancestry, struct py_subject *subject,
                 const struct py_sampled *sampled, uint32_t count)
{
    struct vote_path paths[PY_SAMPLE_SIZE];
    struct vote_group groups[PY_FINDING_LIMIT];
    uint64_t steps = STEP_LIMIT;
    uint32_t asked = 0;
    while (asked < count && follow(ancestry, &sampled[asked], &paths[asked], &steps))
        asked++;
    py_trail_cut(paths, asked);
    size_t found = vote_count(paths, asked, groups, PY_FINDING_LIMIT);
    for (size_t i = 0; i < found; i++)
        note_group(ancestry, subject, paths, &groups[i], sampled);
    subject->asked = asked;
}

/* ---- What is not tracked ---- */

/* Of so many objects: as many as are new, where that is known. */
static uint64_t wanted_of(const struct py_subject *subject)
{
    uint64_t objects = subject->hoard->objects, newest = subject->wish->newest;
    return newest != 0 && newest < objects ? newest : objects;
}

/* Whether those with the newest holders are found where all that are new may be. */
static bool is_growth_found(const struct py_ancestry *ancestry, const struct py_subject *subject)
{
    const struct py_finding *first = &subject->findings[0];
    if (subject->finding_count == 0 || first->share * 100 < subject->asked * MOSTLY_PERCENT)
        return false;
    if (first->is_linked || first->fan == 0 || first->fan > first->chains[0].count)
        return first->is_linked;
    return py_container_of(ancestry->graph, py_finding_point(first)) != PY_CONTAINER_NONE &&
           py_container_length(ancestry->graph, py_finding_point(first)) * HOARD_PART >=
               wanted_of(subject);
}

static void note_hoard(const struct py_ancestry *ancestry, struct py_subject *subject, size_t place)
{
    const struct py_hoard *hoard = subject->hoard;
    struct vote_path path;
    uint64_t steps = STEP_LIMIT;
    if (!follow(ancestry, &hoard->most[place], &path, &steps))
        return;
    path.place = 0;
    const struct vote_group group = {.count = 1, .shared = path.length};
    note_group(ancestry, subject, &path, &group, &hoard->most[place]);
    struct py_finding *finding = &subject->findings[subject->finding_count - 1];
    finding->share = hoard->counts[place];
    finding->fan = path.length - 1; /* all of them are below it */
}

/* Where one of them has many more, it is told who has how many of all. */
static void find_hoards(const struct py_ancestry *ancestry, struct py_subject *subject)
{
    const struct py_hoard *hoard = subject->hoard;
    if (hoard->objects == 0 || is_growth_found(ancestry, subject) ||
        hoard->counts[0] * HOARD_PART < wanted_of(subject))
        return;
    subject->finding_count = 0;
    subject->is_counted = true;
    subject->asked = hoard->objects;
    for (size_t i = 0; i < PY_HOARD_LIMIT; i++) {
        if (hoard->counts[i] * HOARD_PART >= wanted_of(subject))
            note_hoard(ancestry, subject, i);
    }
}

/* ---- Both ---- */

void py_finding_find(struct py_subject *subject, const struct py_ancestry *ancestry)
{
    struct py_sampled sampled[PY_SAMPLE_SIZE];
    uint32_t count = subject->hoard != NULL
                         ? py_hoard_newest(subject->hoard, subject->wish, sampled)
                         : py_sample_objects(&subject->sample, subject->wish, sampled);
    vote(ancestry, subject, sampled, count);
    if (subject->hoard != NULL)
        find_hoards(ancestry, subject);
}
