/* SPDX-License-Identifier: MIT
 *
 * Each open collection has a frame that says what becomes of its children: skipped, kept, or, for a
 * mapping on the path, kept only under the key of the next level and under merge keys. An anchored
 * node is kept wherever it is, because an alias on the path may name it later. Depth is counted and
 * limited, never recursed into. */
#include "config/yaml_reader.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config/anchors.h"
#include "config/source.h"
#include "config/yaml_input.h"

#define EVENTS_PER_CLOCK_CHECK 64

enum frame_mode { FRAME_SKIP, FRAME_KEEP, FRAME_PATH };

struct frame {
    enum frame_mode mode;
    int node; /* TREE_NONE when skipped */
    int last; /* child */
    /* The rest is for FRAME_PATH. */
    size_t level; /* index of the name it looks for */
    bool at_value;
    enum { KEY_OTHER, KEY_NAME, KEY_MERGE } key;
};

struct reader {
    yaml_parser_t parser;
    struct tree *tree;
    struct anchors anchors;
    struct yaml_input input;
    const char *const *path;
    size_t levels;
    size_t depth;
    size_t kept_bytes;
    size_t events;
    struct fault *fault;
    struct frame frames[YAML_DEPTH_LIMIT];
};

static int fail_out_of_time(struct reader *reader)
{
    const yaml_mark_t *mark = &reader->parser.mark;

    return fault_set(reader->fault, mark->line + 1, mark->column + 1,
                     "found a text that takes too long to read, allowed: %d ms of processor time",
                     YAML_TIME_LIMIT_MS);
}

/* libyaml's problem and context texts are constants: none holds a character of the file. */
static int fail_with_problem(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "unknown problem";
    const char *context = parser->context != NULL ? parser->context : "";
    size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;

    if (reader->input.out_of_time)
        return fail_out_of_time(reader);
    if (parser->error == YAML_MEMORY_ERROR)
        return fault_out_of_memory(reader->fault);
    if (parser->error == YAML_READER_ERROR) {
        size_t offset = parser->problem_offset;

        if (offset > reader->input.size)
            offset = reader->input.size;
        source_locate(reader->input.text, offset, &line, &column);
    }
    return fault_set(reader->fault, line, column, "malformed YAML: %s%s%s", problem,
                     context[0] == '\0' ? "" : " ", context);
}

static bool is_collection(const yaml_event_t *event)
{
    return event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
}

static yaml_char_t **event_tag(yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return &event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return &event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return &event->data.mapping_start.tag;
    default:
        return NULL;
    }
}

/* The tag ! means: as if there were no tag and no quotes. libyaml does not always take it away. */
static void drop_empty_tag(yaml_event_t *event)
{
    yaml_char_t **tag = event_tag(event);

    if (tag == NULL || *tag == NULL || strcmp((char *)*tag, "!") != 0)
        return;
    free(*tag);
    *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        event->data.scalar.plain_implicit = 1;
}

/* Moves the strings of the event into the node and the anchor, so that yaml_event_delete has
 * nothing left to free. */
static struct tree_node take_node(yaml_event_t *event, char **anchor)
{
    struct tree_node node = {.line = (uint32_t)event->start_mark.line + 1,
                             .column = (uint32_t)event->start_mark.column + 1,
                             .next = TREE_NONE,
                             .first = TREE_NONE,
                             .target = TREE_NONE};

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        node.kind = NODE_ALIAS;
        node.text = (char *)event->data.alias.anchor;
        node.length = (uint32_t)strlen(node.text);
        break;
    case YAML_SCALAR_EVENT:
        node.kind = NODE_SCALAR;
        node.text = (char *)event->data.scalar.value;
        node.length = (uint32_t)event->data.scalar.length;
        node.tag = (char *)event->data.scalar.tag;
        node.plain = event->data.scalar.plain_implicit;
        *anchor = (char *)event->data.scalar.anchor;
        break;
    case YAML_SEQUENCE_START_EVENT:
        node.kind = NODE_SEQUENCE;
        node.tag = (char *)event->data.sequence_start.tag;
        *anchor = (char *)event->data.sequence_start.anchor;
        break;
    default:
        node.kind = NODE_MAPPING;
        node.tag = (char *)event->data.mapping_start.tag;
        *anchor = (char *)event->data.mapping_start.anchor;
        break;
    }
    memset(&event->data, 0, sizeof event->data);
    return node;
}

