/* SPDX-License-Identifier: MIT
 *
 * Roots that no expression leads to stand in angle brackets: `<frame bot.worker>`.
 */
#include "retention/py_expression.h"

#include "memory.h"
#include "retention/py_edge.h"
#include "retention/py_frame.h"
#include "retention/py_key.h"
#include "py_name.h"

enum { LENGTH_LIMIT = 500 };

static void add_module(struct text *text, const PyObject *module)
{
    PyObject *modules = py.PyImport_GetModuleDict();
    PyObject *name, *found;
    ssize_t position = 0;
    while (py.PyDict_Next(modules, &position, &name, &found)) {
        if (found == module && py_name_add(text, name) == 0)
            return;
    }
    text_add(text, "<module>");
}

static void add_class_name(struct text *text, PyObject *class)
{
    char *name = py_class_name(class);
    text_add(text, "%s", name != NULL ? name : "?");
    memory_free(name);
}

static void add_attribute(struct text *text, PyObject *object, const char *name, const char *after)
{
    PyObject *value = py_attribute(object, name);
    if (value != NULL && py_name_add(text, value) == 0)
        text_add(text, "%s", after);
    py_release(value);
}

/* The function that a generator or coroutine runs. */
static void add_coroutine(struct text *text, const struct py_graph *graph, PyObject *coroutine)
{
    add_class_name(text, py_graph_class(graph, coroutine));
    text_add(text, " ");
    add_attribute(text, coroutine, "__qualname__", "");
}

static void add_outside(struct text *text, const struct py_graph *graph, PyObject *object)
{
    PyObject *class = py_graph_class(graph, object);
    add_class_name(text, class);
    if (class == py.PyFunction_Type) {
        text_add(text, " ");
        add_attribute(text, object, "__module__", ".");
        add_attribute(text, object, "__qualname__", "");
    }
    text_add(text, " held by C code or a running call");
}

/* `first` is NULL where they begin at many roots of a kind. */
static void add_root(struct text *text, const struct py_ancestry *ancestry, uint32_t root,
                     PyObject *first)
{
    const struct py_graph *graph = ancestry->graph;
    static const char *const kinds[] = {
        [PY_ROOT_MODULE] = "sys.modules[*]",
        [PY_ROOT_CLASS] = "<class>",
        [PY_ROOT_FRAME] = "<frame>",
        [PY_ROOT_COROUTINE] = "<coroutine>",
        [PY_ROOT_CONTEXT] = "<context>",
        [PY_ROOT_OUTSIDE] = "<held by C code or a running call>",
    };
    enum py_root kind = py_ancestry_root(root);
    if (first == NULL && kind != PY_ROOT_LOCAL) {
        text_add(text, "%s", kinds[kind]);
        return;
    }
    if (kind == PY_ROOT_MODULE) {
        add_module(text, first);
        return;
    }
    if (kind == PY_ROOT_CLASS) {
        add_class_name(text, first);
        return;
    }
    text_add(text, "<");
    if (kind == PY_ROOT_LOCAL || kind == PY_ROOT_FRAME) {
        text_add(text, "frame ");
        py_frame_add_name(text,
                          kind == PY_ROOT_FRAME ? first : py_ancestry_local(ancestry, root)->frame);
    } else if (kind == PY_ROOT_COROUTINE) {
        add_coroutine(text, graph, first);
    } else if (kind == PY_ROOT_CONTEXT) {
        text_add(text, "context");
    } else {
        add_outside(text, graph, first);
    }
    text_add(text, ">");
    if (kind == PY_ROOT_LOCAL) {
        text_add(text, ".f_locals[");
        py_key_add(text, py_ancestry_local(ancestry, root)->name);
        text_add(text, "]");
    }
}

/* What is in the middle is left out. */
static void add_bounded(struct text *text, const struct text *whole)
{
    if (whole->size <= LENGTH_LIMIT) {
        text_add_bytes(text, whole->bytes, whole->size);
        return;
    }
    size_t head = LENGTH_LIMIT / 2, tail = whole->size - LENGTH_LIMIT / 2;
    while (head > 0 && (whole->bytes[head] & 0xc0) == 0x80)
        head--;
    while ((whole->bytes[tail] & 0xc0) == 0x80)
        tail++;
    text_add_bytes(text, whole->bytes, head);
    text_add(text, " ... ");
    text_add_bytes(text, whole->bytes + tail, whole->size - tail);
}

void py_expression_add(struct text *text, const struct py_ancestry *ancestry, uint32_t root,
                       PyObject *const *objects, size_t count, size_t fan)
{
    struct text whole = {0};
    add_root(&whole, ancestry, root, count > 0 ? objects[0] : NULL);
    py_edge_add_all(&whole, ancestry->graph, objects, count, fan);
    if (whole.failed)
        text->failed = true;
    else if (whole.bytes != NULL)
        add_bounded(text, &whole);
    text_clear(&whole);
}
