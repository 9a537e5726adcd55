/* SPDX-License-Identifier: MIT
 *
 * In this order, because naming makes objects that have no number: search, sample and vote; see
 * what the largest accumulation points keep alive; name everything.
 */
#include "retention/py_retention.h"

#include "bell.h"
#include "memory.h"
#include "retention/py_attribute.h"
#include "retention/py_container.h"
#include "retention/py_expression.h"
#include "retention/py_finding.h"
#include "retention/py_frame.h"
#include "py_name.h"
#include "py_reach.h"
#include "py_tally.h"
#include "py_untracked.h"

enum {
    RETAINED_LIMIT = 64,  /* accumulation points of one snapshot */
    RETAINED_MS = 1500,   /* no pass over the heap is begun later than that */
    RETAINED_PERCENT = 20 /* of the sample that is worth one */
};

struct retention {
    struct py_graph *graph;
    struct py_ancestry ancestry;
    struct py_subject *subjects;
    struct py_hoard *hoards;
    size_t subject_count;
    PyObject *sized[RETAINED_LIMIT]; /* accumulation points */
    uint64_t sizes[RETAINED_LIMIT];
    size_t sized_count;
    uint64_t sized_until_ms;
};

int py_retention_begin(void)
{
    py_frame_begin();
    return py_attribute_begin();
}

void py_retention_end(void)
{
    py_attribute_end();
}

/* ---- Samples ---- */

static int take_samples(struct retention *retention, const struct py_generations *generations,
                        const struct held_wish *wishes, size_t count)
{
    retention->subjects = memory_allocate_zeroed(count, sizeof(*retention->subjects));
    struct py_sample *samples = memory_allocate_zeroed(count, sizeof(*samples));
    if (retention->subjects == NULL || samples == NULL)
        return -1;
    retention->subject_count = count;
    int status = py_sample_take(samples, wishes, count, &retention->ancestry, generations);
    for (size_t i = 0; i < count; i++) {
        retention->subjects[i].wish = &wishes[i];
        retention->subjects[i].sample = samples[i];
    }
    memory_free(samples);
    return status;
}

static int take_hoards(struct retention *retention, const struct py_generations *generations,
                       const struct held_wish *wishes, size_t count)
{
    bool is_needed = false;
    for (size_t i = 0; i < count; i++) {
        const struct py_sample *sample = &retention->subjects[i].sample;
        is_needed |= sample->objects + sample->garbage == 0;
    }
    if (!is_needed || !py_untracked_is_known())
        return 0;
    retention->hoards = memory_allocate_zeroed(count, sizeof(*retention->hoards));
    if (retention->hoards == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct py_sample *sample = &retention->subjects[i].sample;
        if (sample->objects + sample->garbage == 0)
            retention->subjects[i].hoard = &retention->hoards[i];
    }
    return py_hoard_take(retention->hoards, wishes, count, &retention->ancestry, generations);
}

/* ---- What is kept alive ---- */

/* What stays unmarked when all roots are followed, but not through `barrier`, hangs on it. */
static int measure(struct retention *retention, PyObject *barrier, uint64_t *bytes)
{
    struct py_graph *graph = retention->graph;
    struct py_tally tally = {.type_offset = graph->type_offset, .is_in_twin = true};
    struct py_graph_cursor cursor = {.next = 0};
    uint32_t number;
    PyObject *object;
    py_graph_unmark(graph);
    py_graph_mark(graph, py_graph_number(graph, barrier));
    int status = py_reach_each(graph, NULL, NULL);
    if (status == 0)
        status = py_tally_add_at(&tally, PY_TALLY_FRONT, barrier);
    while (status == 0 && (object = py_graph_next(graph, &cursor, &number)) != NULL) {
        if (!py_graph_is_marked(graph, number) &&
            retention->ancestry.parents[number] != PY_ANCESTRY_NONE)
            status = py_tally_add_at(&tally, PY_TALLY_FRONT, object);
    }
    *bytes = py_tally_bytes(&tally);
    py_tally_clear(&tally);
    return status;
}

static bool is_accumulation_point(const struct retention *retention,
                                  const struct py_finding *finding)
{
    if (finding->fan == 0 || finding->fan > finding->chains[0].count)
        return false;
    return finding->is_linked ||
           py_container_of(retention->graph, py_finding_point(finding)) != PY_CONTAINER_NONE;
}

