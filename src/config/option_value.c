/* SPDX-License-Identifier: MIT
 *
 * A value is first reduced to a scalar as YAML understands it, or found to be none; only then does
 * the option decide. Whatever goes wrong ends in one sentence: found this, allowed that. */
#include "config/option_value.h"

#include <stdio.h>
#include <string.h>

#include "config/env_template.h"
#include "config/quote.h"

#define FOUND_SIZE (SCALAR_DESCRIPTION_SIZE + QUOTE_SIZE + 64)

struct value_reader {
    const struct option *option;
    const struct tree *tree;
    const struct tree_node *place; /* where the option's own value stands */
    const struct tree_node *node;  /* the same, or what the alias there refers to */
    bool shown;
    struct fault *fault;
};

static int refuse(const struct value_reader *reader, const char *found)
{
    char allowed[OPTION_TEXT_SIZE];

    return fault_set(reader->fault, reader->place->line, reader->place->column,
                     "%s: found %s, allowed: %s", reader->option->name, found,
                     option_describe(reader->option, allowed));
}

/* What stands there, and the tag, which is not known or does not fit. */
static void describe_tagged(const struct value_reader *reader, const char *what, const char *tag,
                            char found[FOUND_SIZE])
{
    size_t prefix = sizeof YAML_TAG_PREFIX - 1;
    bool is_core = strncmp(tag, YAML_TAG_PREFIX, prefix) == 0;
    char name[QUOTE_SIZE];

    tag += is_core ? prefix : 0;
    quote_bare(name, sizeof name, tag, strlen(tag), QUOTE_CHARACTERS);
    if (reader->shown)
        snprintf(found, FOUND_SIZE, "%s tagged %s%s", what, is_core ? "!!" : "", name);
    else
        snprintf(found, FOUND_SIZE, "a tagged value");
}

static void describe_scalar(const struct value_reader *reader, const struct scalar *scalar,
                            enum option_fault why, char found[FOUND_SIZE])
{
    char text[SCALAR_DESCRIPTION_SIZE];
    struct scalar spelled = *scalar;

    /* A string that spells a number of the wrong size is told as that number. */
    if (why == OPTION_OUT_OF_RANGE && reader->option->type == OPTION_INTEGER)
        spelled = scalar_plain(scalar->text, scalar->length);
    if (reader->shown)
        snprintf(found, FOUND_SIZE, "%s", scalar_describe(&spelled, text));
    else
        snprintf(found, FOUND_SIZE, "%s%s", scalar_kind_name(spelled.kind),
                 why == OPTION_OUT_OF_RANGE ? " that does not fit" : "");
}

static int read_scalar(const struct value_reader *reader, const struct scalar *scalar, void *value)
{
    enum option_fault why = option_parse(reader->option, scalar, value);
    char found[FOUND_SIZE];

    if (why == OPTION_ACCEPTED)
        return 0;
    describe_scalar(reader, scalar, why, found);
    return refuse(reader, found);
}

/* Adds where the value comes from. */
static int refuse_template(const struct value_reader *reader, const struct template *template,
                           const char *found)
{
    char origin[FOUND_SIZE + QUOTE_SIZE + 32], name[QUOTE_SIZE];

    if (template->variable == NULL || !reader->shown)
        return refuse(reader, found);
    quote_bare(name, sizeof name, template->variable, template->variable_length, QUOTE_CHARACTERS);
    if (template->missing)
        snprintf(origin, sizeof origin, "%s because %s is not set", found, name);
    else
        snprintf(origin, sizeof origin, "%s from ${%s}", found, name);
    return refuse(reader, origin);
}

static int read_resolved(const struct value_reader *reader, const struct template *template,
                         void *value)
{
    struct scalar scalar = scalar_quoted(template->text, template->length);
    char found[FOUND_SIZE], text[QUOTE_SIZE];
    enum option_fault why;

    if (template->tag[0] != '\0' &&
        scalar_tagged(&scalar, template->tag, template->text, template->length) != 0) {
        describe_tagged(reader, quote_text(text, template->text, template->length), template->tag,
                        found);
        return refuse_template(reader, template, found);
    }
    why = option_parse(reader->option, &scalar, value);
    if (why == OPTION_ACCEPTED)
        return 0;
    describe_scalar(reader, &scalar, why, found);
    return refuse_template(reader, template, found);
}

