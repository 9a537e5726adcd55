/* SPDX-License-Identifier: MIT
 *
 * tp_traverse shows what can be part of a cycle. What else an object may hold is found where it is
 * known to stand: a dict whose keys are all text does not show them, and code objects, ranges and
 * compiled patterns have no tp_traverse, but members (PyMemberDef), which are references at a known
 * place. Members of Python's classes, their __slots__, are shown.
 *
 * An object is asked for its references once, when it is met first, so the walk ends. Invariant:
 * what is on the stack has been met.
 */
#include "py_untracked.h"

#include "memory.h"
#include "retention/py_frame.h"

enum { PY_TP_IS_GC = 61 }; /* Include/typeslots.h */

static const unsigned long HAVE_GC = 1ul << 14, DICT_SUBCLASS = 1ul << 29;

/* tp_traverse of dict. */
static const void *dict_traverse;

typedef int (*is_gc_function)(PyObject *);

static void *field_of(const PyObject *class, size_t type_offset, size_t offset)
{
    void *word;
    memcpy(&word, py_graph_field(class, type_offset + offset), sizeof(word));
    return word;
}

/* ---- The proof ---- */

/* `type` alone says of some of its objects, the static ones, that they are none of the collector's;
 * abc.ABCMeta has that from it, which before 3.10 is the only one of the two that can be asked. In
 * 3.14 it may not be there yet. */
static bool is_gc_is_known(size_t type_offset, PyObject *metaclass)
{
    void *is_gc = field_of(py.PyType_Type, type_offset, PY_TP_IS_GC_OFFSET);
    return is_gc != NULL && py.PyType_GetSlot(metaclass, PY_TP_IS_GC) == is_gc &&
           field_of(metaclass, type_offset, PY_TP_IS_GC_OFFSET) == is_gc &&
           field_of(py.PyList_Type, type_offset, PY_TP_IS_GC_OFFSET) == NULL;
}

static bool members_are_known(size_t type_offset)
{
    const struct py_member *members = field_of(py.PyType_Type, type_offset, PY_TP_MEMBERS_OFFSET);
    return members != NULL && strcmp(members->name, "__basicsize__") == 0 &&
           members->offset == (ssize_t)(type_offset + PY_TP_BASICSIZE_OFFSET);
}

int py_untracked_begin(size_t type_offset)
{
    PyObject *module = py_module_if_ready("abc");
    PyObject *metaclass = module != NULL ? py_attribute(module, "ABCMeta") : NULL;
    if (metaclass == NULL) {
        metaclass = py.PyType_Type;
        py.Py_IncRef(metaclass);
    }
    bool known = is_gc_is_known(type_offset, metaclass) && members_are_known(type_offset);
    dict_traverse = known ? field_of(py.PyDict_Type, type_offset, PY_TP_TRAVERSE_OFFSET) : NULL;
    py_clear_error();
    py_release(metaclass);
    return dict_traverse != NULL ? 0 : -1;
}

bool py_untracked_is_known(void)
{
    return dict_traverse != NULL;
}

/* ---- What an object refers to ---- */

static void *class_field(const struct py_untracked *untracked, const PyObject *class, size_t offset)
{
    return field_of(class, untracked->graph->type_offset, offset);
}

/* PyObject_IS_GC() of Include/internal/pycore_object.h. */
static bool is_traversable(const struct py_untracked *untracked, PyObject *object, PyObject *class)
{
    if ((py_graph_class_flags(untracked->graph, class) & HAVE_GC) == 0)
        return false;
    void *field = class_field(untracked, class, PY_TP_IS_GC_OFFSET);
    is_gc_function is_gc;
    memcpy(&is_gc, &field, sizeof(is_gc));
    return is_gc == NULL || is_gc(object) != 0;
}

/* Of dict, of what is made from it, and of frozendict. */
static bool has_items(const struct py_untracked *untracked, PyObject *class, PyObject *native)
{
    return (py_graph_class_flags(untracked->graph, class) & DICT_SUBCLASS) != 0 ||
           class_field(untracked, native, PY_TP_TRAVERSE_OFFSET) == dict_traverse;
}

static bool has_members(const struct py_untracked *untracked, PyObject *native)
{
    for (PyObject *class = native; class != NULL;
         class = class_field(untracked, class, PY_TP_BASE_OFFSET)) {
        if (class_field(untracked, class, PY_TP_MEMBERS_OFFSET) != NULL)
            return true;
    }
    return false;
}

static bool is_leaf(struct py_untracked *untracked, PyObject *class)
{
    if (class == untracked->leaf)
        return true;
    if ((py_graph_class_flags(untracked->graph, class) & HAVE_GC) != 0 ||
        has_members(untracked, class))
        return false;
    untracked->leaf = class;
    return true;
}

