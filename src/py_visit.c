/* SPDX-License-Identifier: MIT
 *
 * While the world is stopped the runtime's lock is held and mimalloc's pages are walked: nothing of
 * Python is called but Py_IncRef(), which is an addition. The first visit meets the classes, whose
 * plans are then made with the world running; the second counts. Objects of classes whose sizes are
 * no sum of a constant and a counted word are referenced and asked afterwards.
 */
#include "py_visit.h"

#include "py_size.h"

#include <stdlib.h>
#include <string.h>

/* ob_gc_bits stands before ob_ref_local, ob_ref_shared and ob_type (struct _object of
 * Include/object.h; Include/internal/pycore_gc.h). gc.get_objects() leaves the last two out: what a
 * collection on another thread is about to free, and what gc.freeze() has set aside. */
enum {
    GC_BITS_BEFORE_TYPE = 13,
    GC_TRACKED = 1,
    GC_UNREACHABLE = 4,
    GC_FROZEN = 8,
};

/* How to size the objects of one class. */
struct kind {
    PyObject *example; /* referenced, until `plan` is made of it */
    struct py_size_plan plan;
};

/* Both referenced. */
struct asked {
    PyObject *object;
    PyObject *class;
};

struct visit {
    struct census *census; /* an entry's note is the index of its kind */
    struct kind *kinds;
    size_t kind_count, kind_capacity;
    struct asked *asked;
    size_t asked_count, asked_capacity;
    struct census_entry *last; /* objects of one kind are often neighbours */
    size_t type_offset;
    bool failed;
};

static unsigned char gc_bits(PyObject *object, size_t type_offset)
{
    return ((const unsigned char *)object)[type_offset - GC_BITS_BEFORE_TYPE];
}

/* Room for one more item of `size` bytes. Returns the array, moved perhaps, or NULL. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wider = *capacity == 0 ? 256 : *capacity * 2;
    void *moved = realloc(array, wider * size);
    if (moved != NULL)
        *capacity = wider;
    return moved;
}

/* ---- While the world is stopped ---- */

static PyObject *class_of(const struct visit *visit, PyObject *object)
{
    PyObject *class;
    memcpy(&class, (const char *)object + visit->type_offset, sizeof(class));
    return class;
}

static bool is_builtin(PyObject *class)
{
    return class == py.PyList_Type || class == py.PyTuple_Type;
}

static int add_kind(struct visit *visit, struct census_entry *entry, PyObject *object)
{
    PyObject *class = (PyObject *)entry->class;
    struct kind *kinds =
        room(visit->kinds, visit->kind_count, &visit->kind_capacity, sizeof(*kinds));
    py.Py_IncRef(class);
    if (kinds == NULL)
        return -1;
    visit->kinds = kinds;
    if (is_builtin(class))
        object = NULL; /* examples of these are made */
    else
        py.Py_IncRef(object);
    kinds[visit->kind_count] = (struct kind){.example = object};
    entry->note = (uint32_t)visit->kind_count++;
    return 0;
}

static struct census_entry *entry_of(struct visit *visit, PyObject *object)
{
    PyObject *class = class_of(visit, object);
    int is_new = 0;
    if (visit->last == NULL || visit->last->class != class)
        visit->last = census_find(visit->census, class, &is_new);
    if (visit->last != NULL && is_new && add_kind(visit, visit->last, object) != 0)
        visit->last = NULL;
    visit->failed = visit->last == NULL;
    return visit->last;
}

static bool is_left_out(const struct visit *visit, PyObject *object)
{
    return (gc_bits(object, visit->type_offset) & (GC_UNREACHABLE | GC_FROZEN)) != 0;
}

static int meet(PyObject *object, void *context)
{
    return is_left_out(context, object) || entry_of(context, object) != NULL;
}

static int ask_later(struct visit *visit, PyObject *object, PyObject *class)
{
    struct asked *asked =
        room(visit->asked, visit->asked_count, &visit->asked_capacity, sizeof(*asked));
    if (asked == NULL)
        return -1;
    py.Py_IncRef(object);
    py.Py_IncRef(class);
    visit->asked = asked;
    asked[visit->asked_count++] = (struct asked){object, class};
    return 0;
}

static int count(PyObject *object, void *context)
{
    struct visit *visit = context;
    if (is_left_out(visit, object))
        return 1;
    struct census_entry *entry = entry_of(visit, object);
    if (entry == NULL)
        return 0;
    entry->count++;
    const struct py_size_plan *plan = &visit->kinds[entry->note].plan;
    if (plan->method == PY_SIZE_COUNTED)
        entry->bytes += py_size_counted(plan, object);
    else
        visit->failed = ask_later(visit, object, (PyObject *)entry->class) != 0;
    return !visit->failed;
}

/* ---- While it runs ---- */

