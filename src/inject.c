/* SPDX-License-Identifier: MIT
 *
 * START HERE. The dynamic linker maps this library into every process that inherits LD_PRELOAD and
 * runs arm_at_load(). Where that finds a CPython it adds an audit hook (py_audit.h), which takes
 * itself out and calls on_interpreter_ready() once the interpreter is up: that reads the
 * configuration and hands over to the profiler (profiler.h). Everywhere else nothing happens at
 * all.
 *
 * A libpython that is loaded later, with a plugin (uWSGI, mod_wsgi), is met at its initialisers:
 * the plugin finds ours first.
 */
#include "config/config.h"
#include "config/options.h"
#include "config/path.h"
#include "lineage.h"
#include "memprof.h"
#include "message.h"
#include "profiler.h"
#include "py_api.h"
#include "py_audit.h"
#include "py_host.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const char *look_up(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

struct listener {
    bool silent; /* a process before this one has said it already */
    bool heard;
};

static void report(enum config_severity severity, const char *text, void *context)
{
    struct listener *listener = context;
    (void)severity;
    listener->heard = true;
    if (!listener->silent)
        message_write("%s", text);
}

static void mark_environment(void)
{
    char pid[24];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    py_host_set_environment(MEMPROF_ENV_MARK, pid);
}

/* Children may run in another folder, where a relative name of the file would miss it. */
static void make_config_path_absolute(void)
{
    const char *path = getenv(MEMPROF_ENV_CONFIG);
    char absolute[PATH_MAX]; /* an unversioned realpath() is glibc's oldest, which needs a buffer */
    if (path != NULL && path[0] != '\0' && path[0] != '/' && realpath(path, absolute) != NULL)
        py_host_set_environment(MEMPROF_ENV_CONFIG, absolute);
}

/* The program may change its working directory, and its children may be started in another one:
 * they are told what the first process has made of a relative path. */
static void settle_snapshot_file(struct config *config, bool tells_children)
{
    struct config_path read;
    char directory[PATH_MAX];
    const char *path = config->snapshot_file.text;
    if (path[0] == '\0' || path[0] == '/')
        return;
    if (getcwd(directory, sizeof(directory)) == NULL ||
        path_make_absolute(&config->snapshot_file, directory) != 0) {
        message_write("snapshot_file: the working directory cannot be told, or is too long: no "
                      "snapshots are kept there");
        path_set(&config->snapshot_file, "", 0);
        return;
    }
    /* What it would be refused for, it is not told. */
    if (tells_children && path_set(&read, path, strlen(path)) == 0)
        py_host_set_environment(MEMPROF_ENV_SNAPSHOT_FILE, path);
}

static void on_interpreter_ready(void)
{
    struct config config;
    enum lineage lineage = lineage_read(getenv(MEMPROF_ENV_MARK), getpid());
    struct listener listener = {lineage != LINEAGE_FIRST, false};
    struct config_environment environment = {look_up, report, &listener};
    message_begin();
    bool valid = config_load(&config, &environment) == 0;
    bool wanted = valid && config.enabled;
    if (lineage == LINEAGE_FIRST && (wanted || listener.heard))
        mark_environment();
    if (lineage == LINEAGE_FIRST && wanted && config.follow_children)
        make_config_path_absolute();
    if (!wanted || (lineage == LINEAGE_DESCENDANT && !config.follow_children))
        return;
    settle_snapshot_file(&config, lineage == LINEAGE_FIRST && config.follow_children);
    profiler_begin(&config, lineage == LINEAGE_DESCENDANT);
}

/* A program that no libc was loaded for (a Go executable, say) still loads us. What one libc
 * function is there for, all are: only the threads of an old glibc may be missing, and no CPython
 * is without those. The build makes every reference weak; the pragma tells the compiler. */
#pragma weak dlsym
static bool has_libc(void)
{
    return dlsym != NULL;
}

/* A set-uid program runs with more rights than whoever set LD_PRELOAD. */
static bool is_allowed(void)
{
    struct config_environment environment = {look_up, NULL, NULL};
    return getauxval(AT_SECURE) == 0 && !config_is_switched_off(&environment);
}

/* A second CPython in one process must not take the place of the one that is being profiled. */
static void arm(void *library)
{
    if (py.Py_IsInitialized != NULL && py.Py_IsInitialized())
        return;
    if (py_api_resolve(library) == 0 && !py.Py_IsInitialized())
        py_audit_arm(on_interpreter_ready);
}

__attribute__((constructor)) static void arm_at_load(void)
{
    if (has_libc() && is_allowed() && py_api_is_present())
        arm(RTLD_DEFAULT);
}

/* ---- A libpython that is loaded late ---- */

#define EXPORT __attribute__((visibility("default")))

/* PyStatus of Include/cpython/initconfig.h. */
struct py_status {
    int type;
    const char *function;
    const char *message;
    int exit_code;
};

EXPORT void Py_Initialize(void);
EXPORT void Py_InitializeEx(int install_signal_handlers);
EXPORT struct py_status Py_InitializeFromConfig(const void *config);

/* The lookup through a handle of the program itself begins with us again (musl gives one). */
static bool is_ours(const void *function)
{
    static const char here;
    Dl_info info, own;
    return dladdr(function, &info) != 0 && dladdr(&here, &own) != 0 &&
           info.dli_fbase == own.dli_fbase;
}

/* A plugin may be closed, and its libpython with it, of which we keep addresses. */
static void keep_loaded(const void *function)
{
    Dl_info info;
    if (dladdr(function, &info) != 0 && info.dli_fname != NULL)
        dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* The real `name`, as the code at `caller` would have found it without us. A plugin's own libpython
 * is usually RTLD_LOCAL, where RTLD_NEXT does not look. Arms on the way. */
static void *arm_and_find(const char *name, const void *caller)
{
    Dl_info info;
    void *function = NULL;
    void *plugin = NULL;
    if (dladdr(caller, &info) != 0 && info.dli_fname != NULL)
        plugin = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    void *library = plugin;
    if (library != NULL)
        function = dlsym(library, name);
    if (function == NULL || is_ours(function)) {
        library = RTLD_DEFAULT;
        function = dlsym(RTLD_NEXT, name);
    }
    if (function != NULL && is_allowed()) {
        arm(library);
        keep_loaded(function);
    }
    if (plugin != NULL)
        dlclose(plugin);
    return function;
}

void Py_Initialize(void)
{
    void *found = arm_and_find("Py_Initialize", __builtin_return_address(0));
    void (*real)(void) = (void (*)(void))found;
    if (real != NULL)
        real();
}

void Py_InitializeEx(int install_signal_handlers)
{
    void *found = arm_and_find("Py_InitializeEx", __builtin_return_address(0));
    void (*real)(int) = (void (*)(int))found;
    if (real != NULL)
        real(install_signal_handlers);
}

struct py_status Py_InitializeFromConfig(const void *config)
{
    void *found = arm_and_find("Py_InitializeFromConfig", __builtin_return_address(0));
    struct py_status (*real)(const void *) = (struct py_status(*)(const void *))found;
    if (real == NULL)
        return (struct py_status){1, "Py_InitializeFromConfig", "libpython was not found", 1};
    return real(config);
}
