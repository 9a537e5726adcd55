/* SPDX-License-Identifier: MIT
 *
 * Aliases are edges, not copies: the tree never grows beyond what was written, however often it is
 * referred to, and every walk marks what it has seen, so cycles and alias bombs cost nothing. */
#include "config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

#include "config/yaml_scalar.h"

int tree_append(struct tree *tree, const struct tree_node *node)
{
    if (tree->count == tree->capacity) {
        int capacity = tree->capacity == 0 ? 64 : tree->capacity * 2;
        struct tree_node *nodes = realloc(tree->nodes, (size_t)capacity * sizeof *nodes);

        if (nodes == NULL) {
            free(node->text);
            free(node->tag);
            return TREE_NONE;
        }
        tree->nodes = nodes;
        tree->capacity = capacity;
    }
    tree->nodes[tree->count] = *node;
    return tree->count++;
}

void tree_destroy(struct tree *tree)
{
    for (int i = 0; i < tree->count; i++) {
        free(tree->nodes[i].text);
        free(tree->nodes[i].tag);
    }
    free(tree->nodes);
    memset(tree, 0, sizeof *tree);
}

int tree_resolve(const struct tree *tree, int node)
{
    if (node == TREE_NONE || tree->nodes[node].kind != NODE_ALIAS)
        return node;
    return tree->nodes[node].target;
}

static bool has_text(const struct tree_node *node, const char *text)
{
    return node->length == strlen(text) && memcmp(node->text, text, node->length) == 0;
}

bool tree_node_is_merge(const struct tree_node *node)
{
    if (node->kind != NODE_SCALAR)
        return false;
    if (node->tag != NULL)
        return strcmp(node->tag, YAML_TAG_PREFIX "merge") == 0;
    return node->plain && has_text(node, "<<");
}

bool tree_node_is_string(const struct tree_node *node)
{
    if (node->kind != NODE_SCALAR)
        return false;
    if (node->tag != NULL)
        return strcmp(node->tag, YAML_TAG_PREFIX "str") == 0;
    return !node->plain || scalar_plain(node->text, node->length).kind == SCALAR_STRING;
}

bool tree_node_is_name(const struct tree_node *node, const char *name)
{
    return node->kind == NODE_SCALAR && has_text(node, name) && tree_node_is_string(node);
}

const char *tree_kind_name(const struct tree *tree, int node)
{
    const struct tree_node *found;

    node = tree_resolve(tree, node);
    if (node == TREE_NONE)
        return "an alias without an anchor";
    found = &tree->nodes[node];
    if (found->kind == NODE_SEQUENCE)
        return "a list";
    if (found->kind == NODE_MAPPING)
        return "a mapping";
    if (found->plain)
        return scalar_kind_name(scalar_plain(found->text, found->length).kind);
    return found->tag == NULL ? "a string" : "a tagged value";
}

struct merge_walk {
    struct tree *tree;
    int *order;
    size_t order_count;
    int *stack; /* mappings still to visit, the most important one on top */
    size_t stack_count;
    struct fault *fault;
};

static int push_mapping(struct merge_walk *walk, int written)
{
    int node = tree_resolve(walk->tree, written);

    if (node == TREE_NONE || walk->tree->nodes[node].kind != NODE_MAPPING) {
        const struct tree_node *place = &walk->tree->nodes[written];

        return fault_set(walk->fault, place->line, place->column,
                         "<<: found %s, allowed: a mapping or a list of mappings",
                         tree_kind_name(walk->tree, written));
    }
    walk->stack[walk->stack_count++] = node;
    return 0;
}

/* The first of a list is the most important, so it has to be pushed last. */
static int push_sequence(struct merge_walk *walk, int sequence)
{
    struct tree_node *node = &walk->tree->nodes[sequence];
    size_t low = walk->stack_count, high;

    /* Seen before means that all of it is in the order or on the stack already; this is also what
     * bounds the stack by the number of nodes. */
    if (node->visited)
        return 0;
    node->visited = true;
    for (int child = node->first; child != TREE_NONE; child = walk->tree->nodes[child].next) {
        if (push_mapping(walk, child) != 0)
            return -1;
    }
    for (high = walk->stack_count; low + 1 < high; low++) {
        int swapped = walk->stack[--high];

        walk->stack[high] = walk->stack[low];
        walk->stack[low] = swapped;
    }
    return 0;
}

/* A later << of one mapping is more important than an earlier one. */
static int push_merged(struct merge_walk *walk, int mapping)
{
    const struct tree_node *nodes = walk->tree->nodes;
    int key = nodes[mapping].first;

    while (key != TREE_NONE) {
        int value = nodes[key].next;
        int resolved_key = tree_resolve(walk->tree, key);
        int resolved = tree_resolve(walk->tree, value);

        if (resolved_key != TREE_NONE && tree_node_is_merge(&nodes[resolved_key])) {
            bool is_list = resolved != TREE_NONE && nodes[resolved].kind == NODE_SEQUENCE;

            if ((is_list ? push_sequence(walk, resolved) : push_mapping(walk, value)) != 0)
                return -1;
        }
        key = nodes[value].next;
    }
    return 0;
}

static int walk_merges(struct merge_walk *walk, int mapping)
{
    walk->stack[walk->stack_count++] = mapping;
    while (walk->stack_count > 0) {
        int node = walk->stack[--walk->stack_count];

        if (walk->tree->nodes[node].visited)
            continue;
        walk->tree->nodes[node].visited = true;
        walk->order[walk->order_count++] = node;
        if (push_merged(walk, node) != 0)
            return -1;
    }
    return 0;
}

int tree_merge_order(struct tree *tree, int mapping, int **order, size_t *count,
                     struct fault *fault)
{
    /* A node is pushed at most once for each node that names it, plus the start. */
    size_t room = (size_t)tree->count + 1;
    struct merge_walk walk = {.tree = tree, .fault = fault};
    int result = -1;

    for (int i = 0; i < tree->count; i++)
        tree->nodes[i].visited = false;
    walk.order = malloc(room * sizeof *walk.order);
    walk.stack = malloc(room * sizeof *walk.stack);
    if (walk.order == NULL || walk.stack == NULL)
        fault_out_of_memory(fault);
    else
        result = walk_merges(&walk, mapping);
    free(walk.stack);
    if (result != 0) {
        free(walk.order);
        walk.order = NULL;
    }
    *order = walk.order;
    *count = walk.order_count;
    return result;
}

static int find_own(struct tree *tree, int mapping, const char *name)
{
    int value, found = TREE_NONE;

    for (int key = tree->nodes[mapping].first; key != TREE_NONE; key = tree->nodes[value].next) {
        int resolved = tree_resolve(tree, key);

        value = tree->nodes[key].next;
        if (resolved == TREE_NONE || !tree_node_is_name(&tree->nodes[resolved], name))
            continue;
        tree->repeated = found == TREE_NONE ? 0 : key;
        found = value;
    }
    return found;
}

int tree_find(struct tree *tree, int mapping, const char *name, int *value, struct fault *fault)
{
    int *order;
    size_t count;

    *value = TREE_NONE;
    tree->repeated = 0;
    if (tree_merge_order(tree, mapping, &order, &count, fault) != 0)
        return -1;
    for (size_t i = 0; i < count && *value == TREE_NONE; i++)
        *value = find_own(tree, order[i], name);
    free(order);
    return 0;
}