static int measure_once(struct retention *retention, struct py_finding *finding)
{
    PyObject *point = py_finding_point(finding);
    size_t i = 0;
    if (py_graph_number(retention->graph, point) == PY_GRAPH_NONE)
        return 0;
    while (i < retention->sized_count && retention->sized[i] != point)
        i++;
    if (i == RETAINED_LIMIT ||
        (i == retention->sized_count && monotonic_ms() > retention->sized_until_ms))
        return 0;
    int status = 0;
    if (i == retention->sized_count) {
        retention->sized[i] = point;
        status = measure(retention, point, &retention->sizes[i]);
        retention->sized_count++;
    }
    finding->retained_bytes = retention->sizes[i];
    return status;
}

/* The first holder of every class comes before the second of any. */
static int measure_all(struct retention *retention)
{
    int status = 0;
    retention->sized_until_ms = monotonic_ms() + RETAINED_MS;
    for (size_t place = 0; place < PY_FINDING_LIMIT; place++) {
        for (size_t i = 0; i < retention->subject_count && status == 0; i++) {
            struct py_subject *subject = &retention->subjects[i];
            struct py_finding *finding = &subject->findings[place];
            if (place < subject->finding_count && is_accumulation_point(retention, finding) &&
                finding->share * 100 >= subject->asked * RETAINED_PERCENT)
                status = measure_once(retention, finding);
        }
    }
    return status;
}

/* ---- Names ---- */

static enum holder_kind kind_of(uint32_t root)
{
    static const enum holder_kind kinds[] = {
        [PY_ROOT_MODULE] = HOLDER_MODULE,   [PY_ROOT_CLASS] = HOLDER_CLASS,
        [PY_ROOT_FRAME] = HOLDER_FRAME,     [PY_ROOT_COROUTINE] = HOLDER_COROUTINE,
        [PY_ROOT_CONTEXT] = HOLDER_CONTEXT, [PY_ROOT_OUTSIDE] = HOLDER_C,
        [PY_ROOT_LOCAL] = HOLDER_FRAME,
    };
    return root == PY_ANCESTRY_NONE ? HOLDER_CYCLE : kinds[py_ancestry_root(root)];
}

static bool is_namespace(const struct retention *retention, const struct py_finding *finding)
{
    if (finding->fan < 2)
        return false;
    PyObject *dict =
        py_attribute_dict(retention->graph, finding->chains[0].objects[finding->fan - 2]);
    bool answer = dict != NULL && dict == py_finding_point(finding);
    py_release(dict);
    return answer;
}

/* The instance that has a container of the chain as an attribute, or NULL. */
static PyObject *owner_of(const struct py_graph *graph, const struct py_chain *chain,
                          size_t container)
{
    for (size_t at = container; at-- > 0;) {
        if (py_container_of(graph, chain->objects[at]) == PY_CONTAINER_NONE)
            return chain->objects[at];
        if (py_graph_class(graph, chain->objects[at]) != py.PyDict_Type || at + 1 < container)
            return NULL;
    }
    return NULL;
}

/* How many items a container of the chain can have, and 0 where it is none. */
static uint64_t bound_of(const struct py_graph *graph, const struct py_chain *chain, size_t at)
{
    PyObject *object = chain->objects[at];
    if (py_container_of(graph, object) == PY_CONTAINER_NONE)
        return 0;
    if (at > 0 && py_container_of(graph, chain->objects[at - 1]) == PY_CONTAINER_LRU_CACHE)
        return py_container_bound(graph, chain->objects[at - 1], NULL);
    return py_container_bound(graph, object, owner_of(graph, chain, at));
}

/* With `by_size` the objects themselves, which are large because of what they hold. */
static void describe_inner(const struct retention *retention, const struct py_finding *finding,
                           bool by_size, struct holder *holder)
{
    uint64_t length = 0, sum = 0;
    size_t behind = by_size ? 1 : 2;
    for (size_t i = 0; i < finding->chain_count; i++) {
        const struct py_chain *chain = &finding->chains[i];
        if (chain->count < finding->fan + behind)
            return;
        size_t at = chain->count - behind;
        uint64_t bound = bound_of(retention->graph, chain, at);
        if (bound == 0)
            return;
        sum += bound;
        length += py_container_length(retention->graph, chain->objects[at]);
    }
    holder->inner_length = length;
    holder->inner_bound = sum;
}

