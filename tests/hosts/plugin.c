/* SPDX-License-Identifier: MIT
 *
 * A plugin that brings Python into a program that knows nothing of it (plugin_host.c).
 */
void Py_InitializeEx(int install_signal_handlers);
int Py_FinalizeEx(void);
int PyRun_SimpleString(const char *code);

int plugin_run(const char *code);

static int runs; /* since it was loaded */

/* Returns how many there have been, or 0 where this one has failed. */
int plugin_run(const char *code)
{
    runs++;
    Py_InitializeEx(0);
    int failed = PyRun_SimpleString(code);
    return Py_FinalizeEx() != 0 || failed ? 0 : runs;
}