static void push(struct py_untracked *untracked, PyObject *object)
{
    PyObject **stack = memory_room(untracked->stack, untracked->stack_size,
                                   &untracked->stack_capacity, sizeof(PyObject *));
    if (stack == NULL) {
        untracked->status = -1;
        return;
    }
    untracked->stack = stack;
    stack[untracked->stack_size++] = object;
}

static bool is_new(struct py_untracked *untracked, const PyObject *object)
{
    uintptr_t address = (uintptr_t)object, rest = address % ADDRESS_INDEX_ALIGNMENT;
    if (rest % sizeof(void *) != 0)
        return false;
    int answer = address_index_insert(&untracked->seen[rest != 0], address - rest);
    if (answer < 0)
        untracked->status = -1;
    return answer > 0;
}

static int meet(PyObject *object, void *argument)
{
    struct py_untracked *untracked = argument;
    if (untracked->status != 0 || py_graph_number(untracked->graph, object) != PY_GRAPH_NONE ||
        !is_new(untracked, object))
        return 0;
    if (untracked->meet(untracked->context, object) != 0)
        untracked->status = -1;
    else if (!is_leaf(untracked, py_graph_class(untracked->graph, object)))
        push(untracked, object);
    return 0;
}

static void meet_items(struct py_untracked *untracked, PyObject *dict)
{
    PyObject *key, *value;
    ssize_t position = 0;
    while (py.PyDict_Next(dict, &position, &key, &value)) {
        meet(key, untracked);
        meet(value, untracked);
    }
}

static void meet_member(struct py_untracked *untracked, PyObject *object, PyObject *class,
                        const struct py_member *member)
{
    ssize_t last;
    memcpy(&last, py_graph_field(class, untracked->graph->type_offset + PY_TP_BASICSIZE_OFFSET),
           sizeof(last));
    last -= (ssize_t)sizeof(PyObject *);
    if ((member->type != PY_T_OBJECT && member->type != PY_T_OBJECT_EX) ||
        (member->flags & PY_RELATIVE_OFFSET) != 0 || member->offset <= 0 || member->offset > last)
        return;
    PyObject *value;
    memcpy(&value, py_graph_field(object, (size_t)member->offset), sizeof(value));
    if (value != NULL)
        meet(value, untracked);
}

static void meet_members(struct py_untracked *untracked, PyObject *object, PyObject *native)
{
    for (PyObject *class = native; class != NULL;
         class = class_field(untracked, class, PY_TP_BASE_OFFSET)) {
        const struct py_member *member = class_field(untracked, class, PY_TP_MEMBERS_OFFSET);
        for (; member != NULL && member->name != NULL; member++)
            meet_member(untracked, object, class, member);
    }
}

static void meet_referents(struct py_untracked *untracked, PyObject *object)
{
    PyObject *class = py_graph_class(untracked->graph, object);
    PyObject *native = py_graph_native_class(untracked->graph, class);
    untracked->referrer = object;
    if (has_items(untracked, class, native))
        meet_items(untracked, object);
    if (class != py.PyDict_Type && is_traversable(untracked, object, class))
        py_graph_traverse(untracked->graph, object, meet, untracked);
    meet_members(untracked, object, native);
}

/* What stands lower than all before it was put there by the object that is followed. */
static int empty_stack(struct py_untracked *untracked)
{
    size_t lowest = untracked->stack_size;
    while (untracked->stack_size > 0 && untracked->status == 0) {
        PyObject *object = untracked->stack[--untracked->stack_size];
        if (untracked->stack_size < lowest) {
            lowest = untracked->stack_size;
            untracked->item = object;
        }
        meet_referents(untracked, object);
    }
    untracked->item = NULL;
    return untracked->status;
}

/* ---- The whole ---- */

int py_untracked_follow(struct py_untracked *untracked, PyObject *object)
{
    meet_referents(untracked, object);
    return empty_stack(untracked);
}

static int meet_local(void *untracked, PyObject *name, PyObject *value)
{
    (void)name;
    return meet(value, untracked);
}

static void meet_locals(void *untracked, PyObject *frame)
{
    py_frame_each_local(frame, meet_local, untracked);
}

int py_untracked_follow_running(struct py_untracked *untracked)
{
    py_frame_each_running(meet_locals, untracked);
    return empty_stack(untracked);
}

void py_untracked_clear(struct py_untracked *untracked)
{
    address_index_clear(&untracked->seen[0]);
    address_index_clear(&untracked->seen[1]);
    memory_free(untracked->stack);
    *untracked = (struct py_untracked){0};
}
