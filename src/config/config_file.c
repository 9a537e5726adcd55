/* SPDX-License-Identifier: MIT
 *
 * The file may hold other people's secrets. Text of it is shown only when it stands between the
 * first and the last node of our section; what an alias or a merge key brings in from elsewhere is
 * named by its kind. Of options that are overridden not even the type is checked. */
#include "config/config_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_message.h"
#include "memprof.h"
#include "config/option_value.h"
#include "config/quote.h"
#include "config/yaml_reader.h"
#include "config/yaml_tree.h"

#define WARNING_LIMIT 20

struct section {
    struct tree *tree;
    int node; /* the mapping */
    const struct config_file *file;
    const struct config_environment *environment;
    size_t warnings;
    int values[OPTION_COUNT]; /* by index into option_table; TREE_NONE when not given */
    int owners[OPTION_COUNT]; /* the mapping that gives it: ours or a merged one */
};

static void warn(struct section *section, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void warn(struct section *section, size_t line, size_t column, const char *format, ...)
{
    struct fault warning = {.line = line, .column = column};
    va_list arguments;

    if (++section->warnings > WARNING_LIMIT)
        return;
    va_start(arguments, format);
    vsnprintf(warning.text, sizeof warning.text, format, arguments);
    va_end(arguments);
    config_report(section->environment, CONFIG_WARNING, section->file->name, &warning);
}

static bool is_ours(const struct section *section, int node)
{
    return node >= section->node && node < section->tree->nodes[section->node].end;
}

/* `"intervall"`, `5`, `a list`, or, when the key must not be shown, where it is. */
static const char *describe_key(const struct section *section, int key, char *buffer)
{
    const struct tree_node *node = &section->tree->nodes[key];
    struct scalar scalar;

    if (!is_ours(section, key))
        return "from outside the section";
    if (node->kind != NODE_SCALAR || (node->tag != NULL && !tree_node_is_string(node)))
        return tree_kind_name(section->tree, key);
    if (tree_node_is_string(node))
        return quote_text(buffer, node->text, node->length);
    scalar = scalar_plain(node->text, node->length);
    return scalar_describe(&scalar, buffer);
}

static void warn_unknown_key(struct section *section, int written)
{
    const struct tree_node *place = &section->tree->nodes[written];
    int key = tree_resolve(section->tree, written);
    char shown[SCALAR_DESCRIPTION_SIZE];
    const struct option *nearest = NULL;
    const char *name = "an alias without an anchor";

    if (section->warnings >= WARNING_LIMIT) {
        section->warnings++;
        return;
    }
    if (key != TREE_NONE) {
        const struct tree_node *node = &section->tree->nodes[key];

        name = describe_key(section, key, shown);
        if (tree_node_is_string(node))
            nearest = option_nearest(node->text, node->length);
    }
    if (nearest != NULL)
        warn(section, place->line, place->column, "unknown key %s, did you mean %s?", name,
             nearest->name);
    else
        warn(section, place->line, place->column, "unknown key %s", name);
}

static const struct option *key_option(const struct section *section, int written)
{
    int key = tree_resolve(section->tree, written);

    if (key == TREE_NONE || !tree_node_is_string(&section->tree->nodes[key]))
        return NULL;
    return option_find(section->tree->nodes[key].text, section->tree->nodes[key].length);
}

static void warn_repeated(struct section *section, int key, const char *name)
{
    const struct tree_node *place = &section->tree->nodes[key];

    warn(section, place->line, place->column, "%s: found twice, the last one counts", name);
}

static void note_pair(struct section *section, int mapping, int key, int value)
{
    const struct option *option = key_option(section, key);
    size_t index;

    if (option == NULL) {
        warn_unknown_key(section, key);
        return;
    }
    index = (size_t)(option - option_table);
    if (section->values[index] == TREE_NONE)
        section->owners[index] = mapping;
    else if (section->owners[index] != mapping)
        return; /* a mapping of higher priority has it */
    else
        warn_repeated(section, key, option->name);
    section->values[index] = value;
}

static void note_mapping(struct section *section, int mapping)
{
    const struct tree_node *nodes = section->tree->nodes;
    int value;

    for (int key = nodes[mapping].first; key != TREE_NONE; key = nodes[value].next) {
        int resolved = tree_resolve(section->tree, key);

        value = nodes[key].next;
        if (resolved == TREE_NONE || !tree_node_is_merge(&nodes[resolved]))
            note_pair(section, mapping, key, value);
    }
}

static int collect_values(struct section *section, struct fault *fault)
{
    int *order;
    size_t count;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        section->values[i] = TREE_NONE;
    if (tree_merge_order(section->tree, section->node, &order, &count, fault) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        note_mapping(section, order[i]);
    free(order);
    if (section->warnings > WARNING_LIMIT) {
        size_t more = section->warnings - WARNING_LIMIT;

        section->warnings = 0;
        warn(section, 0, 0, "%zu more unknown or repeated keys", more);
    }
    return 0;
}

static int apply_values(struct section *section, struct config *config, struct fault *fault)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        int written = section->values[i];
        int resolved = tree_resolve(section->tree, written);
        bool shown = is_ours(section, written) && is_ours(section, resolved);
        const struct option *option = &option_table[i];

        if (written == TREE_NONE || section->file->overridden[i])
            continue;
        if (option_value_read(option, section->tree, written, shown, section->environment,
                              option_slot(option, config), fault) != 0)
            return -1;
    }
    return 0;
}

