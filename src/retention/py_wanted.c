/* SPDX-License-Identifier: MIT
 *
 * Several classes may be of one name, and a name takes long to make.
 */
#include "retention/py_wanted.h"

#include "memory.h"
#include "py_name.h"

#include <string.h>

static uint32_t note_of_name(const struct py_wanted *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->wishes[i].name, name) == 0)
            return (uint32_t)i + 1;
    }
    return 0;
}

int py_wanted_look(struct py_wanted *wanted, PyObject *class)
{
    int is_new;
    struct census_entry *entry = census_find(&wanted->classes, class, &is_new);
    if (entry == NULL)
        return -1;
    if (is_new) {
        char *name = py_class_name(class);
        if (name == NULL)
            return -1;
        entry->note = note_of_name(wanted, name);
        memory_free(name);
    }
    wanted->last_class = class;
    wanted->last_place = entry->note - 1;
    return 0;
}

void py_wanted_clear(struct py_wanted *wanted)
{
    census_clear(&wanted->classes);
}
