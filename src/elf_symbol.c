/* SPDX-License-Identifier: MIT
 *
 * Reads only what the dynamic linker itself mapped and relies on: program headers, the dynamic
 * section, the symbol table and the GNU or System V hash table that bounds it.
 */
#include "elf_symbol.h"

#include <link.h>
#include <stdint.h>
#include <string.h>

struct query {
    ElfW(Addr) address;
    const char *name;
    size_t size;
};

struct symbol_table {
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash;
    const uint32_t *sysv_hash;
};

static int holds(const struct dl_phdr_info *file, ElfW(Addr) address)
{
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &file->dlpi_phdr[i];
        ElfW(Addr) start = file->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && address >= start && address - start < header->p_memsz)
            return 1;
    }
    return 0;
}

/* glibc relocates the addresses in the dynamic section, musl leaves them as they are in the file.
 */
static const void *mapped(const struct dl_phdr_info *file, ElfW(Addr) address)
{
    return (const void *)(address < file->dlpi_addr ? address + file->dlpi_addr : address);
}

static int table_find(const struct dl_phdr_info *file, struct symbol_table *table)
{
    const ElfW(Dyn) *entry = NULL;
    for (int i = 0; i < file->dlpi_phnum; i++) {
        if (file->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const void *)(file->dlpi_addr + file->dlpi_phdr[i].p_vaddr);
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            table->symbols = mapped(file, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            table->strings = mapped(file, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_GNU_HASH)
            table->gnu_hash = mapped(file, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_HASH)
            table->sysv_hash = mapped(file, entry->d_un.d_ptr);
    }
    return table->symbols != NULL && table->strings != NULL;
}

/* The GNU table holds no count: the last chain's end marks it. Layout: bucket count, first hashed
 * symbol, bloom words, shift, the bloom filter, buckets, chains. */
static size_t gnu_symbol_count(const uint32_t *hash)
{
    uint32_t bucket_count = hash[0], first = hash[1], bloom_words = hash[2];
    const uint32_t *buckets = hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chains = buckets + bucket_count;
    uint32_t last = 0;
    for (uint32_t i = 0; i < bucket_count; i++) {
        if (buckets[i] > last)
            last = buckets[i];
    }
    if (last < first)
        return first;
    while ((chains[last - first] & 1) == 0)
        last++;
    return (size_t)last + 1;
}

static size_t symbol_count(const struct symbol_table *table)
{
    if (table->gnu_hash != NULL)
        return gnu_symbol_count(table->gnu_hash);
    return table->sysv_hash != NULL ? table->sysv_hash[1] : 0;
}

static int look_into(struct dl_phdr_info *file, size_t info_size, void *context)
{
    (void)info_size;
    struct query *query = context;
    struct symbol_table table = {0};
    if (!holds(file, query->address))
        return 0;
    size_t count = table_find(file, &table) ? symbol_count(&table) : 0;
    for (size_t i = 0; i < count; i++) {
        const ElfW(Sym) *symbol = &table.symbols[i];
        if (symbol->st_value + file->dlpi_addr == query->address &&
            strcmp(table.strings + symbol->st_name, query->name) == 0) {
            query->size = symbol->st_size;
            break;
        }
    }
    return 1;
}

size_t elf_symbol_size(const void *address, const char *name)
{
    struct query query = {(ElfW(Addr))address, name, 0};
    dl_iterate_phdr(look_into, &query);
    return query.size;
}
