/* SPDX-License-Identifier: MIT
 *
 * What follows the path's NUL is zeros, so that equal paths are equal bytes. */
#include "config/path.h"

#include <stdint.h>
#include <string.h>

#include "config/quote.h"
#include "config/utf8.h"

int path_set(struct config_path *path, const char *text, size_t length)
{
    if (length >= sizeof path->text)
        return -1;
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t width = utf8_decode(text + at, length - at, &character);

        if (width == 0 || quote_is_invisible(character))
            return -1;
        at += width;
    }
    memset(path->text, 0, sizeof path->text);
    memcpy(path->text, text, length);
    return 0;
}

int path_make_absolute(struct config_path *path, const char *directory)
{
    size_t length = strlen(path->text), first = strlen(directory);

    if (length == 0 || path->text[0] == '/')
        return 0;
    if (first + 1 + length >= sizeof path->text)
        return -1;
    memmove(path->text + first + 1, path->text, length);
    memcpy(path->text, directory, first);
    path->text[first] = '/';
    return 0;
}
