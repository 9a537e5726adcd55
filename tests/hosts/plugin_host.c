/* SPDX-License-Identifier: MIT
 *
 *     plugin_host PLUGIN local|global|reload LIVES CODE
 *
 * With `reload` the plugin is closed after each life, and is to begin anew in the next one.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int scope = strcmp(argv[2], "local") == 0 ? RTLD_LOCAL : RTLD_GLOBAL;
    int reload = strcmp(argv[2], "reload") == 0;
    void *plugin = NULL;
    for (int life = 1; life <= atoi(argv[3]); life++) {
        if (plugin == NULL)
            plugin = dlopen(argv[1], RTLD_LAZY | scope);
        if (plugin == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        int (*run)(const char *code) = (int (*)(const char *))dlsym(plugin, "plugin_run");
        dprintf(2, "life %d begins\n", life);
        if (run(argv[4]) != (reload ? 1 : life))
            return 1;
        if (reload) {
            dlclose(plugin);
            plugin = NULL;
        }
    }
    return 0;
}
