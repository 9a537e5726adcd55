/* SPDX-License-Identifier: MIT
 *
 * There is no symbol for it in all versions, so Python's own function is called. It runs no Python
 * code, and what it allocates is one integer.
 */
#include "py_blocks.h"

#include "py_api.h"

static PyObject *getallocatedblocks;

void py_blocks_begin(void)
{
    getallocatedblocks = NULL;
    if (py_is_free_threaded())
        return;
    PyObject *sys = py.PyImport_ImportModule("sys");
    py_clear_error();
    if (sys != NULL)
        getallocatedblocks = py_attribute(sys, "getallocatedblocks");
    py_release(sys);
}

void py_blocks_end(void)
{
    py_drop(&getallocatedblocks);
}

uint64_t py_blocks_count(void)
{
    if (getallocatedblocks == NULL)
        return PY_BLOCKS_UNKNOWN;
    PyObject *answer = py.PyObject_CallFunctionObjArgs(getallocatedblocks, NULL);
    py_clear_error();
    long count = py_integer(answer, 0);
    return count > 0 ? (uint64_t)count : PY_BLOCKS_UNKNOWN;
}
