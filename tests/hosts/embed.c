/* SPDX-License-Identifier: MIT
 *
 * A program that embeds Python and gives it several lives:
 *
 *     embed initialize|initialize_ex|from_config LIVES CODE
 *
 * Built without Python's headers, so that one file serves every version.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status {
    int type;
    const char *function;
    const char *message;
    int exit_code;
};

void Py_Initialize(void);
void Py_InitializeEx(int install_signal_handlers);
int Py_FinalizeEx(void);
int PyRun_SimpleString(const char *code);
/* From 3.8 on. */
__attribute__((weak)) struct status Py_InitializeFromConfig(const void *config);
__attribute__((weak)) void PyConfig_InitPythonConfig(void *config);
__attribute__((weak)) void PyConfig_Clear(void *config);

static int thread_count(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    if (tasks != NULL)
        closedir(tasks);
    return count;
}

static int initialize_from_config(void)
{
    static union {
        char bytes[1 << 16]; /* PyConfig is about 500 bytes; its size depends on the version */
        void *aligned;
    } config;
    memset(&config, 0, sizeof(config));
    PyConfig_InitPythonConfig(&config);
    struct status status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (status.type != 0)
        fprintf(stderr, "%s: %s\n", status.function, status.message);
    return status.type != 0 ? -1 : 0;
}

static int initialize(const char *way)
{
    if (strcmp(way, "from_config") == 0)
        return initialize_from_config();
    if (strcmp(way, "initialize_ex") == 0)
        Py_InitializeEx(0);
    else
        Py_Initialize();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    for (int life = 1; life <= atoi(argv[2]); life++) {
        dprintf(2, "life %d begins\n", life);
        if (initialize(argv[1]) != 0 || PyRun_SimpleString(argv[3]) != 0 || Py_FinalizeEx() != 0)
            return 1;
        dprintf(2, "life %d ends with %d threads\n", life, thread_count());
    }
    return 0;
}
