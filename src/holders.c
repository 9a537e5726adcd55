/* SPDX-License-Identifier: MIT
 *
 * Bytes on their way between two processes of the same program: structures as they stand in memory,
 * their pointers without meaning, followed by strings with their sizes.
 */
#include "holders.h"

#include "memory.h"

#include <stdbool.h>
#include <string.h>

static const uint64_t NO_STRING = UINT64_MAX;

static char *copy(const char *string, size_t size)
{
    char *bytes = memory_allocate(size + 1);
    if (bytes != NULL) {
        memcpy(bytes, string, size);
        bytes[size] = '\0';
    }
    return bytes;
}

struct held_class *holders_add_class(struct holders *holders, const char *name)
{
    void *classes =
        memory_resize(holders->classes, (holders->class_count + 1) * sizeof(*holders->classes));
    char *own_name = copy(name, strlen(name));
    if (classes != NULL)
        holders->classes = classes;
    if (classes == NULL || own_name == NULL) {
        memory_free(own_name);
        return NULL;
    }
    holders->classes[holders->class_count] = (struct held_class){.name = own_name};
    return &holders->classes[holders->class_count++];
}

static void holder_clear(struct holder *holder)
{
    memory_free(holder->expression);
    memory_free(holder->container);
}

int holders_add(struct held_class *class, struct holder *holder)
{
    void *holders =
        memory_resize(class->holders, (class->holder_count + 1) * sizeof(*class->holders));
    if (holders == NULL) {
        holder_clear(holder);
        return -1;
    }
    class->holders = holders;
    class->holders[class->holder_count++] = *holder;
    return 0;
}

/* ---- Encoding ---- */

static void encode_string(const char *string, struct text *bytes)
{
    uint64_t size = string != NULL ? strlen(string) : NO_STRING;
    text_add_bytes(bytes, (const char *)&size, sizeof(size));
    if (string != NULL)
        text_add_bytes(bytes, string, size);
}

void holders_encode(const struct holders *holders, struct text *bytes)
{
    for (size_t i = 0; i < holders->class_count; i++) {
        const struct held_class *class = &holders->classes[i];
        text_add_bytes(bytes, (const char *)class, sizeof(*class));
        encode_string(class->name, bytes);
        for (size_t j = 0; j < class->holder_count; j++) {
            text_add_bytes(bytes, (const char *)&class->holders[j], sizeof(class->holders[j]));
            encode_string(class->holders[j].expression, bytes);
            encode_string(class->holders[j].container, bytes);
        }
    }
}

/* ---- Decoding ---- */

struct reader {
    const char *at, *end;
    bool failed;
};

static void read_bytes(struct reader *reader, void *target, size_t size)
{
    if (reader->failed || (size_t)(reader->end - reader->at) < size) {
        reader->failed = true;
        memset(target, 0, size);
        return;
    }
    memcpy(target, reader->at, size);
    reader->at += size;
}

static char *read_string(struct reader *reader)
{
    uint64_t size;
    read_bytes(reader, &size, sizeof(size));
    if (reader->failed || size == NO_STRING)
        return NULL;
    char *string = size <= (size_t)(reader->end - reader->at) ? copy(reader->at, size) : NULL;
    reader->failed = string == NULL;
    reader->at += reader->failed ? 0 : size;
    return string;
}

static void read_holder(struct reader *reader, struct held_class *class)
{
    struct holder holder;
    read_bytes(reader, &holder, sizeof(holder));
    holder.expression = read_string(reader);
    holder.container = read_string(reader);
    if (holder.expression == NULL)
        reader->failed = true;
    if (holders_add(class, &holder) != 0)
        reader->failed = true;
}

static void read_class(struct reader *reader, struct holders *holders)
{
    struct held_class sent;
    read_bytes(reader, &sent, sizeof(sent));
    size_t count = sent.holder_count;
    sent.name = read_string(reader);
    struct held_class *class = sent.name != NULL ? holders_add_class(holders, sent.name) : NULL;
    if (class == NULL) {
        memory_free(sent.name);
        reader->failed = true;
        return;
    }
    memory_free(class->name);
    *class = sent;
    class->holders = NULL;
    class->holder_count = 0;
    for (size_t i = 0; i < count && !reader->failed; i++)
        read_holder(reader, class);
}

int holders_decode(struct holders *holders, const char *bytes, size_t size)
{
    struct reader reader = {bytes, bytes + size, false};
    while (!reader.failed && reader.at < reader.end)
        read_class(&reader, holders);
    return reader.failed ? -1 : 0;
}

void holders_clear(struct holders *holders)
{
    for (size_t i = 0; i < holders->class_count; i++) {
        struct held_class *class = &holders->classes[i];
        for (size_t j = 0; j < class->holder_count; j++)
            holder_clear(&class->holders[j]);
        memory_free(class->holders);
        memory_free(class->name);
    }
    memory_free(holders->classes);
    *holders = (struct holders){0};
}