static void describe_point(const struct retention *retention, const struct py_finding *finding,
                           bool by_size, struct holder *holder)
{
    if (finding->fan == 0)
        describe_inner(retention, finding, by_size, holder);
    if (!is_accumulation_point(retention, finding) || is_namespace(retention, finding))
        return;
    PyObject *point = py_finding_point(finding);
    holder->container = py_class_name(py_graph_class(retention->graph, point));
    holder->retained_bytes = finding->retained_bytes;
    holder->is_linked = finding->is_linked;
    holder->point = (uintptr_t)point;
    holder->depth = (uint32_t)(finding->chains[0].count - finding->fan);
    if (!finding->is_linked) {
        holder->length = py_container_length(retention->graph, point);
        holder->bound = bound_of(retention->graph, &finding->chains[0], finding->fan - 1);
        describe_inner(retention, finding, by_size, holder);
    }
}

static void express(const struct retention *retention, const struct py_finding *finding,
                    size_t place, size_t limit, struct text *text)
{
    const struct py_chain *chain = &finding->chains[place];
    size_t count = chain->count < limit ? chain->count : limit;
    py_expression_add(text, &retention->ancestry, finding->root, chain->objects, count,
                      finding->fan);
}

/* The expression that at least half of the chains have; where they go too many ways below the
 * object where they fan out, it ends there. */
static void express_most(const struct retention *retention, const struct py_finding *finding,
                         struct text *text)
{
    struct text first = {0};
    size_t same = 1;
    express(retention, finding, 0, SIZE_MAX, &first);
    for (size_t i = 1; i < finding->chain_count && !first.failed; i++) {
        struct text other = {0};
        express(retention, finding, i, SIZE_MAX, &other);
        same += other.size == first.size && memcmp(other.bytes, first.bytes, first.size) == 0;
        text_clear(&other);
    }
    if (same * 2 >= finding->chain_count) {
        text_add_bytes(text, first.bytes != NULL ? first.bytes : "", first.size);
    } else {
        express(retention, finding, 0, finding->fan > 0 ? finding->fan + 1 : 0, text);
        text_add(text, "...");
    }
    text->failed |= first.failed;
    text_clear(&first);
}

static int describe(const struct retention *retention, const struct py_finding *finding,
                    struct held_class *class)
{
    struct holder holder = {.kind = kind_of(finding->root), .share = finding->share};
    struct text text = {0};
    if (holder.kind == HOLDER_CYCLE) {
        text_add_bytes(&text, "", 0);
    } else {
        express_most(retention, finding, &text);
        describe_point(retention, finding, class->by_size, &holder);
    }
    holder.expression = text.bytes;
    if (holders_add(class, &holder) != 0)
        return -1;
    return text.failed ? -1 : 0;
}

static int describe_all(const struct retention *retention, struct holders *holders)
{
    for (size_t i = 0; i < retention->subject_count; i++) {
        const struct py_subject *subject = &retention->subjects[i];
        struct held_class *class = holders_add_class(holders, subject->wish->name);
        if (class == NULL)
            return -1;
        class->reasons = subject->wish->reasons;
        class->by_size = subject->wish->by_size;
        class->objects = subject->hoard != NULL ? subject->hoard->objects : subject->sample.objects;
        class->garbage = subject->sample.garbage;
        class->sample = subject->asked;
        class->is_counted = subject->is_counted;
        for (size_t j = 0; j < subject->finding_count; j++) {
            if (describe(retention, &subject->findings[j], class) != 0)
                return -1;
        }
    }
    return 0;
}

/* ---- The whole ---- */

int py_retention_find(struct py_graph *graph, const struct py_generations *generations,
                      const struct held_wish *wishes, size_t wish_count, struct holders *holders)
{
    struct retention retention = {.graph = graph};
    int status = py_ancestry_build(&retention.ancestry, graph);
    if (status == 0)
        status = take_samples(&retention, generations, wishes, wish_count);
    if (status == 0)
        status = take_hoards(&retention, generations, wishes, wish_count);
    for (size_t i = 0; i < retention.subject_count && status == 0; i++)
        py_finding_find(&retention.subjects[i], &retention.ancestry);
    if (status == 0)
        status = measure_all(&retention);
    if (status == 0)
        status = describe_all(&retention, holders);
    py_ancestry_clear(&retention.ancestry);
    memory_free(retention.subjects);
    memory_free(retention.hoards);
    return status;
}
