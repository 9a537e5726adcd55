/* SPDX-License-Identifier: MIT
 *
 * Reads the first document of a YAML text into a tree, as far as one path through it needs. */
#ifndef MEMPROF_YAML_READER_H
#define MEMPROF_YAML_READER_H

#include <stddef.h>

#include "config/fault.h"
#include "config/yaml_tree.h"

#define YAML_DEPTH_LIMIT 512
#define YAML_NODE_LIMIT 100000
#define YAML_KEPT_BYTES_LIMIT (8u * 1024 * 1024)

/* Fills the tree (which the caller destroys in any case) with the nodes along the path, which has
 * `levels` names, everything below its end, and everything anchored or merged on the way. size
 * bytes of text must be valid UTF-8 without NUL and without a byte order mark. Returns -1 with the
 * fault set when the document is malformed, exceeds a limit above or in yaml_input.h, or memory
 * runs out. */
int yaml_read(struct tree *tree, const char *text, size_t size, const char *const *path,
              size_t levels, struct fault *fault);

#endif
