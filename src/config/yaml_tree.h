/* SPDX-License-Identifier: MIT
 *
 * The part of a YAML document that was worth keeping, and how aliases and merge keys read it. */
#ifndef MEMPROF_YAML_TREE_H
#define MEMPROF_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/fault.h"

#define TREE_NONE (-1)

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING, NODE_ALIAS };

/* Nodes refer to each other by index. The children of a collection form a list; those of a mapping
 * are key, value, key, value... A node's descendants have the indices up to its end. */
struct tree_node {
    char *text; /* owned: of a scalar, or the anchor an alias names; may hold NUL */
    char *tag;  /* owned; NULL when none was written */
    uint32_t length;
    uint32_t line, column; /* 1-based */
    int next;              /* sibling */
    int first;             /* child */
    int end;
    int target; /* of an alias; never an alias itself; TREE_NONE for an unknown anchor */
    uint8_t kind;
    bool plain;   /* an untagged scalar without quotes */
    bool visited; /* scratch space of tree_merge_order */
};

/* Zero-initialise it. */
struct tree {
    struct tree_node *nodes;
    int count;
    int capacity;
    int root;     /* TREE_NONE when the document is empty */
    int repeated; /* the key that tree_find() found a second time, 0 for none */
};

/* Appends the node and takes over its text and tag in any case. Returns its index, or TREE_NONE
 * when out of memory. */
int tree_append(struct tree *tree, const struct tree_node *node);

void tree_destroy(struct tree *tree);

/* Follows an alias. TREE_NONE stays TREE_NONE. */
int tree_resolve(const struct tree *tree, int node);

/* A scalar that PyYAML reads as this string, so usable as a key of that name. */
bool tree_node_is_string(const struct tree_node *node);
bool tree_node_is_name(const struct tree_node *node, const char *name);

/* The merge key: a plain <<. */
bool tree_node_is_merge(const struct tree_node *node);

/* `a list`, `a mapping`, `a string`, ... without a character of the file. */
const char *tree_kind_name(const struct tree *tree, int node);

/* Sets *order (malloc'ed, the caller frees it) to the mapping and all that is merged into it,
 * highest priority first, each once, and *count to how many. Returns -1 with the fault set when
 * something other than mappings is merged, or when out of memory. Recursive merges end; the work is
 * linear in the size of the tree. */
int tree_merge_order(struct tree *tree, int mapping, int **order, size_t *count,
                     struct fault *fault);

/* Sets *value to the value of the key, its last one, merges included; TREE_NONE when there is none.
 * Fails as tree_merge_order. */
int tree_find(struct tree *tree, int mapping, const char *name, int *value, struct fault *fault);

#endif
