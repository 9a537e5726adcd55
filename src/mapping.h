/* SPDX-License-Identifier: MIT
 *
 * Asks the kernel before an address is followed that is only believed to be one.
 */
#ifndef MEMPROF_MAPPING_H
#define MEMPROF_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/* True where `size` bytes at `address`, 8 to a page's size, can be read; the address may be
 * anything. False also where the kernel cannot be asked. Changes nothing but errno. */
bool mapping_is_readable(const void *address, size_t size);

#endif
