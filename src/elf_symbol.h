/* SPDX-License-Identifier: MIT
 *
 * What dlsym() does not tell: how large an exported object is. (glibc's dladdr1() would, musl has
 * none.)
 */
#ifndef MEMPROF_ELF_SYMBOL_H
#define MEMPROF_ELF_SYMBOL_H

#include <stddef.h>

/* st_size of the dynamic symbol `name`, in whichever loaded file holds `address`; 0 where that file
 * does not define it. */
size_t elf_symbol_size(const void *address, const char *name);

#endif
