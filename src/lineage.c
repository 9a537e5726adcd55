/* SPDX-License-Identifier: MIT
 *
 * The mark is the process id and nothing else: an exec keeps it, a fork changes it.
 */
#include "lineage.h"

#include <stddef.h>

enum lineage lineage_read(const char *text, pid_t self)
{
    long pid = 0;
    if (text == NULL || *text == '\0')
        return LINEAGE_FIRST;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || pid > 1000000000L)
            return LINEAGE_FIRST;
        pid = pid * 10 + (*text - '0');
    }
    return pid == self ? LINEAGE_SAME : LINEAGE_DESCENDANT;
}