static int check_limits(struct reader *reader, const struct tree_node *node, const char *anchor)
{
    reader->kept_bytes += node->length + (node->tag == NULL ? 0 : strlen(node->tag)) +
                          (anchor == NULL ? 0 : strlen(anchor));
    if (reader->tree->count >= YAML_NODE_LIMIT || reader->kept_bytes > YAML_KEPT_BYTES_LIMIT)
        return fault_set(reader->fault, node->line, node->column,
                         "found too much in the section and below anchors, allowed: %d values "
                         "and %u MiB",
                         YAML_NODE_LIMIT, YAML_KEPT_BYTES_LIMIT >> 20);
    return 0;
}

/* Returns the index of the new node, or TREE_NONE with the fault set. */
static int keep_node(struct reader *reader, yaml_event_t *event)
{
    char *anchor = NULL;
    struct tree_node node = take_node(event, &anchor);
    int index;

    if (node.kind == NODE_ALIAS)
        node.target = anchors_find(&reader->anchors, node.text);
    if (check_limits(reader, &node, anchor) != 0) {
        free(node.text);
        free(node.tag);
        free(anchor);
        return TREE_NONE;
    }
    index = tree_append(reader->tree, &node);
    if (index == TREE_NONE) {
        free(anchor);
        fault_out_of_memory(reader->fault);
        return TREE_NONE;
    }
    reader->tree->nodes[index].end = index + 1;
    if (anchor != NULL && anchors_set(&reader->anchors, anchor, index) != 0) {
        fault_out_of_memory(reader->fault);
        return TREE_NONE;
    }
    return index;
}

static void attach(struct tree *tree, struct frame *parent, int node)
{
    if (parent->last == TREE_NONE)
        tree->nodes[parent->node].first = node;
    else
        tree->nodes[parent->last].next = node;
    parent->last = node;
}

/* What kind of key this event is on the path, whether it will be kept or not. */
static void recognise_key(const struct reader *reader, struct frame *frame, yaml_event_t *event)
{
    struct tree_node view = {.kind = NODE_MAPPING};
    const struct tree_node *key = &view;

    if (event->type == YAML_ALIAS_EVENT) {
        int target = anchors_find(&reader->anchors, (const char *)event->data.alias.anchor);

        if (target != TREE_NONE)
            key = &reader->tree->nodes[target];
    } else if (event->type == YAML_SCALAR_EVENT) {
        view.kind = NODE_SCALAR;
        view.text = (char *)event->data.scalar.value;
        view.length = (uint32_t)event->data.scalar.length;
        view.tag = (char *)event->data.scalar.tag;
        view.plain = event->data.scalar.plain_implicit;
    }
    frame->key = KEY_OTHER;
    if (tree_node_is_merge(key))
        frame->key = KEY_MERGE;
    else if (tree_node_is_name(key, reader->path[frame->level]))
        frame->key = KEY_NAME;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return event->data.sequence_start.anchor;
    return event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor : NULL;
}

/* Decides about the next node: returns whether its parent wants it, and fills the frame it gets if
 * it is a collection. */
