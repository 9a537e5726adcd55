/* SPDX-License-Identifier: MIT
 *
 * What a YAML 1.1 scalar is, by the rules of PyYAML's SafeLoader. */
#ifndef MEMPROF_YAML_SCALAR_H
#define MEMPROF_YAML_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

/* What !! stands for in front of a tag. */
#define YAML_TAG_PREFIX "tag:yaml.org,2002:"

enum scalar_kind {
    SCALAR_NULL,
    SCALAR_BOOLEAN,
    SCALAR_INTEGER,
    SCALAR_FLOAT,
    SCALAR_TIMESTAMP,
    SCALAR_BINARY,
    SCALAR_STRING,
};

struct scalar {
    enum scalar_kind kind;
    const char *text; /* borrowed, as written, not terminated, may hold NUL */
    size_t length;
    long value; /* of a boolean or an integer; too big an integer is LONG_MIN or LONG_MAX */
};

#define SCALAR_DESCRIPTION_SIZE 384

/* An untagged plain scalar. */
struct scalar scalar_plain(const char *text, size_t length);

/* A quoted scalar, which is a string whatever it looks like. */
struct scalar scalar_quoted(const char *text, size_t length);

/* A scalar under one of YAML's own tags, given with its full name "tag:yaml.org,2002:int". Returns
 * -1 when the tag is not one of those, or the text is not what the tag says. */
int scalar_tagged(struct scalar *scalar, const char *tag, const char *text, size_t length);

/* The word true, yes, on, false, no or off in any casing; -1 when it is none. */
int scalar_boolean_word(const char *text, size_t length);

/* Writes e.g. `5`, `0x10 (16)`, `null`, `the string "abc"`, `the float 1.5`. Returns buffer. */
char *scalar_describe(const struct scalar *scalar, char buffer[SCALAR_DESCRIPTION_SIZE]);

/* The same without a character of the text: `an integer`, `a string`. */
const char *scalar_kind_name(enum scalar_kind kind);

#endif
