/* SPDX-License-Identifier: MIT
 *
 * A path has room for the holders next to the root; of a longer way the end is forgotten, which is
 * always a linked structure.
 */
#include "retention/py_trail.h"

#include "retention/py_container.h"
#include "retention/py_edge.h"

enum { LINK_COUNT = 8 }; /* nodes of one class on the way make a linked structure */

/* The numbers from the object on, as far as they fit; the later, the nearer to the root. */
struct ring {
    uint32_t numbers[VOTE_DEPTH_LIMIT];
    uint64_t count;
};

static bool climb(struct ring *ring, const struct py_ancestry *ancestry, uint32_t number,
                  uint32_t *root, uint64_t *steps)
{
    while (number < PY_ANCESTRY_ROOT) {
        if (*steps == 0)
            return false;
        --*steps;
        ring->numbers[ring->count++ % VOTE_DEPTH_LIMIT] = number;
        number = ancestry->parents[number];
    }
    *root = number;
    return true;
}

/* Threads that run the same function hold the same variable. */
static uint32_t same_local(const struct py_ancestry *ancestry, uint32_t root)
{
    if (py_ancestry_root(root) != PY_ROOT_LOCAL || root == PY_ANCESTRY_NONE)
        return root;
    const struct py_local *local = py_ancestry_local(ancestry, root);
    for (uint32_t other = PY_ANCESTRY_ROOT | PY_ROOT_LOCAL; other < root; other++) {
        const struct py_local *same = py_ancestry_local(ancestry, other);
        if (same->name == local->name && same->code == local->code)
            return other;
    }
    return root;
}

/* An attribute has a name, an item of a large container needs none. */
static bool has_name(const struct py_ancestry *ancestry, const struct vote_path *path)
{
    if (path->length < 2)
        return false;
    const struct py_graph *graph = ancestry->graph;
    PyObject *holder = py_graph_object(ancestry->graph, path->nodes[path->length - 1]);
    if (py_container_of(graph, holder) == PY_CONTAINER_NONE)
        return true;
    return path->length > 2 &&
           py_edge_may_be_namespace(
               graph, py_graph_object(ancestry->graph, path->nodes[path->length - 2]), holder);
}

/* ---- Linked structures ---- */

static uint32_t count_class(PyObject *const *classes, uint32_t length, const PyObject *class)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < length; i++)
        count += classes[i] == class;
    return count;
}

/* Nodes have dicts, and coroutines await each other a dozen deep without being any. */
static bool comes_in_rows(const PyObject *class)
{
    return class == py.PyDict_Type || class == py.PyCoro_Type || class == py.PyGen_Type ||
           class == py.PyFrame_Type;
}

/* Where the first node stands, or 0. What comes in rows anyway is no node, if there are others. */
static uint32_t find_head(PyObject *const *classes, uint32_t length)
{
    uint32_t of_rows = 0;
    for (uint32_t i = 1; i < length; i++) {
        uint32_t count = classes[i] != NULL ? count_class(classes, length, classes[i]) : 0;
        if (count >= LINK_COUNT && !comes_in_rows(classes[i]))
            return i;
        if (count >= 2 * LINK_COUNT && of_rows == 0)
            of_rows = i;
    }
    return of_rows;
}

static void end_at_head(struct vote_path *path, const struct py_ancestry *ancestry)
{
    const struct py_graph *graph = ancestry->graph;
    PyObject *classes[VOTE_DEPTH_LIMIT], *owner = NULL;
    for (uint32_t i = 1; i < path->length; i++) {
        PyObject *object = py_graph_object(graph, path->nodes[i]);
        classes[i] = py_graph_class(graph, object);
        /* That of a module, class or instance is no node of its own. */
        if (owner != NULL && classes[i] == py.PyDict_Type &&
            py_edge_may_be_namespace(graph, owner, object))
            classes[i] = NULL;
        owner = object;
    }
    uint32_t head = find_head(classes, path->length);
    if (head != 0) {
        path->length = head + 1;
        path->is_linked = true;
    }
}

static void cut_at(struct vote_path *path, uint32_t head)
{
    if (path->object == head && !path->is_linked && path->length < VOTE_DEPTH_LIMIT)
        path->nodes[path->length++] = head;
    for (uint32_t i = 1; i < path->length; i++) {
        if (path->nodes[i] == head) {
            path->length = i + 1;
            path->is_linked = true;
            return;
        }
    }
}

void py_trail_cut(struct vote_path *paths, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!paths[i].is_linked)
            continue;
        for (uint32_t j = 0; j < count; j++)
            cut_at(&paths[j], paths[i].nodes[paths[i].length - 1]);
    }
}

/* ---- The whole ---- */

bool py_trail_follow(struct vote_path *path, const struct py_ancestry *ancestry, uint64_t *steps)
{
    struct ring ring = {.count = 0};
    uint32_t root, object = path->object;
    *path = (struct vote_path){.object = object};
    if (!climb(&ring, ancestry, object, &root, steps))
        return false;
    path->nodes[path->length++] = same_local(ancestry, root);
    /* What is in several modules is nowhere in particular. */
    path->rooted = py_ancestry_root(root) == PY_ROOT_MODULE ? 2 : 1;
    uint64_t left = ring.count < VOTE_DEPTH_LIMIT ? ring.count : VOTE_DEPTH_LIMIT;
    for (uint64_t i = 0; i < left && path->length < VOTE_DEPTH_LIMIT; i++) {
        uint32_t number = ring.numbers[(ring.count - 1 - i) % VOTE_DEPTH_LIMIT];
        if (number != object)
            path->nodes[path->length++] = number;
    }
    end_at_head(path, ancestry);
    if (!path->is_linked && path->length < VOTE_DEPTH_LIMIT && has_name(ancestry, path))
        path->nodes[path->length++] = object;
    return true;
}
