/* SPDX-License-Identifier: MIT
 *
 * How many blocks of memory Python's own allocators have given out: sys.getallocatedblocks().
 */
#ifndef MEMPROF_PY_BLOCKS_H
#define MEMPROF_PY_BLOCKS_H

#include <stdint.h>

#define PY_BLOCKS_UNKNOWN UINT64_MAX

/* Keeps sys.getallocatedblocks as it is now; forgets what an earlier life of the interpreter has
 * left. GIL. */
void py_blocks_begin(void);

/* Gives up what is kept. GIL. */
void py_blocks_end(void);

/* PY_BLOCKS_UNKNOWN where Python does not count them: PYTHONMALLOC=malloc, and free-threaded
 * builds, which would stop all threads for it. Looks into every pool: of 1 GB of objects 1 ms, and
 * 4 ms before 3.10; in a twin (twin.h), which has to map them first, 15 and 51 ms. There it may be
 * called after py_isolate(), but from 3.12 on it may wait for ever on a lock of the interpreter's.
 * GIL. */
uint64_t py_blocks_count(void);

#endif
