/* SPDX-License-Identifier: MIT
 *
 * Who holds the objects of some classes, as found in one snapshot. All strings are UTF-8,
 * printable, owned and of memory.h.
 */
#ifndef MEMPROF_HOLDERS_H
#define MEMPROF_HOLDERS_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a way of references begins at. */
enum holder_kind {
    HOLDER_MODULE,
    HOLDER_CLASS,
    HOLDER_FRAME, /* a local variable of a function that runs */
    HOLDER_COROUTINE,
    HOLDER_CONTEXT,
    HOLDER_C,    /* C code, or a value of a running function that has no name: the expression begins
                    with the class of the object so held */
    HOLDER_CYCLE /* nothing: garbage that the collector has not yet found */
};

/* One way on which objects of the sample are held. */
struct holder {
    enum holder_kind kind;
    uint64_t share;   /* objects of the sample that are held so */
    int is_linked;    /* by a structure of many like nodes: the expression ends at its head */
    char *expression; /* `__main__.bot.seen[*]` */
    char *container;  /* the class of the object where they fan out, or NULL */
    uint64_t length;  /* its items; 0 where it has none */
    uint64_t bound;   /* how many it can have; 0: no limit is known */
    uint64_t retained_bytes; /* what would be freed without it; 0: not computed */
    /* Of the containers that hold them directly, or, asked by size, of the objects themselves, if
     * those are others and all of them are bounded: the sums of some. Else 0. */
    uint64_t inner_length, inner_bound;
    uint64_t point; /* tells whether two are the same object; 0 where they do not fan out */
    uint32_t depth; /* objects on the way from there to those of the class */
};

enum held_reason { HELD_ASKED = 1, HELD_SUSPECTED = 2 };

/* The objects of one class. */
struct held_class {
    char *name;
    unsigned reasons;       /* flags of enum held_reason */
    bool by_size;           /* as wished: the objects asked are the largest */
    uint64_t objects;       /* that a root reaches */
    uint64_t garbage;       /* that none reaches */
    uint64_t sample;        /* objects asked */
    bool is_counted;        /* not the newest, but all: a share may be much older than any growth */
    struct holder *holders; /* the largest share first; what is missing is scattered */
    size_t holder_count;
};

/* Zero is empty. */
struct holders {
    struct held_class *classes;
    size_t class_count;
};

/* What somebody wants to know the holders of. */
struct held_wish {
    const char *name;
    unsigned reasons;
    uint32_t newest; /* how many to ask at the most; 0 for as many as are asked at all */
    bool by_size;    /* not of the newest objects, but of the few that are by far the largest */
};

/* Adds a class, zero but for its name, which is copied. Valid until the next one is added. NULL
 * when out of memory. */
struct held_class *holders_add_class(struct holders *holders, const char *name);

/* Adds a holder and takes its strings over, also when it fails. 0, or -1 when out of memory. */
int holders_add(struct held_class *class, struct holder *holder);

/* Appends everything as bytes for holders_decode(). */
void holders_encode(const struct holders *holders, struct text *bytes);

/* Reads it into an empty `holders`. 0, or -1 when out of memory or where the bytes make no sense;
 * clear it in any case. */
int holders_decode(struct holders *holders, const char *bytes, size_t size);

void holders_clear(struct holders *holders);

#endif