static int read_template(const struct value_reader *reader,
                         const struct config_environment *environment, void *value)
{
    struct template template;
    int result;

    switch (template_resolve(&template, reader->node->text, reader->node->length, environment)) {
    case TEMPLATE_TOO_LONG:
        return refuse(reader, "an !ENV template that is too long");
    case TEMPLATE_OUT_OF_MEMORY:
        return fault_out_of_memory(reader->fault);
    case TEMPLATE_RESOLVED:
        break;
    }
    result = read_resolved(reader, &template, value);
    template_destroy(&template);
    return result;
}

static int read_tagged(const struct value_reader *reader, void *value)
{
    const struct tree_node *node = reader->node;
    struct scalar scalar;
    char found[FOUND_SIZE], text[QUOTE_SIZE];

    if (scalar_tagged(&scalar, node->tag, node->text, node->length) == 0)
        return read_scalar(reader, &scalar, value);
    describe_tagged(reader, quote_text(text, node->text, node->length), node->tag, found);
    return refuse(reader, found);
}

/* A list or a mapping is never a value, so its tag matters only where it may explain the mistake.
 */
static int refuse_collection(const struct value_reader *reader)
{
    const struct tree_node *node = reader->node;
    const char *what = tree_kind_name(reader->tree, (int)(node - reader->tree->nodes));
    char found[FOUND_SIZE];

    if (node->tag == NULL)
        return refuse(reader, what);
    describe_tagged(reader, what, node->tag, found);
    return refuse(reader, found);
}

static int read_node(const struct value_reader *reader,
                     const struct config_environment *environment, void *value)
{
    const struct tree_node *node = reader->node;
    struct scalar scalar;

    if (node->kind != NODE_SCALAR)
        return refuse_collection(reader);
    if (node->tag != NULL && strcmp(node->tag, "!ENV") == 0)
        return read_template(reader, environment, value);
    if (node->tag != NULL)
        return read_tagged(reader, value);
    scalar = node->plain ? scalar_plain(node->text, node->length)
                         : scalar_quoted(node->text, node->length);
    return read_scalar(reader, &scalar, value);
}

static int read_written(const struct value_reader *outer, int node,
                        const struct config_environment *environment, void *value)
{
    int resolved = tree_resolve(outer->tree, node);
    struct value_reader reader = *outer;

    reader.place = &outer->tree->nodes[node];
    if (resolved == TREE_NONE)
        return refuse(&reader, "an alias without an anchor");
    reader.node = &outer->tree->nodes[resolved];
    return read_node(&reader, environment, value);
}

static bool is_list(const struct tree_node *node)
{
    return node->kind == NODE_SEQUENCE &&
           (node->tag == NULL || strcmp(node->tag, YAML_TAG_PREFIX "seq") == 0);
}

/* A list takes the place of what the option had, and does so when all of it is right. */
static int read_names(const struct value_reader *reader, int node,
                      const struct config_environment *environment, struct config_names *names)
{
    const struct tree_node *nodes = reader->tree->nodes;
    struct config_names read = {{0}};
    int resolved = tree_resolve(reader->tree, node);
    int result = 0;

    if (resolved == TREE_NONE || !is_list(&nodes[resolved]))
        result = read_written(reader, node, environment, &read);
    else
        for (int item = nodes[resolved].first; item != TREE_NONE && result == 0;
             item = nodes[item].next)
            result = read_written(reader, item, environment, &read);
    if (result == 0)
        *names = read;
    return result;
}

int option_value_read(const struct option *option, const struct tree *tree, int node, bool shown,
                      const struct config_environment *environment, void *value,
                      struct fault *fault)
{
    struct value_reader reader = {.option = option, .tree = tree, .shown = shown, .fault = fault};

    if (option->type == OPTION_NAMES)
        return read_names(&reader, node, environment, value);
    return read_written(&reader, node, environment, value);
}