static bool place_node(struct reader *reader, struct frame *parent, yaml_event_t *event,
                       struct frame *frame)
{
    *frame = (struct frame){.mode = FRAME_SKIP, .node = TREE_NONE, .last = TREE_NONE};
    if (parent == NULL) {
        if (event->type == YAML_MAPPING_START_EVENT)
            frame->mode = FRAME_PATH;
        return true;
    }
    if (parent->mode != FRAME_PATH) {
        frame->mode = parent->mode;
        return parent->mode == FRAME_KEEP;
    }
    if (!parent->at_value) {
        recognise_key(reader, parent, event);
    } else if (parent->key == KEY_MERGE || parent->level + 1 == reader->levels) {
        if (parent->key != KEY_OTHER)
            frame->mode = FRAME_KEEP;
    } else if (parent->key == KEY_NAME && event->type == YAML_MAPPING_START_EVENT) {
        frame->mode = FRAME_PATH;
        frame->level = parent->level + 1;
    }
    return parent->key != KEY_OTHER;
}

static void finish_node(struct reader *reader)
{
    if (reader->depth > 0)
        reader->frames[reader->depth - 1].at_value = !reader->frames[reader->depth - 1].at_value;
}

static int start_node(struct reader *reader, yaml_event_t *event)
{
    struct frame *parent = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
    bool collection = is_collection(event);
    yaml_mark_t mark = event->start_mark;
    struct frame frame;
    bool wanted;

    drop_empty_tag(event);
    wanted = place_node(reader, parent, event, &frame);
    if (event_anchor(event) != NULL)
        frame.mode = FRAME_KEEP;
    if (wanted || frame.mode == FRAME_KEEP) {
        frame.node = keep_node(reader, event);
        if (frame.node == TREE_NONE)
            return -1;
        if (parent == NULL)
            reader->tree->root = frame.node;
        else if (wanted)
            attach(reader->tree, parent, frame.node);
    }
    if (!collection) {
        finish_node(reader);
        return 0;
    }
    if (reader->depth == YAML_DEPTH_LIMIT)
        return fault_set(reader->fault, mark.line + 1, mark.column + 1,
                         "found values nested too deep, allowed: %d levels", YAML_DEPTH_LIMIT);
    reader->frames[reader->depth++] = frame;
    return 0;
}

static void end_node(struct reader *reader)
{
    struct frame *frame = &reader->frames[--reader->depth];

    if (frame->node != TREE_NONE)
        reader->tree->nodes[frame->node].end = reader->tree->count;
    finish_node(reader);
}

/* Returns 1 to go on, 0 at the end of the document, -1 with the fault set. */
static int handle_event(struct reader *reader, yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return start_node(reader, event) == 0 ? 1 : -1;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end_node(reader);
        return 1;
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_NO_EVENT:
        return 0;
    default:
        return 1;
    }
}

static int read_document(struct reader *reader)
{
    int going = 1;

    while (going > 0) {
        yaml_event_t event;

        if (++reader->events % EVENTS_PER_CLOCK_CHECK == 0 &&
            !yaml_input_check_time(&reader->input))
            return fail_out_of_time(reader);
        if (!yaml_parser_parse(&reader->parser, &event))
            return fail_with_problem(reader);
        going = handle_event(reader, &event);
        yaml_event_delete(&event);
    }
    return going;
}

int yaml_read(struct tree *tree, const char *text, size_t size, const char *const *path,
              size_t levels, struct fault *fault)
{
    struct reader *reader = calloc(1, sizeof *reader);
    int result = -1;

    tree->root = TREE_NONE;
    if (reader == NULL)
        return fault_out_of_memory(fault);
    reader->tree = tree;
    reader->path = path;
    reader->levels = levels;
    reader->fault = fault;
    yaml_input_start(&reader->input, text, size);
    if (yaml_parser_initialize(&reader->parser)) {
        yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input(&reader->parser, yaml_input_feed, &reader->input);
        result = read_document(reader);
        yaml_parser_delete(&reader->parser);
    } else {
        fault_out_of_memory(fault);
    }
    anchors_destroy(&reader->anchors);
    free(reader);
    return result;
}
