/* SPDX-License-Identifier: MIT
 *
 *     plugin_host PLUGIN local|global LIVES CODE
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int scope = strcmp(argv[2], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL;
    void *plugin = dlopen(argv[1], RTLD_LAZY | scope);
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    int (*run)(const char *code) = (int (*)(const char *))dlsym(plugin, "plugin_run");
    for (int life = 1; life <= atoi(argv[3]); life++) {
        dprintf(2, "life %d begins\n", life);
        if (run(argv[4]) != 0)
            return 1;
    }
    return 0;
}