static void plan_kind(struct kind *kind, PyObject *class, size_t type_offset)
{
    PyObject *example = kind->example;
    kind->example = NULL;
    if (class == py.PyList_Type)
        example = py.PyList_New(0);
    else if (class == py.PyTuple_Type)
        example = py.PyTuple_New(1);
    py_clear_error();
    if (example != NULL)
        kind->plan = py_size_plan(class, example, type_offset);
    py_release(example);
}

static void plan_kinds(struct visit *visit)
{
    for (size_t i = 0; i < visit->census->slot_count; i++) {
        struct census_entry *entry = &visit->census->slots[i];
        if (entry->class != NULL)
            plan_kind(&visit->kinds[entry->note], (PyObject *)entry->class, visit->type_offset);
    }
}

/* A class that came after the plans keeps its objects' sizes to them. */
static uint64_t size_of(const struct visit *visit, const struct census_entry *entry,
                        PyObject *object)
{
    return py_size_planned(&visit->kinds[entry->note].plan, object);
}

static void size_asked(struct visit *visit)
{
    for (size_t i = 0; i < visit->asked_count; i++) {
        struct asked *asked = &visit->asked[i];
        int is_new;
        struct census_entry *entry = census_find(visit->census, asked->class, &is_new);
        if (entry != NULL)
            entry->bytes += size_of(visit, entry, asked->object);
        py.Py_DecRef(asked->object);
        py.Py_DecRef(asked->class);
    }
}

static void visit_clear(struct visit *visit)
{
    for (size_t i = 0; i < visit->kind_count; i++)
        py_release(visit->kinds[i].example);
    free(visit->kinds);
    free(visit->asked);
}

int py_visit_count(struct census *census, size_t type_offset)
{
    struct visit visit = {.census = census, .type_offset = type_offset};
    py.PyUnstable_GC_VisitObjects(meet, &visit);
    if (!visit.failed) {
        plan_kinds(&visit);
        visit.last = NULL;
        py.PyUnstable_GC_VisitObjects(count, &visit);
    }
    size_asked(&visit);
    visit_clear(&visit);
    return visit.failed ? -1 : 0;
}

/* ---- Proof ---- */

/* Objects of every kind of page: without and with words before the object (an instance with a
 * __dict__ has them). */
enum { KNOWN_COUNT = 2 };

struct known {
    PyObject *objects[KNOWN_COUNT];
    int times[KNOWN_COUNT];
};

static int look_for(PyObject *object, void *context)
{
    struct known *known = context;
    for (int i = 0; i < KNOWN_COUNT; i++)
        known->times[i] += object == known->objects[i];
    return 1;
}

static PyObject *make_class(void)
{
    PyObject *name = py.PyUnicode_InternFromString("known");
    PyObject *bases = py.PyTuple_New(0);
    PyObject *namespace = py.PyDict_New();
    PyObject *class = NULL;
    if (name != NULL && bases != NULL && namespace != NULL)
        class = py.PyObject_CallFunctionObjArgs(py.PyType_Type, name, bases, namespace, NULL);
    py_clear_error();
    py_release(name);
    py_release(bases);
    py_release(namespace);
    return class;
}

/* gc.get_objects() would be the better witness, but references what others are building. */
static bool known_are_met(void)
{
    PyObject *class = make_class();
    PyObject *instance = class != NULL ? py.PyObject_CallFunctionObjArgs(class, NULL) : NULL;
    struct known known = {{py.PyList_New(0), instance}, {0}};
    py_clear_error();
    bool met = known.objects[0] != NULL && instance != NULL;
    if (met)
        py.PyUnstable_GC_VisitObjects(look_for, &known);
    for (int i = 0; i < KNOWN_COUNT; i++) {
        met = met && known.times[i] == 1;
        py_release(known.objects[i]);
    }
    /* Not looked for: 3.13 tracks no class once a second thread has made classes immortal. */
    py_release(class);
    return met;
}

static bool gc_bits_are_known(size_t type_offset)
{
    PyObject *tracked = py.PyList_New(0);
    PyObject *untracked = py.PyFloat_FromDouble(0.5);
    py_clear_error();
    int mask = GC_TRACKED | GC_UNREACHABLE | GC_FROZEN;
    bool known = tracked != NULL && untracked != NULL && type_offset > GC_BITS_BEFORE_TYPE &&
                 (gc_bits(tracked, type_offset) & mask) == GC_TRACKED &&
                 (gc_bits(untracked, type_offset) & mask) == 0;
    py_release(tracked);
    py_release(untracked);
    return known;
}

bool py_visit_is_proven(size_t type_offset)
{
    return py.PyUnstable_GC_VisitObjects != NULL && gc_bits_are_known(type_offset) &&
           py_size_prove_lists(type_offset) && known_are_met();
}