static bool is_null(const struct tree *tree, int node)
{
    const struct tree_node *found = &tree->nodes[node];

    if (found->kind != NODE_SCALAR)
        return false;
    if (found->tag != NULL)
        return strcmp(found->tag, YAML_TAG_PREFIX "null") == 0;
    return found->plain && scalar_plain(found->text, found->length).kind == SCALAR_NULL;
}

/* Makes *node the mapping it stands for, or TREE_NONE for null. The name may be NULL: the root. */
static int enter_mapping(struct tree *tree, int *node, const char *name, struct fault *fault)
{
    const struct tree_node *place = &tree->nodes[*node];
    int resolved = tree_resolve(tree, *node);

    if (resolved != TREE_NONE && tree->nodes[resolved].kind == NODE_MAPPING) {
        *node = resolved;
        return 0;
    }
    if (resolved == TREE_NONE || !is_null(tree, resolved))
        return fault_set(fault, place->line, place->column, "%s: found %s, allowed: a mapping",
                         name == NULL ? "document" : name, tree_kind_name(tree, *node));
    *node = TREE_NONE;
    return 0;
}

/* Sets the section's node to the mapping, or to TREE_NONE when there is nothing in it; and
 * *present. */
static int find_section(struct section *section, const char *const *path, bool *present,
                        struct fault *fault)
{
    struct tree *tree = section->tree;
    const char *name = NULL;
    int *node = &section->node;

    *node = tree->root;
    *present = false;
    for (size_t level = 0; *node != TREE_NONE; level++) {
        if (enter_mapping(tree, node, name, fault) != 0)
            return -1;
        *present = level == MEMPROF_SECTION_LEVELS;
        if (*present || *node == TREE_NONE)
            return 0;
        name = path[level];
        if (tree_find(tree, *node, name, node, fault) != 0)
            return -1;
        if (tree->repeated != 0)
            warn_repeated(section, tree->repeated, name);
    }
    return 0;
}

static int apply_tree(struct config *config, const char *const *path, struct section *section,
                      struct fault *fault)
{
    struct fault absent = {0};
    bool present;

    if (find_section(section, path, &present, fault) != 0)
        return -1;
    if (!present && !section->file->overridden[OPTION_ENABLED]) {
        fault_set(&absent, 0, 0,
                  "has no section " MEMPROF_SECTION_NAME ", so the profiler stays off");
        config_report(section->environment, CONFIG_WARNING, section->file->name, &absent);
    }
    if (section->node == TREE_NONE)
        return 0;
    if (collect_values(section, fault) != 0)
        return -1;
    return apply_values(section, config, fault);
}

int config_file_apply(struct config *config, const struct config_file *file,
                      const struct config_environment *environment, struct fault *fault)
{
    static const char *const path[MEMPROF_SECTION_LEVELS] = MEMPROF_SECTION_PATH;
    struct tree tree = {.root = TREE_NONE};
    struct section section = {.tree = &tree, .file = file, .environment = environment};
    int result = yaml_read(&tree, file->text, file->size, path, MEMPROF_SECTION_LEVELS, fault);

    if (result == 0)
        result = apply_tree(config, path, &section, fault);
    tree_destroy(&tree);
    return result;
}
