/* SPDX-License-Identifier: MIT
 *
 * Linked statically: no dynamic linker is there to preload anything. */
#include <stdio.h>

int main(void)
{
    puts("static program");
    return 5;
}
