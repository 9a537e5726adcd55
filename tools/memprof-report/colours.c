/* SPDX-License-Identifier: MIT */
#include "colours.h"

#include <string.h>

#define ESCAPE '\x1b'

/* `ESC [ 1 ; 32 m`, or the K that grep puts behind it: how many bytes, 0 if there is none. */
static size_t colour_size(const char *at, size_t left)
{
    size_t size = 2;
    if (left < 3 || at[0] != ESCAPE || at[1] != '[')
        return 0;
    while (size < left && ((at[size] >= '0' && at[size] <= '9') || at[size] == ';'))
        size++;
    return size < left && (at[size] == 'm' || at[size] == 'K') ? size + 1 : 0;
}

size_t colours_remove(char *text, size_t size)
{
    char *first = size > 0 ? memchr(text, ESCAPE, size) : NULL;
    if (first == NULL)
        return size;
    size_t kept = (size_t)(first - text);
    for (size_t at = kept; at < size;) {
        size_t colour = colour_size(text + at, size - at);
        if (colour == 0)
            text[kept++] = text[at];
        at += colour > 0 ? colour : 1;
    }
    return kept;
}
